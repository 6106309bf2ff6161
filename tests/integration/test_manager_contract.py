"""Replay what was recorded of the manager protocol against the simulator (contract, section 12)."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator import ManualClock, Simulator
from tests.support.waiting import until

RECORDED = Path(__file__).parents[1] / "data" / "wire" / "manager.jsonl"
LINES = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
SECRET, SESSION = "a-secret-for-the-manager-protocol", "sales"
OLD, NEW = "2.10.4", "2.11.0"


def ask(
    gateway: Simulator, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    address = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def send(gateway: Simulator, endpoint: str) -> None:
    headers = {"Authorization": f"Bearer {gateway.token(SESSION)}"}
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, gateway, "POST", f"/api/{SESSION}/{endpoint}", headers)

        def is_done() -> bool:
            gateway.advance(0.1)
            return answer.done()

        until(is_done, what=f"the answer of {endpoint}")


def show_code(gateway: Simulator) -> None:
    gateway.advance(3)


def connect(gateway: Simulator) -> None:
    gateway.scan(SESSION)
    gateway.advance(5)


def remove_on_phone(gateway: Simulator) -> None:
    gateway.pair(SESSION)
    gateway.unlink(SESSION)
    gateway.advance(3)


def use_up(gateway: Simulator) -> None:
    for _ in range(60):
        ask(gateway, "GET", "/api/manager/info", {})


ON_THE_WAY: dict[str, Callable[[Simulator], None]] = {
    "just started": lambda gateway: send(gateway, "start-session"),
    "waiting for QR scan": show_code,
    "connected": connect,
    "page crashed": lambda gateway: gateway.crash(SESSION),
    "after close-session": lambda gateway: send(gateway, "close-session"),
    "removed on the phone": remove_on_phone,
    # A logout leaves a token file, and nothing else.
    "after logout": lambda gateway: gateway.create(SESSION),
    "over 60 a minute": use_up,
    "cost-4 token": lambda gateway: gateway.advance(60),
    "release without the protocol": lambda gateway: gateway.change_release(OLD),
}
"""What happened before the first line of a state was recorded."""


@pytest.fixture
def gateway() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, version=NEW, clock=ManualClock()) as running:
        yield running


def test_the_recorded_answers_are_given(gateway: Simulator) -> None:
    state = "-"
    for line in LINES:
        if line["state"] != state and line["state"] != "-":
            state = line["state"]
            ON_THE_WAY.get(state, lambda _gateway: None)(gateway)
        assert said(gateway, line) == recorded(line), line


def said(gateway: Simulator, line: dict[str, Any]) -> tuple[object, ...]:
    method, path = line["request"].split(" ")
    fills = {"{secretkey}": SECRET, "{token}": gateway.token(SESSION, cost=10)}
    fills["{token of cost 4}"] = gateway.token(SESSION)
    headers = dict(line.get("request_headers", {}))
    for name, value in fills.items():
        headers = {key: one.replace(name, value) for key, one in headers.items()}
    body = json.dumps(line["request_body"]).encode() if "request_body" in line else None
    headers |= {"Content-Type": "application/json"} if body else {}
    # An error page repeats the path.
    session = "x" if line["state"] == "release without the protocol" else SESSION
    answer, content = ask(gateway, method, path.replace("{session}", session), headers, body)
    wanted = line.get("headers", {})
    got = {name: steady(answer.headers.get(name)) for name in wanted}
    return answer.status, answer.headers.get("Content-Type"), got, readable(content.decode())


def recorded(line: dict[str, Any]) -> tuple[object, ...]:
    headers = {name: steady(value) for name, value in line.get("headers", {}).items()}
    return line["status"], line["content_type"], headers, readable(line["body"])


def steady(header: str | None) -> str | None:
    """Drop what depends on how long the recording took."""
    return None if header is None else re.sub(r"remaining=.*|^\d+$", "", header)


def readable(body: str) -> object:
    try:
        content = json.loads(body)
    except ValueError:
        return body
    if "token" in content:
        content["token"] = content["token"][:7]
    if "serverVersion" in content:
        content["serverVersion"] = "?"
    return content


def test_the_limit_counts_every_request_and_ends_with_its_minute(gateway: Simulator) -> None:
    admin = {"Authorization": f"Bearer {SECRET}"}
    left = []
    for method, path, headers in (
        ("HEAD", "/api/manager/info", {}),
        ("GET", "/api/manager/nothing", admin),
        ("GET", "/api/manager/sessions", {}),
    ):
        answer, _ = ask(gateway, method, path, headers)
        left.append(answer.headers["RateLimit"])
    use_up(gateway)
    refused, _ = ask(gateway, "GET", "/api/manager/info", {})
    gateway.advance(60)
    again, _ = ask(gateway, "GET", "/api/manager/info", {})

    assert left == [f"limit=60, remaining={count}, reset=60" for count in (59, 58, 57)]
    assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
    assert again.status == 200
