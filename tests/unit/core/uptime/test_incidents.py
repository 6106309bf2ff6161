"""Incidents: which outages are one, what was done meanwhile, and their figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.models import HistoryEntry, Reason, SessionSnapshot, Snapshot, Verdict
from core.store import History
from core.uptime.incidents import ResponseLog, incidents, totals
from core.uptime.records import outages_between
from core.uptime.timeline import Span
from core.uptime.uptime import Outage
from core.uptime.verdict_log import write_transition
from tests.support.snapshots import server_snapshot

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """A moment so many minutes before now."""
    return NOW - timedelta(minutes=minutes)


def outage(
    since: float, until: float | None, reason: Reason = Reason.CLOSED_ON_GATEWAY, **fields: Any
) -> Outage:
    end = None if until is None else at(until)
    return Outage(at(since), end, reason, **({"recovered": until is not None} | fields))


def response(minutes: float, kind: str = "alert", *, session: str = "a", **data: str) -> HistoryEntry:
    data = data or {"event": "acknowledged"}
    return HistoryEntry(at=at(minutes), kind=kind, server="main", session=session, actor="ana", data={**data})


DOWN = Reason.GATEWAY_UNREACHABLE
RESTARTED = Reason.GATEWAY_RESTARTED


@pytest.mark.parametrize(
    ("found", "groups"),
    [
        pytest.param({"a": [outage(9, 5)], "b": [outage(9, 5)]}, [["a"], ["b"]], id="each lost by itself"),
        pytest.param(
            {"a": [outage(9, 5, DOWN)], "b": [outage(8.5, 3, DOWN)], "c": [outage(9, 5)]},
            [["a", "b"], ["c"]],
            id="lost with their gateway",
        ),
        pytest.param(
            {"a": [outage(9, 5, DOWN)], "b": [outage(9, 5, RESTARTED)]},
            [["a", "b"]],
            id="down, and restarted meanwhile",
        ),
        pytest.param(
            {"a": [outage(9, 5, DOWN)], "b": [outage(7.9, 5, DOWN)]},
            [["a"], ["b"]],
            id="more than a minute apart",
        ),
        pytest.param(
            {"a": [outage(9, 8.8, DOWN), outage(8.6, 5, DOWN)], "b": [outage(9, 5, DOWN)]},
            [["a", "b"], ["a"]],
            id="the same session twice in a minute",
        ),
    ],
)
def test_sessions_that_are_lost_together_with_their_gateway_are_one_incident(
    found: dict[str, list[Outage]], groups: list[list[str]]
) -> None:
    made = incidents({("main", session): outages for session, outages in found.items()}, [])

    assert sorted(list(one.sessions) for one in made) == sorted(groups)


def test_the_acknowledgement_of_a_gateway_counts_for_each_of_its_incidents() -> None:
    lost = {("main", "a"): [outage(9, None, DOWN)], ("main", "b"): [outage(9, None, DOWN), outage(90, 80)]}
    acknowledged = response(8).model_copy(update={"session": None})

    together, earlier = incidents(lost, [acknowledged])

    assert together.acknowledgement == acknowledged
    assert list(together.responses) == [acknowledged]
    assert earlier.responses == ()


def test_gateways_are_never_mixed() -> None:
    made = incidents({("main", "a"): [outage(9, 5, DOWN)], ("other", "a"): [outage(9, 5, DOWN)]}, [])

    assert sorted(one.server for one in made) == ["main", "other"]


def test_open_ones_come_first_and_then_the_newest() -> None:
    made = incidents({("main", "a"): [outage(90, 80), outage(9, 5)], ("main", "b"): [outage(60, None)]}, [])

    assert [one.since for one in made] == [at(60), at(9), at(90)]


def test_an_incident_lasts_from_the_first_loss_to_the_last_recovery() -> None:
    (one,) = incidents({("main", "a"): [outage(9, 5, DOWN)], ("main", "b"): [outage(8.5, 3, RESTARTED)]}, [])

    assert (one.since, one.until, one.reason) == (at(9), at(3), DOWN)
    assert one.seconds(NOW) == 360
    assert one.has_recovered


def test_it_is_open_while_one_of_its_sessions_is_down() -> None:
    (one,) = incidents({("main", "a"): [outage(9, 5, DOWN)], ("main", "b"): [outage(9, None, DOWN)]}, [])

    assert one.until is None
    assert one.open_sessions == ("b",)
    assert one.seconds(NOW) == 540
    assert not one.has_recovered


def test_what_happened_to_the_code_is_read_from_the_verdicts() -> None:
    spans = (
        Span(at(9), at(8), Verdict.DISCONNECTED),
        Span(at(8), at(7), Verdict.WAITING_FOR_QR),
        Span(at(7), at(6), Verdict.LINKING),
        Span(at(6), at(5), Verdict.WAITING_FOR_QR),
    )
    (one,) = incidents({("main", "a"): [outage(9, 5, spans=spans)]}, [])

    assert (one.code_shown_at, one.code_used_at) == (at(8), at(7))


@pytest.mark.parametrize(
    ("entry", "belongs"),
    [
        (response(7), True),
        (response(4.5, "operation", operation="pair"), True),
        (response(7, "handoff", event="made"), True),
        (response(9.1), False),
        (response(3.9), False),
        (response(7, session="b"), False),
        (response(7, "settings"), False),
        (response(7, "transition"), False),
    ],
)
def test_responses_are_those_to_its_sessions_while_it_lasted_and_shortly_after(
    entry: HistoryEntry, belongs: bool
) -> None:
    (one,) = incidents({("main", "a"): [outage(9, 5)]}, [entry])

    assert one.responses == ((entry,) if belongs else ())


def test_the_figures_of_several() -> None:
    made = incidents(
        {("main", "a"): [outage(20, 10), outage(9, 5), outage(3, None)]},
        [response(18), response(8), response(7), response(4.5)],
    )

    found = totals(made, NOW)

    assert (found.count, found.seconds) == (3, 60 * (10 + 4 + 3))
    assert found.mean_acknowledge_seconds == 60 * 1.5
    assert found.mean_recovery_seconds == 60 * 7


def test_nothing_has_no_mean() -> None:
    found = totals([], NOW)

    assert (found.count, found.mean_acknowledge_seconds, found.mean_recovery_seconds) == (0, None, None)


def test_the_log_of_responses_grows_and_forgets(tmp_path: Path) -> None:
    history = History(tmp_path, clock=lambda: NOW)
    log = ResponseLog(history)
    history.append(response(9), response(8, "operation"), response(7, "settings"))
    first = [one.at for one in log.read(at(10))]
    history.append(response(3))

    assert first == [at(9), at(8)]
    assert [one.at for one in log.read(at(8.5))] == [at(8), at(3)]


def session(name: str, verdict: str, since: float) -> SessionSnapshot:
    return SessionSnapshot(
        server="main", session=name, enabled=True, verdict=Verdict(verdict), since=at(since)
    )


def lose(history: History, name: str, *, since: float, until: float) -> None:
    was, lost = session(name, "connected", since + 5), session(name, "disconnected", since)
    history.append(write_transition(was, lost), write_transition(lost, session(name, "connected", until)))


class TestMonth:
    def read(self, history: History, since: float, until: float) -> dict[str, list[Outage]]:
        server = server_snapshot(session("a", "connected", 5), at=NOW)
        snapshot = Snapshot(taken_at=NOW, settings_revision=0, servers=(server,))
        found = outages_between(history.read(), snapshot, at(since), at(until))
        return {session: outages for (_, session), outages in found.items()}

    def test_outages_belong_to_the_period_in_which_they_began(self, tmp_path: Path) -> None:
        history = History(tmp_path, clock=lambda: NOW)
        lose(history, "a", since=30, until=20)
        lose(history, "a", since=9, until=5)

        found = self.read(history, 60, 10)

        assert [(one.since, one.until) for one in found["a"]] == [(at(30), at(20))]

    def test_a_session_that_was_removed_keeps_its_outages(self, tmp_path: Path) -> None:
        history = History(tmp_path, clock=lambda: NOW)
        lose(history, "gone", since=30, until=20)

        found = self.read(history, 60, 10)

        assert [(one.since, one.until, one.recovered) for one in found["gone"]] == [(at(30), at(20), True)]

    def test_a_session_that_was_removed_while_lost_lasts_no_longer(self, tmp_path: Path) -> None:
        history = History(tmp_path, clock=lambda: NOW)
        was, lost = session("gone", "connected", 35), session("gone", "disconnected", 30)
        history.append(write_transition(was, lost))

        (one,) = self.read(history, 60, 10)["gone"]

        assert one.until is not None
        assert one.seconds(NOW) < 1
        assert not one.recovered
