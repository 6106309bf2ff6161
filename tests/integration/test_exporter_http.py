"""The exporter as a process: TLS, passwords, reloading and /probe, seen with the usual tools."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest
import requests

from simulator import Simulator
from tests.plugins.system_tools import require
from tests.support.certificates import Pair, make_pair
from tests.support.exposition import samples
from tests.support.live_core import FAST, SECRET
from tests.support.processes import Process
from tests.support.stack import Stack, free_port, stack
from tests.support.waiting import until

SESSION = "sales"
ALICE = ("alice", "a password of wonderland")
HASH = bcrypt.hashpw(ALICE[1].encode(), bcrypt.gensalt(10)).decode()
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
USERS = f"basic_auth_users:\n  alice: {HASH}\n"


@pytest.fixture
def gateway() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=FAST, paired=[SESSION]) as running:
        running.pair(SESSION)
        yield running


@pytest.fixture
def product(gateway: Simulator, tmp_path: Path) -> Iterator[Stack]:
    """Processes that probe every five minutes: what is seen sooner, somebody asked for."""
    with stack(gateway, tmp_path, WPPCONNECT_SESSIONS=SESSION, WPPCONNECT_INTERVAL_SECONDS="300") as running:
        yield running


@dataclass
class Guarded:
    """An exporter with a web configuration, and the folder in which that lies."""

    process: Process
    url: str
    directory: Path
    ca: Pair

    def get(self, path: str, **options: object) -> requests.Response:
        """Ask it as a client that trusts its CA."""
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.url + path, timeout=60, **{"verify": str(self.ca.certificate), **options})

    def success(self) -> float:
        """Whether the newest settings are in force, by the metric."""
        return samples(self.get("/metrics", auth=ALICE).text)["wppconnect_exporter_settings_reload_success"]


@pytest.fixture
def guarded(product: Stack, tmp_path: Path) -> Guarded:
    require("openssl")
    directory = tmp_path / "web"
    directory.mkdir()
    ca = make_pair(directory, "ca")
    make_pair(directory, "server", issuer=ca)
    (directory / "web.yml").write_text(TLS + USERS)
    port = free_port()
    process = product.start_program(
        "exporter.cli",
        EXPORTER_WEB_LISTEN_ADDRESS=f"127.0.0.1:{port}",
        EXPORTER_WEB_CONFIG_FILE=str(directory / "web.yml"),
        EXPORTER_WEB_ENABLE_LIFECYCLE="true",
    )
    exporter = Guarded(process, f"https://127.0.0.1:{port}", directory, ca)

    def answers() -> bool:
        assert process.is_running, process.printed()
        try:
            return exporter.get("/-/healthy").ok
        except requests.ConnectionError:
            return False

    until(answers, what="the exporter")
    return exporter


def test_metrics_come_over_tls_and_to_the_right_password_only(guarded: Guarded) -> None:
    assert guarded.get("/metrics").status_code == 401
    assert guarded.get("/metrics", auth=("alice", "wrong")).status_code == 401
    assert guarded.get("/metrics", auth=("nobody", ALICE[1])).status_code == 401
    assert "wppconnect_up" in guarded.get("/metrics", auth=ALICE).text


def test_plain_http_gets_no_answer(guarded: Guarded) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(guarded.url.replace("https", "http"), timeout=60)


def test_curl_gets_in(guarded: Guarded) -> None:
    require("curl")
    command = ["curl", "-sS", "--cacert", str(guarded.ca.certificate), "-u", ":".join(ALICE)]

    done = subprocess.run([*command, f"{guarded.url}/sd"], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout)[0]["labels"]["__scheme__"] == "https"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_broken_versions_of_tls_are_refused(guarded: Guarded, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=guarded.ca.certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    address = ("127.0.0.1", int(guarded.url.rpartition(":")[2]))

    with socket.create_connection(address) as raw, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(raw, server_hostname="127.0.0.1")


def test_scrapes_go_on_while_somebody_guesses_passwords(guarded: Guarded) -> None:
    guarded.get("/metrics", auth=ALICE)
    with ThreadPoolExecutor(20) as guessing:
        guesses = [guessing.submit(guarded.get, "/", auth=("alice", f"guess {n}")) for n in range(30)]
        admitted = guarded.get("/metrics", auth=ALICE).ok

    assert admitted
    assert {guess.result().status_code for guess in guesses} <= {401, 503}


def serial(guarded: Guarded) -> str:
    """Which certificate a new connection is shown."""
    address = ("127.0.0.1", int(guarded.url.rpartition(":")[2]))
    return ssl.get_server_certificate(address)


def test_new_certificate_is_taken_over_without_a_restart(guarded: Guarded) -> None:
    before = serial(guarded)

    make_pair(guarded.directory, "server", issuer=guarded.ca)

    until(lambda: serial(guarded) != before, what="the new certificate")
    assert guarded.get("/metrics", auth=ALICE).ok


def test_bad_web_configuration_is_refused_and_the_old_one_stays(guarded: Guarded) -> None:
    (guarded.directory / "web.yml").write_text(TLS + USERS + "basic_auth_user: {}\n")

    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{guarded.url}/-/reload", auth=ALICE, verify=str(guarded.ca.certificate), timeout=60
        )

    assert answer.status_code == 500
    assert "web.yml: basic_auth_user: is not a setting; did you mean basic_auth_users" in answer.text
    assert guarded.success() == 0
    (guarded.directory / "web.yml").write_text(TLS + USERS)
    until(lambda: guarded.success() == 1, what="the good configuration")


def test_changed_password_counts_from_now_on(guarded: Guarded) -> None:
    assert guarded.get("/", auth=ALICE).ok

    hashed = bcrypt.hashpw(b"another one", bcrypt.gensalt(4)).decode()
    (guarded.directory / "web.yml").write_text(f"{TLS}basic_auth_users:\n  alice: {hashed}\n")

    until(lambda: guarded.get("/", auth=("alice", "another one")).ok, what="the new password")
    assert guarded.get("/", auth=ALICE).status_code == 401


def test_tls_is_not_switched_off_by_a_reload(guarded: Guarded) -> None:
    (guarded.directory / "web.yml").write_text(USERS)

    until(lambda: guarded.success() == 0, what="the refusal")
    assert "TLS cannot be switched on or off while the exporter runs" in guarded.process.printed()


def test_clients_without_a_certificate_of_the_ca_are_refused(guarded: Guarded) -> None:
    client = make_pair(guarded.directory, "client", issuer=guarded.ca)
    stranger = make_pair(guarded.directory, "stranger")
    demand = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"
    assert guarded.get("/-/healthy").ok

    (guarded.directory / "web.yml").write_text(TLS + demand)

    until(lambda: not gets_in(guarded), what="the demand for a certificate")
    assert gets_in(guarded, cert=client.client)
    assert not gets_in(guarded, cert=stranger.client)


def gets_in(guarded: Guarded, **options: object) -> bool:
    """Tell whether a client can ask at all."""
    try:
        return guarded.get("/-/healthy", **options).ok
    except (requests.ConnectionError, requests.exceptions.SSLError):
        return False


def test_stop_is_clean_with_tls_connections_open(guarded: Guarded) -> None:
    context = ssl.create_default_context(cafile=guarded.ca.certificate)
    address = ("127.0.0.1", int(guarded.url.rpartition(":")[2]))
    with (
        socket.create_connection(address),
        socket.create_connection(address) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1"),
    ):
        assert guarded.process.stop() == 0


@pytest.mark.prometheus
@pytest.mark.parametrize(
    "text",
    [TLS, USERS, TLS + USERS, TLS + "  min_version: TLS13\n"],
    ids=["TLS", "users", "TLS and users", "a least version"],
)
def test_prometheus_finds_our_web_configurations_valid(tmp_path: Path, text: str) -> None:
    require("promtool", "openssl")
    make_pair(tmp_path, "server")
    (tmp_path / "web.yml").write_text(text)

    command = ["promtool", "check", "web-config", str(tmp_path / "web.yml")]

    assert subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.prometheus
def test_prometheus_discovers_the_sessions(product: Stack, tmp_path: Path) -> None:
    require("promtool")
    product.start_exporter()
    config = {
        "scrape_configs": [{"job_name": "probe", "http_sd_configs": [{"url": f"{product.exporter_url}/sd"}]}]
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))

    command = [
        "promtool",
        "check",
        "service-discovery",
        "--timeout=2s",
        str(tmp_path / "prometheus.yml"),
        "probe",
    ]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    labels = {name: value for name, value in found[0]["labels"].items() if not name.startswith("__scrape_")}
    address = product.exporter_url.removeprefix("http://")
    assert len(found) == 1
    assert labels == {
        "__address__": address,
        "__metrics_path__": "/probe",
        "__param_server": "main",
        "__param_session": SESSION,
        "__scheme__": "http",
        "instance": address,
        "job": "probe",
        "server": "main",
        "session": SESSION,
    }


def probe(product: Stack, timeout: str = "10") -> dict[str, float]:
    """Ask /probe and return the samples by name and labels."""
    answer = requests.get(
        f"{product.exporter_url}/probe",
        {"server": "main", "session": SESSION},
        headers={"X-Prometheus-Scrape-Timeout-Seconds": timeout},
        timeout=60,
    )
    answer.raise_for_status()
    return samples(answer.text)


def asked(gateway: Simulator, endpoint: str) -> int:
    """How often the gateway was asked for something."""
    rows = gateway.requests()["counts"]
    return sum(row["count"] for row in rows if row["route"].endswith(endpoint))


def test_probe_asks_the_gateway_now(gateway: Simulator, product: Stack) -> None:
    product.start_exporter()
    until(lambda: product.connected(SESSION) == "1", what="connected")
    gateway.reset_requests()

    before = probe(product)
    gateway.unlink(SESSION)
    until(lambda: gateway.state(SESSION)["status"] == "CLOSED", what="the unlinking")
    after = probe(product)

    assert (before["probe_success"], after["probe_success"]) == (1, 0)
    assert after['wppconnect_session_state{state="disconnected"}'] == 1
    assert 0 < before["probe_duration_seconds"] < 60
    assert asked(gateway, "status-session") == 2
    assert product.connected(SESSION) == "0"


def test_parallel_probes_are_one(gateway: Simulator, product: Stack) -> None:
    product.start_exporter()
    until(lambda: product.connected(SESSION) == "1", what="connected")
    gateway.reset_requests()

    with ThreadPoolExecutor(40) as asking:
        answers = list(asking.map(lambda _: probe(product), range(40)))

    assert {answer["probe_success"] for answer in answers} == {1}
    assert asked(gateway, "status-session") <= 4


def test_probe_of_a_frozen_page_answers_within_the_scrape_timeout(gateway: Simulator, product: Stack) -> None:
    product.start_exporter()
    until(lambda: product.connected(SESSION) == "1", what="connected")
    gateway.freeze(SESSION)

    answer = probe(product, timeout="2")

    assert answer["probe_duration_seconds"] < 10
    assert answer["probe_success"] == 0
    assert answer["wppconnect_session_connected"] == 0


def test_probe_of_a_gateway_that_is_down_is_an_answer_too(gateway: Simulator, product: Stack) -> None:
    product.start_exporter()
    until(lambda: product.connected(SESSION) == "1", what="connected")
    gateway.stop_gateway()

    answer = probe(product)

    assert answer["probe_success"] == 0
    assert answer['wppconnect_session_state{state="unreachable"}'] == 1


def test_probe_goes_through_the_page_where_that_holds_the_lease(gateway: Simulator, product: Stack) -> None:
    product.start_page()
    until(lambda: asked(gateway, "status-session"), what="a probe by the page")
    product.start_exporter()
    until(lambda: product.connected(SESSION) == "1", what="connected")
    gateway.reset_requests()

    answer = probe(product)

    assert answer["probe_success"] == 1
    agents = {
        row["user_agent"] for row in gateway.requests()["counts"] if row["route"].endswith("status-session")
    }
    assert agents == {"wppconnect-dashboard"}


def test_rotated_secret_is_read_anew_on_sighup(gateway: Simulator, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    changes = {"WPPCONNECT_SECRET_KEY": "", "WPPCONNECT_SECRET_KEY_FILE": str(secret)}
    with stack(gateway, tmp_path, WPPCONNECT_SESSIONS=SESSION, **changes) as product:
        exporter = product.start_exporter()
        until(lambda: product.connected(SESSION) == "1", what="connected")
        gateway.change_secret("another-secret-for-tests-32-byte")
        until(lambda: product.connected(SESSION) == "0", what="the refusal")

        secret.write_text("another-secret-for-tests-32-byte")
        exporter.send(signal.SIGHUP)

        until(lambda: product.connected(SESSION) == "1", what="connected again")
        secret.write_text("")
        exporter.send(signal.SIGHUP)
        success = "wppconnect_exporter_settings_reload_success"
        until(lambda: product.metric(success) == "0", what="the refusal of an empty file")
        assert product.connected(SESSION) == "1"
