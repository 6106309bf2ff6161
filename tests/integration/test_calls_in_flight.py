"""How many calls a gateway gets at a time, from the schedule and from people together."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from core.exceptions import TransportError
from core.models import Verdict
from core.transport.call_limiter import IN_FLIGHT
from simulator import Simulator
from tests.support.live_core import SECRET, SERVER, SESSION, LiveCore, live_core
from tests.support.waiting import until

FROZEN = ("a", "b", "c", "d")


def ask_frozen_page(live: LiveCore, name: str) -> None:
    """Ask as somebody who acts on a session would; the page does not answer, or no time is left to ask it."""
    server = live.core.settings.current().server(SERVER)
    assert server is not None
    with contextlib.closing(live.core.client(server)) as client, contextlib.suppress(TransportError):
        client.check_connection(name, timeout_seconds=1.0)


def ask_a_healthy_one(live: LiveCore) -> None:
    server = live.core.settings.current().server(SERVER)
    assert server is not None
    with contextlib.closing(live.core.client(server)) as client:
        client.read_status(SESSION)


def test_four_in_all_and_others_are_answered(tmp_path: Path) -> None:
    with Simulator(secret_key=SECRET, sessions=[SESSION, *FROZEN]) as gateway:
        for name in (SESSION, *FROZEN):
            gateway.pair(name)
        with live_core(gateway, tmp_path, sessions=",".join([SESSION, *FROZEN])) as live:
            live.await_verdict(Verdict.CONNECTED)
            for name in FROZEN:
                gateway.freeze(name)
            until(lambda: gateway.requests()["in_flight"] >= 3, what="probes that wait for frozen pages")

            people = [threading.Thread(target=ask_frozen_page, args=(live, name)) for name in FROZEN]
            for one in people:
                one.start()
            ask_a_healthy_one(live)
            for one in people:
                one.join()

            assert gateway.requests()["max_in_flight"] == IN_FLIGHT
            assert live.session().verdict == Verdict.CONNECTED
