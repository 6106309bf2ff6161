"""Where a prober begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.models import HistoryEntry, Problem, Reason, ServerSnapshot, SessionSnapshot, Verdict
from core.monitor.recovery import (
    catch_up,
    first_server_snapshot,
    first_snapshot,
    mark_stale,
    pause_or_resume,
    resume_server,
)
from core.settings.values import ServerSettings, Settings

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def published(verdict: Verdict, **fields: Any) -> SessionSnapshot:
    known = {"server": "main", "session": "sales", "enabled": True, "since": T0, "observed_at": T0}
    return SessionSnapshot(**(known | fields), verdict=verdict)


def written(to: str, seconds: float, reason: str = "none") -> HistoryEntry:
    data: dict[str, Any] = {"from": "unknown", "to": to, "reason": reason}
    return HistoryEntry(at=T0 + timedelta(seconds=seconds), kind="transition", data=data)


def test_without_a_history_the_snapshot_holds() -> None:
    before = published(Verdict.CONNECTED)

    assert catch_up(before, None) is before


def test_a_transition_that_the_snapshot_knows_changes_nothing() -> None:
    before = published(Verdict.CONNECTED)

    assert catch_up(before, written("disconnected", 0)) is before


def test_a_newer_transition_wins_with_its_reason() -> None:
    before = published(Verdict.CONNECTED, ever_connected=True)

    after = catch_up(before, written("disconnected", 3, "closed_on_gateway"))

    assert (after.verdict, after.reason) == (Verdict.DISCONNECTED, Reason.CLOSED_ON_GATEWAY)
    assert (after.lost_at, after.lost_reason) == (T0 + timedelta(seconds=3), Reason.CLOSED_ON_GATEWAY)


def test_without_a_snapshot_the_history_tells_what_was() -> None:
    after = catch_up(first_snapshot("main", "sales", T0), written("connected", -600))

    assert (after.verdict, after.since) == (Verdict.CONNECTED, T0 - timedelta(seconds=600))


@pytest.mark.parametrize("word", ["a word of a later release", "", "None"])
def test_a_word_of_a_later_release_is_left_alone(word: str) -> None:
    before = published(Verdict.CONNECTED)

    assert catch_up(before, written(word, 3)) is before


def test_an_unknown_reason_is_none() -> None:
    after = catch_up(published(Verdict.CONNECTED), written("disconnected", 3, "a later reason"))

    assert after.reason == Reason.NONE


def test_a_session_that_is_paused_is_no_longer_in_an_outage() -> None:
    before = published(Verdict.DISCONNECTED, lost_at=T0)

    after = pause_or_resume(before, enabled=False, now=T0 + timedelta(seconds=9))

    assert (after.verdict, after.enabled, after.lost_at) == (Verdict.PAUSED, False, None)


def test_a_session_that_stays_paused_keeps_its_since() -> None:
    before = published(Verdict.PAUSED, enabled=False)

    assert pause_or_resume(before, enabled=False, now=T0 + timedelta(seconds=9)).since == T0


def test_a_session_that_is_resumed_is_unknown_until_it_is_probed() -> None:
    after = pause_or_resume(published(Verdict.PAUSED, enabled=False), enabled=True, now=T0)

    assert (after.verdict, after.enabled) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(("enabled", "verdict"), [(True, Verdict.UNKNOWN), (False, Verdict.PAUSED)])
def test_a_session_that_nobody_has_looked_at_is_unknown_or_paused(enabled: bool, verdict: Verdict) -> None:
    first = first_snapshot("main", "sales", T0, enabled=enabled)

    assert (first.verdict, first.since, first.observed_at) == (verdict, T0, None)


def test_a_resumed_session_is_not_lost_because_nobody_has_looked_yet() -> None:
    paused = published(Verdict.PAUSED, ever_connected=True)

    resumed = pause_or_resume(paused, enabled=True, now=T0)

    assert (resumed.verdict, resumed.lost_at) == (Verdict.UNKNOWN, None)


def test_what_nobody_has_looked_at_for_long_is_unknown_and_not_lost() -> None:
    connected = published(Verdict.CONNECTED, ever_connected=True, observed_at=T0)
    now = T0 + timedelta(minutes=10)

    doubted = mark_stale(connected, now=now, stale_after=timedelta(seconds=35))

    assert (doubted.verdict, doubted.reason, doubted.since) == (Verdict.UNKNOWN, Reason.STALE, now)
    assert doubted.lost_at is None


def test_an_outage_goes_on_while_nobody_looks() -> None:
    lost = published(Verdict.DISCONNECTED, observed_at=T0, lost_at=T0, lost_reason=Reason.CLOSED_ON_GATEWAY)

    doubted = mark_stale(lost, now=T0 + timedelta(minutes=10), stale_after=timedelta(seconds=35))

    assert (doubted.lost_at, doubted.lost_reason) == (T0, Reason.CLOSED_ON_GATEWAY)


@pytest.mark.parametrize(
    "session",
    [
        pytest.param({"verdict": Verdict.PAUSED, "observed_at": T0}, id="paused"),
        pytest.param({"verdict": Verdict.UNKNOWN, "observed_at": T0}, id="unknown"),
        pytest.param({"verdict": Verdict.CONNECTED, "observed_at": None}, id="never looked at"),
        pytest.param({"verdict": Verdict.CONNECTED, "observed_at": T0 + timedelta(minutes=9)}, id="fresh"),
    ],
)
def test_other_sessions_are_left_as_they_are(session: dict[str, Any]) -> None:
    before = published(**session)

    assert mark_stale(before, now=T0 + timedelta(minutes=9), stale_after=timedelta(seconds=35)) is before


def gateway(published_at: datetime, **fields: Any) -> ServerSnapshot:
    server = ServerSettings(name="main", url="http://127.0.0.1:21465")
    first = first_server_snapshot(server, Settings(revision=0), holder="prober[1]", now=published_at)
    return first.model_copy(update=fields)


def test_a_gateway_that_was_down_is_down_until_it_answers() -> None:
    problem = Problem(kind="ConnectError", message="nobody listens there", at=T0)
    before = gateway(T0, up=False, problem=problem)

    after = resume_server(gateway(T0 + timedelta(minutes=10)), before)

    assert (after.up, after.problem) == (False, problem)


@pytest.mark.parametrize(
    ("up", "minutes"),
    [
        pytest.param(True, 1, id="it was up"),
        pytest.param(None, 1, id="it was never asked"),
        pytest.param(False, 61, id="too long ago"),
        pytest.param(False, -1, id="the clock was set back"),
    ],
)
def test_otherwise_a_gateway_is_not_known_before_it_answers(up: bool | None, minutes: int) -> None:
    after = resume_server(gateway(T0 + timedelta(minutes=minutes)), gateway(T0, up=up))

    assert after.up is None
