"""Self-healing on a gateway that runs fast: what it restarts, what it leaves alone, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.gateways.wppconnect.contract.waits import WppconnectWaits
from core.models import HistoryEntry, Reason, Verdict
from simulator import Simulator
from tests.support.live_core import FAST, FAST_WAITS, SECRET, SERVER, SESSION, LiveCore, live_core
from tests.support.waiting import until

pytestmark = pytest.mark.both_generations

OTHERS = ("support", "shop")


@pytest.fixture
def gateway() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=FAST, paired=[SESSION, *OTHERS]) as running:
        yield running


@contextmanager
def healing(
    gateway: Simulator, data: Path, *others: str, waits: WppconnectWaits = FAST_WAITS
) -> Iterator[LiveCore]:
    """Watch connected sessions with self-healing switched on."""
    names = (SESSION, *others)
    with live_core(
        gateway, data, sessions=",".join(names), waits=waits, WPPCONNECT_SELF_HEALING="true"
    ) as live:
        for name in names:
            live.await_verdict(Verdict.CONNECTED, name=name)
        yield live


def tries(live: LiveCore) -> list[HistoryEntry]:
    """What self-healing did, oldest first."""
    entries = live.core.history.read(server=SERVER, kinds=["operation"])
    return [entry for entry in entries if entry.actor == "self-healing"]


def await_tries(live: LiveCore, number: int = 1) -> list[HistoryEntry]:
    until(lambda: len(tries(live)) >= number, what=f"{number} tries")
    return tries(live)


def test_crashed_page_is_restarted_and_the_session_comes_back(gateway: Simulator, tmp_path: Path) -> None:
    with healing(gateway, tmp_path) as live:
        gateway.crash(SESSION)

        (entry,) = await_tries(live)
        live.await_verdict(Verdict.CONNECTED)
        server = until(
            lambda: (known := live.core.monitor.snapshot().server(SERVER)) and known.self_healing and known,
            what="the count",
        )

        assert (entry.data["operation"], entry.data["outcome"]) == ("restart", "connected")
        assert server.self_healing == {"connected": 1}
        assert gateway.state(SESSION)["browsers_started"] == 2
        closed = [entry for entry in live.transitions() if entry.data["to"] == "disconnected"]
        assert {entry.data["reason"] for entry in closed} <= {Reason.CLOSED_BY_SELF_HEALING}


def test_one_session_at_a_time_and_none_that_was_unlinked(gateway: Simulator, tmp_path: Path) -> None:
    with healing(gateway, tmp_path, *OTHERS) as live:
        gateway.unlink("shop")
        live.await_verdict(Verdict.DISCONNECTED, name="shop")
        for name in (SESSION, "support"):
            gateway.kill_browser(name)

        done = await_tries(live, 2)

        assert {entry.session for entry in done} == {SESSION, "support"}
        assert [entry.data["outcome"] for entry in done] == ["connected"] * 2
        ends = [entry.at.timestamp() for entry in done]
        lasted = [float(entry.data["seconds"] or 0) for entry in done]
        begins = [end - seconds for end, seconds in zip(ends, lasted, strict=True)]
        assert all(begin >= end for end, begin in zip(ends, begins[1:], strict=False))
        assert gateway.state("shop")["browsers_started"] == 1


def test_pairing_that_is_gone_ends_the_tries(gateway: Simulator, tmp_path: Path) -> None:
    with healing(gateway, tmp_path) as live:
        gateway.crash(SESSION)
        gateway.unlink(SESSION)

        done = await_tries(live)
        until(lambda: (known := live.session().healing) and known.outcome, what="the end of the try")

        assert [entry.data["outcome"] for entry in done] == ["needs_pairing"]
        known = live.session().healing
        assert known is not None
        assert (known.tries, known.outcome) == (1, "needs_pairing")


def test_operator_takes_over_in_the_middle(gateway: Simulator, tmp_path: Path) -> None:
    gateway.set_fault("launch_error", session=SESSION)
    with healing(gateway, tmp_path, waits=replace(FAST_WAITS, start_limit=60.0)) as live:
        gateway.kill_browser(SESSION)
        until(lambda: gateway.state(SESSION)["browsers_started"] == 2, what="the start")

        mine = live.core.operations.restart(SERVER, SESSION, actor="ana")

        assert (mine.actor, mine.by_itself) == ("ana", False)
        assert [entry.data["outcome"] for entry in await_tries(live)] == ["gave_way"]


def test_tries_are_known_to_the_next_process(gateway: Simulator, tmp_path: Path) -> None:
    gateway.set_fault("launch_error", session=SESSION)
    waits = replace(FAST_WAITS, between_tries=600.0, start_limit=1.0, whole_operation=2.0)
    with healing(gateway, tmp_path, waits=waits) as live:
        gateway.kill_browser(SESSION)
        await_tries(live)
        until(lambda: (known := live.session().healing) and known.outcome, what="the end of the try")

    with live_core(
        gateway, tmp_path, waits=waits, program="wppconnect-second", WPPCONNECT_SELF_HEALING="true"
    ) as live:
        known = until(lambda: live.session().healing, what="what was tried")

        assert (known.tries, known.outcome) == (1, "failed")
