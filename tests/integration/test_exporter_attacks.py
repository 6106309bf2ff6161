"""What strangers can do to the exporter's endpoints: floods, tricks with names and headers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import bcrypt
import pytest
import requests

from exporter.listening import CONNECTION_LIMIT
from scripts.flood import client_hello
from simulator import Simulator
from tests.plugins.system_tools import require
from tests.support.certificates import make_pair
from tests.support.live_core import FAST, SECRET
from tests.support.processes import Process
from tests.support.stack import Stack, free_port, stack
from tests.support.waiting import until

QUIET = "quiet"
SESSIONS = [*(f"session-{number}" for number in range(12)), QUIET]
OBSERVED = 'wppconnect_session_last_probe_timestamp_seconds{{server="main",session="{}"}}'
FORGED = "wppconnect_forged_line"
QUICK = {"WPPCONNECT_INTERVAL_SECONDS": "1"}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=FAST, paired=SESSIONS) as running:
        for session in SESSIONS:
            running.pair(session)
        yield running


@pytest.fixture(scope="module")
def product(gateway: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("product")
    with stack(gateway, directory, WPPCONNECT_SESSIONS=",".join(SESSIONS), **QUICK) as running:
        yield running


@pytest.fixture(scope="module")
def exporter(product: Stack) -> Process:
    process = product.start_exporter()
    until(lambda: all(product.connected(session) == "1" for session in SESSIONS), what="connected")
    return process


def address(url: str) -> tuple[str, int]:
    """Where to connect."""
    return "127.0.0.1", int(url.rpartition(":")[2])


def healthy(url: str) -> bool:
    """Tell whether an exporter answers."""
    try:
        return requests.get(f"{url}/-/healthy", timeout=60).ok
    except requests.ConnectionError:
        return False


def test_reloads_by_the_thousand_do_not_queue(product: Stack) -> None:
    port = free_port()
    process = product.start_program(
        "exporter.cli",
        EXPORTER_WEB_LISTEN_ADDRESS=f"127.0.0.1:{port}",
        EXPORTER_WEB_ENABLE_LIFECYCLE="true",
    )
    url = f"http://127.0.0.1:{port}"
    until(lambda: healthy(url), what="the exporter")
    request = b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"

    for _ in range(1000):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(request)
    until(lambda: healthy(url), what="an answer after the flood")
    answer = requests.post(f"{url}/-/reload", timeout=60)

    reloads = process.printed().count("settings_reloaded")
    print(f"{reloads} reloads for 1001 requests")
    assert answer.ok
    assert reloads < 200


@pytest.mark.parametrize("is_protected", [False, True], ids=["plain", "TLS and password"])
@pytest.mark.parametrize(
    "begun",
    [b"", b"GET /metrics HTTP/1.1\r\nX: ", client_hello()],
    ids=["silent", "begun", "TLS without an end"],
)
def test_unfinished_requests_that_take_all_places_keep_no_scrape_out(
    product: Stack, tmp_path: Path, is_protected: bool, begun: bytes
) -> None:
    port, changes, scraping = free_port(), {}, requests.Session()
    if is_protected:
        require("openssl")
        changes, scraping = protection(tmp_path)
    product.start_program("exporter.cli", EXPORTER_WEB_LISTEN_ADDRESS=f"127.0.0.1:{port}", **changes)
    url = f"{'https' if is_protected else 'http'}://127.0.0.1:{port}/metrics"
    until(lambda: scrape(scraping, url) == 200, what="the exporter")
    scraping.close()

    with ExitStack() as held:
        for number in range(CONNECTION_LIMIT):
            source = (f"127.0.0.{2 + number * 2 // CONNECTION_LIMIT}", 0)
            connection = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=source)
            held.enter_context(connection).sendall(begun)

        assert scrape(scraping, url) == 200


def protection(folder: Path) -> tuple[dict[str, str], requests.Session]:
    """Return the setting of an exporter with TLS and a password, and a client that has both."""
    pair, config = make_pair(folder, "server"), folder / "web.yml"
    hashed = bcrypt.hashpw(b"a password of wonderland", bcrypt.gensalt(4)).decode()
    config.write_text(
        f"tls_server_config:\n  cert_file: {pair.certificate}\n  key_file: {pair.key}\n"
        f"basic_auth_users:\n  alice: {hashed}\n"
    )
    client = requests.Session()
    client.trust_env = False
    client.auth, client.verify = ("alice", "a password of wonderland"), str(pair.certificate)
    return {"EXPORTER_WEB_CONFIG_FILE": str(config)}, client


def scrape(client: requests.Session, url: str) -> int:
    """Return the status of the answer; 0: there was none."""
    try:
        return client.get(url, timeout=60).status_code
    except requests.ConnectionError:
        return 0


def test_flooded_probes_delay_no_other_session(exporter: Process, product: Stack, gateway: Simulator) -> None:
    del exporter
    flooded = [session for session in SESSIONS if session != QUIET]
    until(lambda: product.connected(QUIET) == "1", what="connected")

    def probe(position: int) -> int:
        params = {"server": "main", "session": flooded[position % len(flooded)]}
        return requests.get(f"{product.exporter_url}/probe", params=params, timeout=60).status_code

    observed: set[str | None] = set()
    with ThreadPoolExecutor(24) as asking:

        def is_watched() -> bool:
            assert set(asking.map(probe, range(48))) == {200}
            observed.add(product.metric(OBSERVED.format(QUIET)))
            return len(observed) > 3

        until(is_watched, what="three probes of the quiet session in the middle of the flood")


def test_clients_that_leave_while_a_page_is_frozen_leave_nothing_behind(
    exporter: Process, product: Stack, gateway: Simulator
) -> None:
    def held() -> tuple[int, int]:
        """Threads and open files of the exporter."""
        threads, files = (Path(f"/proc/{exporter.pid}/{kind}").iterdir() for kind in ("task", "fd"))
        return len(list(threads)), len(list(files))

    frozen = SESSIONS[1]
    gateway.freeze(frozen)
    request = f"GET /probe?server=main&session={frozen} HTTP/1.1\r\nHost: x\r\n"
    patient = f"{request}X-Prometheus-Scrape-Timeout-Seconds: 60\r\n\r\n".encode()
    threads, files = held()
    gateway.reset_requests()

    for _ in range(300):
        with socket.create_connection(address(product.exporter_url), timeout=60) as client:
            client.sendall(patient)

    # Who is answered came last: none of them waits to be accepted any more.
    until(lambda: healthy(product.exporter_url), what="an answer after the flood")
    until(lambda: held()[1] <= files + 8, what="the end of the connections")
    asked = [one for one in gateway.requests()["recent"] if one["session"] == frozen]
    gateway.unfreeze(frozen)
    until(lambda: product.connected(frozen) == "1", what="the page's return")
    print(f"{len(asked)} calls for 300 clients")
    assert held()[0] <= threads
    assert gateway.requests()["max_in_flight"] <= 4
    assert len(asked) < 100


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/probe?server=main&session=nobody", 404),
        (f"/probe?server=main&session=session-0%0d%0a{FORGED}%201", 404),
        (f"/probe?server=main%00&session=session-0&x={FORGED}", 404),
        ("/probe?server=main&session=" + "a" * 12_000, 404),
        ("/probe?server=main&session=session-0&session=beta", 400),
        ("/probe?" + "&".join(f"a{position}=1" for position in range(1000)), 400),
        ("/probe?server=main&session=..%2f..%2fetc%2fpasswd", 404),
        ("/probe?server=%ff%fe&session=%f0%9f%98%80", 404),
        ("/sd%0d%0aX-Forged:%201", 404),
        ("//sd", 404),
        ("/metrics/../sd", 404),
    ],
)
def test_odd_names_are_refused_and_leave_no_line_in_the_log(
    exporter: Process, product: Stack, path: str, status: int
) -> None:
    sent = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    answer = exchange(product, sent)

    assert answer.split()[1] == str(status).encode()
    assert b"X-Forged" not in answer
    assert FORGED not in exporter.printed()
    assert "Traceback" not in exporter.printed()
    assert FORGED not in requests.get(f"{product.exporter_url}/metrics", timeout=60).text


@pytest.mark.parametrize(
    "lines",
    [
        "Host: evil.example\r\nHost: other.example",
        'Host: evil"],"labels',
        "Host: a\r\n b",
        "Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
        "Host: x\r\nContent-Length: 5\r\nContent-Length: 6",
        "Host: x\r\nContent-Length: " + "9" * 5000,
        "Host: x\r\nContent-Length: -1",
        "Host: x\r\nX: \x00",
    ],
)
def test_tricks_with_headers_of_the_discovery_are_refused(
    exporter: Process, product: Stack, lines: str
) -> None:
    sent = f"GET /sd HTTP/1.1\r\n{lines}\r\nConnection: close\r\n\r\n".encode()
    answer = exchange(product, sent)

    assert answer.split()[1] in (b"400", b"413")
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer.lower()
    assert "Traceback" not in exporter.printed()


@pytest.mark.parametrize("seconds", ["nan", "-1", "1e999", "1e-300", "0x10", "1" * 5000, ""])
def test_odd_scrape_timeouts_do_no_harm(exporter: Process, product: Stack, seconds: str) -> None:
    answer = requests.get(
        f"{product.exporter_url}/probe",
        params={"server": "main", "session": SESSIONS[0]},
        headers={"X-Prometheus-Scrape-Timeout-Seconds": seconds},
        timeout=60,
    )

    assert answer.status_code == 200
    assert "Traceback" not in exporter.printed()


@pytest.mark.usefixtures("exporter")
def test_long_accept_headers_are_answered(product: Stack) -> None:
    headers = {"Accept": ",;q=" * 3500}

    assert requests.get(f"{product.exporter_url}/metrics", headers=headers, timeout=60).ok


def exchange(product: Stack, sent: bytes) -> bytes:
    """Send bytes and read until the exporter closes."""
    with socket.create_connection(address(product.exporter_url), timeout=60) as client:
        client.sendall(sent)
        with client.makefile("rb") as answer:
            return answer.read()
