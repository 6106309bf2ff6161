"""How a session has fared, in words and as a bar."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from page_world import session

from core.models import Reason, Verdict
from core.reasons import Loss
from core.uptime.records import Slot, TrackRecord, Window, track_record
from core.uptime.timeline import Span
from core.uptime.uptime import Uptime
from dashboard.formatting import LocaleFormatter
from dashboard.text import track as track_text

NOW = datetime(2026, 11, 23, 14, 10, tzinfo=UTC)
FORMATTER = LocaleFormatter(NOW)


def record(*turns: tuple[float, str | None, Reason]) -> TrackRecord:
    """The record of a session that turned so many minutes ago into each verdict; None: nobody measured."""
    ends = [*(minutes for minutes, _, _ in turns[1:]), 0.0]
    spans = [
        Span(
            NOW - timedelta(minutes=minutes),
            NOW - timedelta(minutes=end),
            Verdict(word) if word else None,
            why,
        )
        for (minutes, word, why), end in zip(turns, ends, strict=True)
    ]
    return track_record(spans, session("sales"), NOW)


CLOSED = Reason.CLOSED_ON_GATEWAY
LOST = record((3000, "connected", Reason.NONE), (75, "disconnected", CLOSED), (35, "connected", Reason.NONE))


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "–"),
        (1.0, "100 %"),
        (0.999999, "99.99 %"),
        (0.9999999999999, "99.99 %"),
        (0.99, "99.00 %"),
        (0.98999, "98.9 %"),
        (0.5, "50.0 %"),
        (0.0, "0.0 %"),
    ],
)
def test_what_is_not_quite_everything_never_reads_as_everything(share: float | None, words: str) -> None:
    assert track_text.percent(FORMATTER, share) == words


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    assert track_text.percent(LocaleFormatter(NOW, locale="pt_BR"), 0.9934) == "99,34 %"


def test_the_uptimes_of_three_windows_are_told_with_what_they_are_made_of() -> None:
    html = track_text.uptimes(FORMATTER, LOST)

    assert re.findall(r"<b[^>]*>([^<]+)</b> ([^<]+)</span>", html) == [
        ("97.2 %", "24 h"),
        ("98.6 %", "7 d"),
        ("98.6 %", "30 d"),
    ]
    assert 'title="Connected 23 h 20 min of 1 d measured"' in html


def test_without_a_record_nothing_is_claimed() -> None:
    assert track_text.uptimes(FORMATTER, None).count("–") == 3
    assert 'title="No data yet"' in track_text.uptimes(FORMATTER, None)
    assert "No data yet" in track_text.heartbeat(FORMATTER, "sales", None)


def test_neighbours_of_which_the_same_is_to_be_said_are_one() -> None:
    found = [(beat.look, beat.count, beat.text) for beat in track_text.beats(FORMATTER, LOST.slots)]

    assert found == [
        ("good", 44, "Connected"),
        ("partly", 1, "Disconnected 5 min"),
        ("bad", 1, "Disconnected"),
        ("partly", 1, "Disconnected 5 min"),
        ("good", 1, "Connected"),
    ]


def test_time_that_counts_neither_as_up_nor_as_down_looks_like_neither() -> None:
    paused = record((200, None, Reason.NONE), (100, "paused", Reason.NONE))

    found = [(beat.look, beat.text) for beat in track_text.beats(FORMATTER, paused.slots)]

    assert found == [("none", "No data"), ("paused", "Paused")]


def test_maintenance_is_shown_as_such_where_nothing_else_was_measured() -> None:
    half_an_hour = timedelta(minutes=30)
    spans = [
        Span(NOW - timedelta(hours=30), NOW - 4 * half_an_hour, Verdict.CONNECTED),
        Span(NOW - 4 * half_an_hour, NOW, Verdict.DISCONNECTED, Reason.NONE, in_maintenance=True),
    ]
    record = track_record(spans, session("sales"), NOW)

    found = [(beat.look, beat.text) for beat in track_text.beats(FORMATTER, record.slots)]

    assert found == [("good", "Connected"), ("paused", "Maintenance")]
    assert record.uptimes[Window.DAY].share == 1.0


def test_the_worst_of_a_bad_half_hour_is_named() -> None:
    lost, starting, waiting = (
        (50, "disconnected", CLOSED),
        (30, "starting", CLOSED),
        (25, "waiting_for_qr", CLOSED),
    )

    texts = [beat.text for beat in track_text.beats(FORMATTER, record(lost, starting, waiting).slots)]

    assert texts == ["No data", "Disconnected", "Waiting for a scan"]


def test_every_piece_of_the_bar_says_when_and_what_to_those_who_cannot_see_it() -> None:
    html = track_text.heartbeat(LocaleFormatter(NOW, ZoneInfo("Europe/Lisbon")), "<sales>", LOST)

    assert html.count("<li") == html.count('class="ops-unseen"') == 5
    assert 'aria-label="The last 24 hours of &lt;sales&gt;"' in html
    assert "13:00 – 13:30: Disconnected" in html


def test_losses_are_told_by_who_ended_them_the_commonest_first() -> None:
    told = track_text.losses(FORMATTER, {Loss.OPERATOR: 1, Loss.GATEWAY: 3})

    assert told == ["3 × gateway down or restarted", "1 × closed or logged out here"]


def test_how_often_it_was_lost_and_how_long_it_took_is_told() -> None:
    assert track_text.lost_and_back(FORMATTER, LOST) == [
        "1 outage in 30 days",
        "Mean time to recover: 40 min",
    ]
    assert track_text.lost_and_back(FORMATTER, record((30, "connected", Reason.NONE))) == [
        "No outages in 30 days"
    ]


def test_session_that_was_never_up_claims_no_days_without_outages() -> None:
    assert track_text.lost_and_back(FORMATTER, record((30, "waiting_for_qr", Reason.NONE))) == []


def test_all_sessions_together_are_summed_up() -> None:
    html = track_text.fleet(FORMATTER, [LOST, record((3000, "connected", Reason.NONE))])

    assert "98.6 %" in html
    assert "1 outage in 30 days" in html
    assert track_text.fleet(FORMATTER, []) == ""


@pytest.mark.parametrize(
    ("measured", "told"),
    [(39, 3), (24 * 3600, 2), (7 * 24 * 3600, 1), (30 * 24 * 3600, 0)],
    ids=["just begun", "a day", "a week", "a month"],
)
def test_a_window_that_is_not_full_says_how_much_was_measured(measured: float, told: int) -> None:
    uptimes = {
        window: Uptime(NOW - window.length, NOW, seconds, seconds)
        for window in Window
        for seconds in [min(measured, window.length.total_seconds())]
    }

    html = track_text.uptimes(FORMATTER, replace(LOST, uptimes=uptimes))

    assert html.count('data-ops="measured"') == told


def test_a_half_hour_that_was_all_bad_is_named_by_what_lasted() -> None:
    since = NOW - timedelta(minutes=30)
    middle = since + timedelta(minutes=7)
    spans = (
        Span(since, middle, Verdict.UNREACHABLE),
        Span(middle, NOW, Verdict.DISCONNECTED),
    )

    (beat,) = track_text.beats(FORMATTER, [Slot(since, NOW, spans)])

    assert (beat.look, beat.text) == ("bad", "Disconnected")
