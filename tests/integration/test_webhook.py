"""The gateway's own webhooks, taken by a real exporter: how soon a metric follows, and what does no harm."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from simulator import Simulator, Times
from tests.plugins.leaks import keep_secret
from tests.support.live_core import FAST, SESSION
from tests.support.stack import SECRET, Stack, free_port, stack
from tests.support.waiting import until

TOKEN = "a-token-of-the-webhook-4f1d"


@contextmanager
def watched_rarely(
    directory: Path, *, page_probes: bool = False, has_webhook: bool = True, times: Times = FAST
) -> Iterator[Stack]:
    """A connected session that is probed every five minutes: what shows sooner, shows by an event."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/webhook/{TOKEN}" if has_webhook else None
    keep_secret("webhook token", [TOKEN])
    changes = {"EXPORTER_WEBHOOK_TOKEN": TOKEN, "WPPCONNECT_SESSIONS": SESSION}
    with (
        Simulator(secret_key=SECRET, times=times, paired=[SESSION], webhook_url=url) as gateway,
        stack(gateway, directory, WPPCONNECT_INTERVAL_SECONDS="300", **changes) as product,
    ):
        gateway.pair(SESSION)
        if page_probes:
            product.start_page()
            until(lambda: gateway.requests()["counts"], what="the page's first probe")
        product.start_exporter(port=port)
        until(lambda: product.connected(SESSION) == "1", what="connected")
        yield product


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Stack]:
    with watched_rarely(tmp_path) as running:
        yield running


def await_loss(product: Stack) -> None:
    """Wait until the metric turns 0: long before the next probe that no event asks for."""
    until(lambda: product.connected(SESSION) == "0", what="session_connected 0")


def post(product: Stack, body: bytes, token: str = TOKEN) -> int:
    """Send an event as the gateway does."""
    url = f"{product.exporter_url}/webhook/{token}"
    return requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=60).status_code


def dropped(product: Stack, reason: str) -> str | None:
    """One counter of what led to no probe."""
    return product.metric(f'wppconnect_exporter_events_dropped_total{{reason="{reason}"}}')


def test_removal_on_the_phone_shows_by_its_event(product: Stack) -> None:
    product.simulator.unlink(SESSION)

    await_loss(product)

    received = 'wppconnect_exporter_events_received_total{kind="status-find"}'
    assert int(product.metric(received) or 0) >= 1


def test_dead_browser_shows_by_its_event(product: Stack) -> None:
    product.simulator.kill_browser(SESSION)

    await_loss(product)


def test_event_reaches_the_page_where_that_holds_the_lease(tmp_path: Path) -> None:
    with watched_rarely(tmp_path, page_probes=True) as product:
        product.simulator.unlink(SESSION)

        await_loss(product)


def test_session_that_lies_after_the_event_is_asked_again(tmp_path: Path) -> None:
    lying = replace(FAST, unlink=1.5)
    with watched_rarely(tmp_path, times=lying, has_webhook=False) as product:
        gateway = product.simulator
        gateway.unlink(SESSION)
        event = {"event": "status-find", "status": "disconnectedMobile", "session": SESSION}
        assert post(product, json.dumps(event).encode()) == 204
        assert gateway.state(SESSION)["status"] == "CONNECTED"

        until(lambda: gateway.state(SESSION)["status"] == "CLOSED", what="the end of the lie")
        until(lambda: product.connected(SESSION) == "0", what="session_connected 0")


def test_messages_of_the_gateway_ask_for_nothing(product: Stack) -> None:
    received = 'wppconnect_exporter_events_received_total{kind="other"}'
    product.simulator.reset_requests()

    product.simulator.message(SESSION)

    until(lambda: product.metric(received) not in (None, "0"), what="the message")
    rows = product.simulator.requests()["counts"]
    assert not [row for row in rows if row["route"].endswith("status-session")]


def test_events_without_session_are_harmless(product: Stack) -> None:
    assert post(product, b'{"event":"status-find","status":"inChat"}') == 204
    assert dropped(product, "without_session") == "1"


def test_forged_token_is_404(product: Stack) -> None:
    assert [post(product, b"{}", token) for token in (TOKEN[:-1], "x", TOKEN + "x")] == [404, 404, 404]
    assert dropped(product, "wrong_token") == "3"


@pytest.mark.parametrize("token", [TOKEN, "a-forged-one"])
def test_fifty_megabytes_are_neither_read_nor_kept(product: Stack, token: str) -> None:
    memory = "process_resident_memory_bytes"
    before = float(product.metric(memory) or 0)
    address = ("127.0.0.1", int(product.exporter_url.rpartition(":")[2]))
    head = f"POST /webhook/{token} HTTP/1.1\r\nHost: a\r\nContent-Length: 52428800\r\n\r\n"

    for _ in range(10):
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(head.encode() + b'{"event":"onmessage","body":"')
            send_all(connection, 52_428_800)

    assert product.connected(SESSION) == "1"
    until(lambda: float(product.metric(memory) or 0) - before < 20_000_000, what="little memory")


def send_all(connection: socket.socket, size: int) -> None:
    """Send until the other side has enough."""
    part = b"x" * 1_048_576
    try:
        for _ in range(size // len(part)):
            connection.sendall(part)
    except OSError:
        return


def test_flood_neither_floods_the_gateway_nor_holds_up_a_scrape(product: Stack) -> None:
    event = json.dumps({"event": "status-find", "status": "inChat", "session": SESSION}).encode()
    product.simulator.reset_requests()
    url = f"{product.exporter_url}/webhook/{TOKEN}"

    with requests.Session() as session:
        session.trust_env = False
        began = time.monotonic()
        statuses = {session.post(url, data=event, timeout=60).status_code for _ in range(1000)}
    assert product.connected(SESSION) == "1"

    rows = product.simulator.requests()["counts"]
    took = time.monotonic() - began
    probes = sum(row["count"] for row in rows if row["route"].endswith("status-session"))
    print(f"1000 events in {took:.1f} s led to {probes} probes")
    assert statuses == {204}
    assert probes <= took / 0.4 + 3
