"""The simulator as tests use it: over HTTP, with real time scaled down, and its control API."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from simulator import Simulator, Times
from simulator.phone import RefusedError
from tests.support.waiting import until


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(times=Times(scale=0.02, qr_first=30, auto_close=30), sessions=["seeded"]) as running:
        yield running


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def get(
    simulator: Simulator, http: requests.Session, name: str, endpoint: str, **rest: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {simulator.token(name)}"}
    url = f"{simulator.url}/api/{name}/{endpoint}"
    return http.get(url, headers=headers, timeout=60, allow_redirects=False, **rest)


def start(simulator: Simulator, http: requests.Session, name: str, **body: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {simulator.token(name)}"}
    return http.post(f"{simulator.url}/api/{name}/start-session", json=body, headers=headers, timeout=60)


def test_session_connects_in_scaled_time(simulator: Simulator, http: requests.Session) -> None:
    answer = start(simulator, http, "a", waitQrCode=True).json()
    assert answer["urlcode"] == simulator.urlcode("a")

    simulator.scan("a")
    until(lambda: simulator.state("a")["status"] == "CONNECTED")

    assert get(simulator, http, "a", "check-connection-session").json()["status"] is True


def test_pairing_by_code(simulator: Simulator, http: requests.Session) -> None:
    answer = start(simulator, http, "a", waitQrCode=True, phone="5511999999999").json()

    simulator.enter_code("a", answer["phoneCode"])

    until(lambda: simulator.state("a")["status"] == "CONNECTED")


def test_number_check_hangs_without_network_and_leaves_no_number_in_the_log(
    simulator: Simulator, http: requests.Session
) -> None:
    simulator.pair("a")
    answer = get(simulator, http, "a", "check-number-status/55119000000000").json()

    simulator.lose_network("a")
    with pytest.raises(requests.ReadTimeout):
        http.get(
            f"{simulator.url}/api/a/check-number-status/55119000000000",
            headers={"Authorization": f"Bearer {simulator.token('a')}"},
            timeout=(3, 0.3),
        )

    assert answer["response"]["numberExists"] is False
    assert "551190" not in str(simulator.requests())


def test_scan_without_a_code_is_refused(simulator: Simulator) -> None:
    with pytest.raises(RefusedError, match="No browser is running"):
        simulator.scan("seeded")


def test_gateway_restarts_on_the_same_port(simulator: Simulator, http: requests.Session) -> None:
    simulator.pair("a")
    simulator.stop_gateway()
    with pytest.raises(requests.ConnectionError):
        http.get(f"{simulator.url}/healthz", timeout=60)

    simulator.start_gateway()

    until(lambda: get(simulator, http, "a", "status-session").json()["status"] == "CONNECTED")


@pytest.mark.endangers_gateway("the simulator ends as the gateway does")
def test_anyone_can_end_the_gateway(simulator: Simulator, http: requests.Session) -> None:
    assert http.get(f"{simulator.url}/unhealthy", timeout=60).status_code == 503

    until(lambda: not simulator.is_gateway_running)


def test_changed_secret_makes_tokens_invalid(simulator: Simulator, http: requests.Session) -> None:
    token = simulator.token("seeded")
    simulator.change_secret("another")

    headers = {"Authorization": f"Bearer {token}"}
    answer = http.get(f"{simulator.url}/api/seeded/status-session", headers=headers, timeout=60)

    assert (answer.status_code, answer.json()) == (
        401,
        {"error": "Check that the Session and Token are correct"},
    )


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "beginning"),
    [
        ("html", 200, "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("no_status", 200, "application/json; charset=utf-8", '{"qrcode":null'),
        ("null_status", 200, "application/json; charset=utf-8", '{"status":null'),
        ("status_word", 200, "application/json; charset=utf-8", '{"status":"WEIRD"'),
        ("server_error", 500, "application/json; charset=utf-8", '{"status":"error"'),
        ("redirect", 302, None, ""),
    ],
)
def test_fault_of_the_answer(
    simulator: Simulator,
    http: requests.Session,
    kind: str,
    status: int,
    content_type: str | None,
    beginning: str,
) -> None:
    simulator.pair("a")
    simulator.set_fault(kind, session="a", endpoint="status-session")

    answer = get(simulator, http, "a", "status-session")

    assert (answer.status_code, answer.headers.get("Content-Type")) == (status, content_type)
    assert answer.text.startswith(beginning)
    simulator.clear_faults()
    assert get(simulator, http, "a", "status-session").json()["status"] == "CONNECTED"


def test_fault_of_one_session_leaves_the_others_alone(simulator: Simulator, http: requests.Session) -> None:
    simulator.set_fault("html", session="a")

    assert get(simulator, http, "seeded", "status-session").json()["status"] == "CLOSED"


@pytest.mark.parametrize(
    ("kind", "seconds", "failure"),
    [("hang", 0.3, requests.ReadTimeout), ("close", 60, requests.ConnectionError)],
)
def test_fault_of_the_connection_gives_no_answer(
    simulator: Simulator, http: requests.Session, kind: str, seconds: float, failure: type[Exception]
) -> None:
    simulator.set_fault(kind)

    with pytest.raises(failure):
        http.get(f"{simulator.url}/healthz", timeout=seconds)


def test_slow_headers_drip() -> None:
    with Simulator(times=Times(drip=0.01)) as simulator:
        simulator.set_fault("slow_headers")

        with socket.create_connection(("127.0.0.1", urlsplit(simulator.url).port), timeout=60) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            received = bytearray()
            until(lambda: received.extend(connection.recv(100)) or received.endswith(b"xxxxx"))

    assert received.startswith(b"HTTP/1.1 200 OK\r\nX-Drip: xxxxx")


def test_slow_body_drips(simulator: Simulator) -> None:
    simulator.set_fault("slow_body")

    with requests.get(f"{simulator.url}/healthz", timeout=60, stream=True) as answer:
        assert answer.raw.read(10) == b'{"status":'


def test_huge_body_exceeds_twenty_megabytes(simulator: Simulator, http: requests.Session) -> None:
    simulator.set_fault("huge_body")

    assert len(http.get(f"{simulator.url}/healthz", timeout=60).content) > 20_000_000


def test_show_all_sessions_without_its_list(simulator: Simulator, http: requests.Session) -> None:
    url = f"{simulator.url}/api/{simulator.secret_key}/show-all-sessions"
    assert http.get(url, timeout=60).json() == {"response": ["seeded"]}

    simulator.set_fault("no_response", endpoint="show-all-sessions")

    assert http.get(url, timeout=60).json() == {}


def test_requests_are_counted_by_agent_and_route(simulator: Simulator, http: requests.Session) -> None:
    http.headers["User-Agent"] = "tester"
    get(simulator, http, "a", "status-session")
    get(simulator, http, "a", "status-session")

    report = simulator.requests()

    assert report["counts"] == [
        {
            "user_agent": "tester",
            "method": "GET",
            "route": "/api/{session}/status-session",
            "session": "a",
            "count": 2,
        }
    ]
    assert [entry["status"] for entry in report["recent"]] == [200, 200]
    simulator.reset_requests()
    assert simulator.requests()["counts"] == []


def test_stop_is_quick_while_requests_hang() -> None:
    simulator = Simulator(times=Times(scale=0.02))
    simulator.start()
    simulator.set_fault("hang")
    failures: list[Exception] = []

    def ask() -> None:
        try:
            requests.get(f"{simulator.url}/healthz", timeout=60)
        except requests.ConnectionError as failure:
            failures.append(failure)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: simulator.requests()["in_flight"] == 5)

    simulator.stop()

    for thread in threads:
        thread.join(60)
    assert len(failures) == 5


def test_webhooks_arrive_in_order(simulator: Simulator, http: requests.Session) -> None:
    received: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        start(simulator, http, "a", waitQrCode=True, webhook=f"http://127.0.0.1:{server.server_port}/")
        simulator.scan("a")
        until(lambda: len(received) == 4)
        server.shutdown()

    words = ("notLogged", '"event": "qrcode"', "qrReadSuccess", "inChat")
    assert [word in body for word, body in zip(words, received, strict=True)] == [True] * 4


def test_control_api_holds_the_phones(simulator: Simulator, http: requests.Session) -> None:
    start(simulator, http, "a", waitQrCode=True)
    control = f"{simulator.control_url}/control"

    scanned = http.post(f"{control}/sessions/a/scan", timeout=60)
    again = http.post(f"{control}/sessions/a/scan", timeout=60)

    assert scanned.json()["phase"] == "syncing"
    assert (again.status_code, again.json()) == (409, {"problem": "The page does not show a code now."})
    names = [session["session"] for session in http.get(f"{control}/state", timeout=60).json()["sessions"]]
    assert names == ["a", "seeded"]


@pytest.mark.parametrize(
    ("seconds", "phase", "is_same"),
    [(0.25, "waiting", True), (90.0, "waiting", False), (290.0, None, False)],
    ids=["a moment", "the life of a code", "the life of the page"],
)
def test_a_code_lives_until_the_clock_is_moved_on(
    http: requests.Session, seconds: float, phase: str | None, is_same: bool
) -> None:
    with Simulator(times=Times(scale=0.02, qr_first=80, qr_next=80, auto_close=280)) as simulator:
        code = start(simulator, http, "a", waitQrCode=True).json()["urlcode"]

        answer = http.post(
            f"{simulator.control_url}/control/clock/advance", json={"seconds": seconds}, timeout=60
        )

        state = simulator.state("a")
        assert answer.json()["uptime"] > seconds
        assert (state["phase"], state["urlcode"] == code) == (phase, is_same)


def test_what_waits_for_a_timer_wakes_up_when_the_clock_is_moved_on(http: requests.Session) -> None:
    with Simulator(times=Times(browser_start=600)) as simulator:
        answers: list[dict[str, Any]] = []
        asking = threading.Thread(
            target=lambda: answers.append(start(simulator, http, "a", waitQrCode=True).json())
        )
        asking.start()
        until(lambda: simulator.state("a")["phase"] == "launching")

        simulator.advance(600)

        asking.join(60)
        assert [answer["urlcode"] for answer in answers] == [simulator.urlcode("a")]


def test_control_api_refuses_other_sites(simulator: Simulator, http: requests.Session) -> None:
    url = f"{simulator.control_url}/control/gateway/stop"

    answer = http.post(url, headers={"Origin": "http://other.invalid"}, timeout=60)

    assert answer.status_code == 403
    assert simulator.is_gateway_running


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("faults", {"kind": "html"}, 200),
        ("faults", {"kind": "nonsense"}, 422),
        ("faults", {"kind": "launch_error"}, 409),
        ("gateway/restart", {}, 200),
        ("gateway/secret", {"secret_key": "new"}, 200),
        ("gateway/secret", {}, 422),
        ("gateway/nonsense", {}, 404),
        ("sessions/a/nonsense", {}, 404),
        ("requests/reset", {}, 200),
        ("clock/advance", {"seconds": 1}, 200),
        ("clock/advance", {"seconds": -1}, 422),
        ("clock/advance", {"seconds": "1"}, 422),
        ("clock/advance", {}, 422),
    ],
)
def test_control_api_answers(
    simulator: Simulator, http: requests.Session, path: str, body: dict[str, Any], status: int
) -> None:
    answer = http.post(f"{simulator.control_url}/control/{path}", json=body, timeout=60)

    assert answer.status_code == status


def test_phone_page_loads_nothing_from_elsewhere(simulator: Simulator, http: requests.Session) -> None:
    answer = http.get(f"{simulator.control_url}/", timeout=60)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "http" not in answer.text.replace("http-equiv", "")
