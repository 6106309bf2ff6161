"""Which connections are used, when a request is repeated, and that none leaks."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
from pathlib import Path

import pytest
from gateway_calls import MakeTransport, get, post

from core.exceptions import ConnectError, RequestTimeoutError, TransportError, WppconnectError
from tests.loopback import (
    SLOW,
    Loopback,
    Peer,
    Script,
    answering,
    closing,
    cut_headers,
    cut_short,
    http_answer,
    huge,
    resetting,
    silent,
)
from tests.support.waiting import until

BUDGET_SECONDS = 0.3
SLACK_SECONDS = 60
CUT = {"closed": closing, "reset": resetting, "cut headers": cut_headers, "cut short": cut_short}


def test_a_connection_is_kept(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        transport = make_transport(server.url)
        for _ in range(5):
            get(transport)
    assert server.connections == 1


def test_a_connection_that_the_gateway_closed_meanwhile_is_replaced(make_transport: MakeTransport) -> None:
    def once(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_answer())

    with Loopback(once) as server:
        transport = make_transport(server.url)
        get(transport)
        until(lambda: transport._adapter._pool.pool.queue[-1].is_connected is False)
        post(transport)
    assert server.connections == 2


def test_a_connection_idle_for_nearly_five_seconds_is_not_used_again(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        transport = make_transport(server.url)
        get(transport)
        transport._adapter._pool.pool.queue[-1].idle_since -= 4.6
        post(transport)
    assert server.connections == 2


@pytest.mark.parametrize("script", CUT.values(), ids=CUT.keys())
def test_a_get_is_repeated_once(make_transport: MakeTransport, script: Script) -> None:
    with Loopback(script, answering(http_answer())) as server:
        assert get(make_transport(server.url)).status_code == 200
    assert server.connections == 2


@pytest.mark.parametrize(
    ("script", "message_id"),
    [
        pytest.param(closing, "transport.closed_at_once", id="closed"),
        pytest.param(resetting, "transport.closed_at_once", id="reset"),
        pytest.param(cut_headers, "transport.closed_midway", id="cut headers"),
        pytest.param(cut_short, "transport.closed_midway", id="cut short"),
    ],
)
def test_a_get_is_repeated_no_second_time(
    make_transport: MakeTransport, script: Script, message_id: str
) -> None:
    with Loopback(script) as server, pytest.raises(ConnectError) as caught:
        get(make_transport(server.url))
    assert caught.value.explanation.id == message_id
    assert server.connections == 2


@pytest.mark.parametrize("script", CUT.values(), ids=CUT.keys())
def test_a_post_is_never_repeated(make_transport: MakeTransport, script: Script) -> None:
    with Loopback(script, answering(http_answer())) as server, pytest.raises(ConnectError):
        post(make_transport(server.url))
    assert server.connections == 1


def test_a_get_is_refused_when_nobody_listens(make_transport: MakeTransport, closed_port: str) -> None:
    with pytest.raises(ConnectError, match="ConnectionRefusedError") as caught:
        get(make_transport(closed_port))
    assert caught.value.explanation.id == "transport.refused"


def test_a_repetition_stays_inside_the_budget(make_transport: MakeTransport) -> None:
    with Loopback(closing, silent) as server:
        began = time.monotonic()
        with pytest.raises(RequestTimeoutError):
            get(make_transport(server.url), BUDGET_SECONDS)
    assert time.monotonic() - began < BUDGET_SECONDS + SLACK_SECONDS


def test_no_connection_leaks_whatever_happens(make_transport: MakeTransport) -> None:
    scripts = [*SLOW.values(), closing, resetting, cut_short, huge, answering(http_answer())]
    gc.collect()
    before = len(list(Path("/proc/self/fd").iterdir()))

    for script in scripts:
        with Loopback(script) as server:
            transport = make_transport(server.url)
            with contextlib.suppress(WppconnectError):
                post(transport, 0.1)
            transport.close()
        server._open.clear()
        server._threads.clear()

    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


def test_closing_ends_the_calls_under_way_and_refuses_later_ones(make_transport: MakeTransport) -> None:
    with Loopback(silent) as server:
        transport = make_transport(server.url)
        errors: list[WppconnectError] = []

        def call() -> None:
            try:
                get(transport, 30.0)
            except WppconnectError as error:
                errors.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        until(lambda: server.requests)

        transport.close()
        thread.join(60)

        assert not thread.is_alive()
        assert type(errors[0]) is TransportError
        with pytest.raises(TransportError) as caught:
            get(transport)
        assert caught.value.explanation.id == "transport.closed_here"


@pytest.fixture
def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
