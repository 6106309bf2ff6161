"""Uptime, outages and recovery, in the words of the design, and in agreement with what is scraped."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from watched_gateway import SERVER, FailingHistory, FakeClient, ledger_of, server_settings

from core.models import (
    Observation,
    Problem,
    Reason,
    ServerSnapshot,
    SessionSnapshot,
    SessionState,
    Verdict,
)
from core.monitor.state import GatewayState
from core.reasons import Loss
from core.uptime.timeline import Span
from core.uptime.uptime import disconnects, mean_recovery_seconds, outages, uptime, uptimes
from core.uptime.verdict_log import KINDS
from tests.fakes import FakeClock
from tests.support.timelines import timelines

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def spans_of(*lengths: tuple[str | None, float] | tuple[str | None, float, Reason]) -> list[Span]:
    """Spans after one another from noon on: verdict, minutes, and why."""
    spans: list[Span] = []
    for word, minutes, *why in lengths:
        since = spans[-1].until if spans else NOON
        verdict = Verdict(word) if word else None
        spans.append(Span(since, since + timedelta(minutes=minutes), verdict, *why))
    return spans


class TestUptime:
    @pytest.mark.parametrize(
        "verdict",
        [one for one in Verdict if one not in (Verdict.CONNECTED, Verdict.PAUSED)],
    )
    def test_every_verdict_but_connected_and_paused_is_down(self, verdict: Verdict) -> None:
        spans = spans_of(("connected", 30), (verdict, 10))

        assert uptime(spans, at(0), at(40)).share == 0.75

    @pytest.mark.parametrize("verdict", ["paused", None], ids=["paused", "nobody probed"])
    def test_what_is_not_measured_does_not_count(self, verdict: str | None) -> None:
        spans = spans_of(("connected", 30), (verdict, 1000), ("disconnected", 10))

        counted = uptime(spans, at(0), at(1040))

        assert (counted.share, counted.measured_seconds) == (0.75, 40 * 60)

    @pytest.mark.parametrize("seed", range(20))
    def test_windows_one_after_the_other_add_up(self, seed: int) -> None:
        chance = random.Random(seed)
        words = ["connected", "disconnected", "paused", "unknown", None]
        spans = spans_of(*((chance.choice(words), chance.uniform(0.1, 60)) for _ in range(40)))
        cuts = sorted(chance.uniform(-60, 1500) for _ in range(8))
        bounds = [at(minutes) for minutes in cuts]

        found = uptimes(spans, bounds)

        alone = [uptime(spans, since, until) for since, until in pairwise(bounds)]
        whole = uptime(spans, bounds[0], bounds[-1])
        assert [(one.since, one.until) for one in found] == list(pairwise(bounds))
        for one, other in zip(found, alone, strict=True):
            assert one.connected_seconds == pytest.approx(other.connected_seconds)
            assert one.measured_seconds == pytest.approx(other.measured_seconds)
        assert sum(one.measured_seconds for one in found) == pytest.approx(whole.measured_seconds)

    def test_only_the_window_counts(self) -> None:
        spans = spans_of(("disconnected", 100), ("connected", 50), ("disconnected", 100))

        counted = uptime(spans, at(90), at(190))

        assert (counted.connected_seconds, counted.measured_seconds) == (50 * 60, 100 * 60)

    def test_where_nothing_was_measured_there_is_no_number(self) -> None:
        assert uptime(spans_of(("paused", 60)), at(0), at(60)).share is None
        assert uptime([], at(0), at(60)).share is None

    @pytest.mark.parametrize("first", ["unknown", None], ids=["first look", "nobody probed"])
    def test_a_session_counts_from_its_first_connection_on(self, first: str | None) -> None:
        spans = spans_of((first, 1), ("disconnected", 100), ("connected", 30), ("disconnected", 10))

        counted = uptime(spans, at(0), at(141))

        assert (counted.share, counted.measured_seconds) == (0.75, 40 * 60)

    def test_a_session_that_was_never_connected_has_no_uptime(self) -> None:
        spans = spans_of(("unknown", 1), ("disconnected", 100), ("waiting_for_qr", 1))

        assert uptime(spans, at(0), at(102)).share is None

    def test_a_session_that_was_connected_before_the_log_begins_counts_wholly(self) -> None:
        spans = spans_of((None, 10), ("disconnected", 30), ("connected", 10))

        assert uptime(spans, at(0), at(50), connected_before=True).share == 0.25


class TestOutages:
    def test_one_outage_goes_on_until_connected_again(self) -> None:
        spans = spans_of(
            ("connected", 10),
            ("disconnected", 5, Reason.CLOSED_ON_GATEWAY),
            ("starting", 1),
            ("waiting_for_qr", 4),
            ("connected", 10),
        )

        (outage,) = outages(spans)

        assert (outage.since, outage.until, outage.recovered) == (at(10), at(20), True)
        assert outage.reason == Reason.CLOSED_ON_GATEWAY

    def test_a_session_that_was_never_connected_is_not_lost(self) -> None:
        assert outages(spans_of(("disconnected", 10), ("waiting_for_qr", 1), ("connected", 10))) == []

    def test_time_without_a_prober_does_not_end_it(self) -> None:
        spans = spans_of(
            ("connected", 10), ("disconnected", 5), (None, 60), ("disconnected", 5), ("connected", 1)
        )

        assert [(one.since, one.until) for one in outages(spans)] == [(at(10), at(80))]

    @pytest.mark.parametrize("pause", [None, "paused"])
    def test_the_first_look_after_a_pause_is_no_loss(self, pause: str | None) -> None:
        spans = spans_of(("connected", 10), (pause, 60), ("unknown", 0.1), ("connected", 10))

        assert outages(spans) == []

    def test_what_the_first_look_then_finds_is(self) -> None:
        spans = spans_of(("connected", 10), (None, 60), ("unknown", 1), ("disconnected", 5), ("connected", 1))

        assert [one.since for one in outages(spans)] == [at(71)]

    def test_silence_in_the_middle_of_probing_is_a_loss(self) -> None:
        assert len(outages(spans_of(("connected", 10), ("unknown", 2), ("connected", 10)))) == 1

    def test_a_pause_ends_it_without_a_recovery(self) -> None:
        (outage,) = outages(spans_of(("connected", 10), ("disconnected", 5), ("paused", 60)))

        assert (outage.until, outage.recovered) == (at(15), False)

    def test_the_one_that_lasts_has_no_end_yet(self) -> None:
        (outage,) = outages(spans_of(("connected", 10), ("disconnected", 5)))

        assert (outage.until, outage.recovered, outage.seconds(at(40))) == (None, False, 30 * 60)

    def test_the_one_that_is_older_than_the_log_is_known_from_what_holds_now(self) -> None:
        still = SessionSnapshot(
            server=SERVER,
            session="sales",
            enabled=True,
            verdict=Verdict.DISCONNECTED,
            since=at(-9000),
            lost_at=at(-9000),
            lost_reason=Reason.CLOSED_ON_GATEWAY,
        )

        (outage,) = outages(spans_of(("disconnected", 10)), still)

        assert (outage.since, outage.reason) == (at(-9000), Reason.CLOSED_ON_GATEWAY)


def test_disconnects_are_counted_by_who_ended_the_connection() -> None:
    spans = spans_of(
        ("connected", 1),
        ("disconnected", 1, Reason.CLOSED_ON_GATEWAY),
        ("connected", 1),
        ("unreachable", 1, Reason.GATEWAY_UNREACHABLE),
        ("connected", 1),
        ("disconnected", 1, Reason.GATEWAY_RESTARTED),
        ("connected", 1),
    )

    assert disconnects(outages(spans), at(2), at(7)) == Counter({Loss.GATEWAY: 2})


def test_recovery_is_the_mean_of_the_outages_that_ended_in_the_window() -> None:
    spans = spans_of(
        ("connected", 10), ("disconnected", 50), ("connected", 10), ("disconnected", 10), ("connected", 10)
    )
    found = outages([*spans, *spans_of(("connected", 1))][:5])

    assert mean_recovery_seconds(found, at(0), at(90)) == 30 * 60
    assert mean_recovery_seconds(found, at(65), at(90)) == 10 * 60
    assert mean_recovery_seconds(found, at(85), at(90)) is None


class Life:
    """A session's random life before a prober that comes and goes, and what the exporter would have shown."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.clock = FakeClock()
        self.directory = directory
        self.history = FailingHistory(directory / "history")
        self.published: ServerSnapshot | None = None
        self.connected = self.measured = 0
        self.is_up, self.is_enabled, self.runs = True, True, 0
        self.state = self.begin()

    def begin(self) -> GatewayState:
        """A new prober begins where the last one left."""
        self.runs += 1
        server = server_settings("sales", paused=() if self.is_enabled else ("sales",))
        state = ledger_of(
            self.directory,
            server,
            FakeClient("sales"),
            self.clock,
            before=self.published,
            history=self.history,
            holder=f"prober[{self.runs}]",
        )
        state.record_start()
        return state

    def live(self, seconds: int) -> None:
        """Let time pass with the prober at work; each second somebody scrapes."""
        for second in range(seconds):
            self.state.notice_gap()
            if second % 5 == 0 and self.is_enabled:
                now = self.clock()
                seen = self.sight()
                self.state.take_session("sales", Observation(started_at=now, observed_at=now, **seen))
            self.state.judge_age()
            self.state.history.write()
            self.published = self.state.snapshot()
            verdict = self.published.sessions[0].verdict
            self.measured += verdict != Verdict.PAUSED
            self.connected += verdict == Verdict.CONNECTED
            self.clock.advance(1)

    def sight(self) -> dict[str, object]:
        if self.is_up:
            return {"state": SessionState.CONNECTED, "page_answers": True}
        problem = Problem(kind="ConnectError", message="no connection", at=self.clock())
        return self.random.choice(
            [
                {"state": SessionState.CLOSED},
                {"state": SessionState.QRCODE, "qr_payload": "2@a"},
                {"problem": problem},
            ]
        )

    def happen(self) -> None:
        """One of the things that happen."""
        match self.random.choice(
            ["lost", "found", "found", "pause", "prober gone", "handover", "stood still"]
        ):
            case "lost":
                self.is_up = False
            case "found":
                self.is_up = True
            case "pause":
                self.is_enabled = not self.is_enabled
                self.state = self.begin()
            case "prober gone":
                self.clock.advance(self.random.randint(15, 4000))
                self.is_enabled = self.random.random() < 0.8
                self.state = self.begin()
            case "handover":
                self.state = self.begin()
            case "stood still":
                self.clock.advance(self.random.randint(15, 4000))


@pytest.mark.parametrize("seed", range(12))
def test_the_log_tells_the_same_uptime_as_scraping_every_second(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed)
    began = life.clock()
    for _ in range(40):
        life.live(life.random.randint(20, 200))
        life.happen()
    life.live(60)

    assert life.published is not None
    now = life.clock()
    spans = timelines(life.history.read(kinds=KINDS), life.published, now)[SERVER, "sales"]
    counted = uptime(spans, began, now)

    assert counted.share is not None
    assert counted.share == pytest.approx(life.connected / life.measured, abs=0.001)
    assert counted.measured_seconds == pytest.approx(life.measured, rel=0.005)
    assert counted.connected_seconds == pytest.approx(life.connected, rel=0.005)
