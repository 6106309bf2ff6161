"""Sessions that were connected before a gateway's container was replaced are waited for, and helped."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from core.models import Reason, SessionSnapshot, Snapshot, Verdict
from core.monitor.monitor import Monitor
from core.sync.progress import StepEvent
from core.sync.sessions import GatewaySessions, SessionTimeouts
from tests.support.snapshots import server_snapshot

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BEFORE, SINCE, AFTER = NOW - timedelta(minutes=1), NOW, NOW + timedelta(seconds=1)


def seen(name: str, verdict: Verdict, probed: datetime = AFTER, **more: Any) -> SessionSnapshot:
    """One session as the monitor sees it."""
    return SessionSnapshot(
        server="main",
        session=name,
        enabled=True,
        verdict=verdict,
        since=BEFORE,
        probe_started_at=probed,
        observed_at=probed,
        **more,
    )


class ScriptedMonitor:
    """Shows one list of sessions after the other, the last one for ever; its clock ticks with each look."""

    def __init__(self, *looks: list[SessionSnapshot]) -> None:
        self.looks = list(looks)
        self.seconds = 0.0
        self.started: list[str] = []

    def snapshot(self) -> Snapshot:
        server = server_snapshot(*self.looks[0], at=NOW)
        return Snapshot(taken_at=NOW, settings_revision=1, servers=(server,))

    def watch(self, server: str, session: str) -> None:
        self.seconds += 1.0

    def monotonic(self) -> float:
        if len(self.looks) > 1 and self.seconds:
            self.looks.pop(0)
        return self.seconds

    def start(self, server: str, session: str) -> None:
        self.started.append(session)


class NoWait(threading.Event):
    """An event that nobody waits for."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def sessions_of(monitor: ScriptedMonitor, **timeouts: float) -> GatewaySessions:
    """The part under test."""
    return GatewaySessions(
        cast(Monitor, monitor),
        monitor.start,
        timeouts=SessionTimeouts(**timeouts),
        now=lambda: NOW,
        monotonic=monitor.monotonic,
    )


def lost(monitor: ScriptedMonitor, names: list[str], **timeouts: float) -> tuple[list[str], dict[str, str]]:
    """Wait; returns who is lost, and the last word on each session."""
    events: list[StepEvent] = []
    found = sessions_of(monitor, **timeouts).lost(
        "main", names, since=SINCE, report=events.append, stop=NoWait()
    )
    return list(found), {one.subject: f"{one.state} {one.note or ''}".strip() for one in events}


@pytest.mark.parametrize(
    ("session", "counts"),
    [
        (seen("a", Verdict.CONNECTED), True),
        (seen("a", Verdict.DISCONNECTED), False),
        (
            seen("a", Verdict.UNREACHABLE, lost_at=BEFORE, lost_reason=Reason.GATEWAY_UNREACHABLE),
            True,
        ),
        (seen("a", Verdict.UNAUTHORIZED, lost_at=BEFORE, lost_reason=Reason.TOKEN_REJECTED), True),
        (seen("a", Verdict.DISCONNECTED, lost_at=BEFORE, lost_reason=Reason.CLOSED_ON_GATEWAY), False),
        (
            seen(
                "a",
                Verdict.UNREACHABLE,
                lost_at=NOW - timedelta(hours=1),
                lost_reason=Reason.GATEWAY_UNREACHABLE,
            ),
            False,
        ),
    ],
    ids=["connected", "not", "gone with the gateway", "refused by its new key", "unlinked", "long ago"],
)
def test_who_was_connected_before(session: SessionSnapshot, counts: bool) -> None:
    assert sessions_of(ScriptedMonitor([session])).connected("main", NoWait()) == (("a",) if counts else ())


def test_monitor_is_given_time_for_its_first_look() -> None:
    blind = seen("a", Verdict.UNKNOWN).model_copy(update={"observed_at": None})
    monitor = ScriptedMonitor([blind], [seen("a", Verdict.CONNECTED)])
    monitor.seconds = 1.0

    assert sessions_of(monitor).connected("main", NoWait()) == ("a",)


def test_session_counts_only_when_it_was_seen_since_then() -> None:
    monitor = ScriptedMonitor(
        [seen("a", Verdict.CONNECTED, BEFORE)],
        [seen("a", Verdict.STARTING)],
        [seen("a", Verdict.CONNECTED)],
    )

    assert lost(monitor, ["a"]) == ([], {"main/a": "done"})
    assert len(monitor.looks) == 1


def test_session_that_does_not_come_back_is_named_when_time_is_over() -> None:
    monitor = ScriptedMonitor([seen("a", Verdict.CONNECTED), seen("b", Verdict.STARTING)])

    names, words = lost(monitor, ["a", "b"], whole=30.0)

    assert names == ["b"]
    assert words == {"main/a": "done", "main/b": "failed It did not reconnect in time."}


def test_session_that_asks_for_a_phone_is_not_waited_for() -> None:
    monitor = ScriptedMonitor([seen("a", Verdict.WAITING_FOR_QR)])

    names, words = lost(monitor, ["a"])

    assert names == ["a"]
    assert words["main/a"] == "failed It needs a phone: pair it again."
    assert monitor.seconds < 5


def test_closed_sessions_are_started_one_after_the_other() -> None:
    closed = [seen("a", Verdict.DISCONNECTED), seen("b", Verdict.DISCONNECTED)]
    monitor = ScriptedMonitor(closed)

    lost(monitor, ["a", "b"], whole=60.0, before_start=20.0, between_starts=1000.0)
    one_at_a_time = list(monitor.started)
    lost(monitor, ["a", "b"], whole=200.0, before_start=20.0, between_starts=60.0)

    assert one_at_a_time == ["a"]
    assert monitor.started[1:] == ["a", "b"]


def test_session_that_the_gateway_starts_itself_is_left_to_it() -> None:
    monitor = ScriptedMonitor(*[[seen("a", Verdict.DISCONNECTED)]] * 5, [seen("a", Verdict.STARTING)])

    lost(monitor, ["a"], whole=60.0, before_start=20.0)

    assert monitor.started == []


def test_session_that_came_back_by_itself_is_not_started_while_another_is_waited_for() -> None:
    both_closed = [seen("a", Verdict.DISCONNECTED), seen("b", Verdict.STARTING)]
    one_back = [seen("a", Verdict.CONNECTED), seen("b", Verdict.STARTING)]
    monitor = ScriptedMonitor(*[both_closed] * 4, one_back)

    found, _ = lost(monitor, ["a", "b"], whole=60.0, before_start=20.0)

    assert found == ["b"]
    assert monitor.started == []


def test_stop_ends_the_wait() -> None:
    stop = NoWait()
    stop.set()

    assert sessions_of(ScriptedMonitor([])).lost(
        "main", ["a"], since=SINCE, report=lambda _: None, stop=stop
    ) == ("a",)
