"""Names are looked up within the caller's budget."""

from __future__ import annotations

import socket
import threading

import pytest

from core.transport.resolver import Resolver
from tests.support.waiting import until


def test_an_address_needs_no_look_up() -> None:
    resolver = Resolver(look_up=lambda _host, _port: pytest.fail("was asked"))

    assert resolver.resolve("192.0.2.1", 80, 1.0) == ["192.0.2.1"]
    assert resolver.resolve("::1", 80, 1.0) == ["::1"]


def test_a_name_is_looked_up() -> None:
    assert "127.0.0.1" in Resolver().resolve("localhost", 80, 5.0)


def test_a_look_up_that_hangs_holds_one_thread_however_many_wait() -> None:
    asked, goes_on = [], threading.Event()

    def hang(host: str, _port: int) -> list[str]:
        asked.append(host)
        goes_on.wait(60)
        return ["192.0.2.1"]

    resolver = Resolver(look_up=hang)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            resolver.resolve("gateway", 80, 0.02)
    goes_on.set()

    assert resolver.resolve("gateway", 80, 5.0) == ["192.0.2.1"]
    assert asked[:1] == ["gateway"]
    assert len(asked) <= 2
    until(lambda: "look-up" not in [thread.name for thread in threading.enumerate()])


@pytest.mark.parametrize(
    "failure", [socket.gaierror(socket.EAI_NONAME, "unknown"), UnicodeError("label too long")]
)
def test_a_failed_look_up_is_an_os_error_and_is_asked_again_next_time(failure: Exception) -> None:
    asked = []

    def fail(host: str, _port: int) -> list[str]:
        asked.append(host)
        raise failure

    resolver = Resolver(look_up=fail)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            resolver.resolve("gateway", 80, 5.0)

    assert asked == ["gateway", "gateway"]
