"""Whatever a gateway does with its bytes, a call ends with its time budget."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from gateway_calls import MakeTransport, get, post

from core.exceptions import ConnectError, RequestTimeoutError, TransportError
from core.transport import Answer, Transport
from tests.loopback import SLOW, Loopback, Peer, Script, answering, http_answer, silent
from tests.support.waiting import until

BUDGET_SECONDS = 0.3
SLACK_SECONDS = 60
"""For a busy machine: what is not cut off goes on for longer."""


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW.keys())
@pytest.mark.parametrize("send", [get, post])
def test_whatever_takes_too_long_ends_with_the_budget(
    make_transport: MakeTransport, script: Script, send: Callable[[Transport, float], Answer]
) -> None:
    with Loopback(script) as server:
        transport = make_transport(server.url)

        began = time.monotonic()
        with pytest.raises(RequestTimeoutError):
            send(transport, BUDGET_SECONDS)
        took = time.monotonic() - began

    assert BUDGET_SECONDS <= took < BUDGET_SECONDS + SLACK_SECONDS
    assert server.connections == 1


def test_a_tls_handshake_that_drips_ends_with_the_budget(make_transport: MakeTransport) -> None:
    def dripping_handshake(peer: Peer) -> None:
        peer.sock.recv(1)
        peer.send(b"\x16\x03\x03\x40\x00")
        peer.drip(b"\x00" * 16_000)

    with Loopback(dripping_handshake) as server:
        transport = make_transport(server.url.replace("http:", "https:"))

        began = time.monotonic()
        with pytest.raises(TransportError):
            get(transport, BUDGET_SECONDS)
        took = time.monotonic() - began

    assert took < BUDGET_SECONDS + SLACK_SECONDS


@pytest.fixture
def full_queue() -> Iterator[str]:
    """A listener whose queue is full, so that the handshake is never answered."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_gateway_that_takes_no_connection_ends_with_the_connect_budget(
    make_transport: MakeTransport, full_queue: str
) -> None:
    transport = make_transport(full_queue, connect_timeout_seconds=BUDGET_SECONDS)

    began = time.monotonic()
    with pytest.raises(ConnectError, match="ConnectTimeoutError"):
        get(transport, 3 * SLACK_SECONDS)
    took = time.monotonic() - began

    assert took < BUDGET_SECONDS + SLACK_SECONDS


def test_a_call_without_the_time_to_connect_says_nothing_about_the_gateway(
    make_transport: MakeTransport, full_queue: str
) -> None:
    transport = make_transport(full_queue, connect_timeout_seconds=10 * BUDGET_SECONDS)

    with pytest.raises(RequestTimeoutError) as caught:
        get(transport, BUDGET_SECONDS)

    assert caught.value.explanation.id == "transport.queue_full"


def test_waiting_for_a_place_in_flight_counts(make_transport: MakeTransport) -> None:
    with Loopback(silent) as server:
        transport = make_transport(server.url, max_in_flight=1)
        first = threading.Thread(target=ends_with_transport_error, args=(transport,))
        first.start()
        until(lambda: server.requests)

        began = time.monotonic()
        with pytest.raises(RequestTimeoutError) as caught:
            get(transport, BUDGET_SECONDS)
        took = time.monotonic() - began

        transport.close()
        first.join()
    assert caught.value.explanation.id == "transport.queue_full"
    assert took < BUDGET_SECONDS + SLACK_SECONDS
    assert server.connections == 1


def test_no_more_calls_than_allowed_are_in_flight(make_transport: MakeTransport) -> None:
    here, most, lock = [0], [0], threading.Lock()

    def counting(peer: Peer) -> None:
        while True:
            peer.read_request()
            with lock:
                here[0] += 1
                most[0] = max(most[0], here[0])
                full.set() if here[0] == 2 else None
            full.wait(60)
            with lock:
                here[0] -= 1
            peer.send(http_answer())

    full = threading.Event()
    with Loopback(counting) as server:
        transport = make_transport(server.url, max_in_flight=2)
        threads = [threading.Thread(target=get, args=(transport,)) for _ in range(12)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

    assert len(server.requests) == 12
    assert most[0] == 2
    assert server.connections <= 2


def test_one_thread_watches_all_transports(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        for _ in range(3):
            get(make_transport(server.url))

    assert [thread.name for thread in threading.enumerate()].count("watchdog") == 1


def ends_with_transport_error(transport: Transport) -> None:
    with pytest.raises(TransportError):
        get(transport, 30.0)
