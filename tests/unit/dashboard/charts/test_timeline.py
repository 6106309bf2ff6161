"""The states of a session over time: segments, labels, colours."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from page_world import NOW, ago

from core.models import Verdict
from core.uptime.records import Window
from core.uptime.timeline import Span
from dashboard.charts import availability, timeline, vega
from dashboard.formatting import LocaleFormatter

CONNECTED, LOST, PAUSED = Verdict.CONNECTED, Verdict.DISCONNECTED, Verdict.PAUSED
BACKGROUNDS = ("#ffffff", "#f4f7f6", "#0c1213", "#151d1f")
"""Of the page and of a card, light and dark."""


def span(since: float, until: float, verdict: Verdict | None) -> Span:
    """A span between two moments, in hours before now."""
    return Span(ago(hours=since), ago(hours=until), verdict)


def told(spans: list[Span], window: Window = Window.DAY) -> list[tuple[float, float, Verdict | None]]:
    """The segments, in hours before now."""
    found = timeline.segments(spans, window, NOW)
    return [((NOW - one.since) / HOUR, (NOW - one.until) / HOUR, one.verdict) for one in found]


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([span(90, 0, CONNECTED)], [(24, 0, CONNECTED)], id="only the window"),
        pytest.param(
            [span(90, 30, LOST), span(30, 0, CONNECTED)], [(24, 0, CONNECTED)], id="not what is older"
        ),
        pytest.param(
            [span(9, 5, CONNECTED), span(5, 3, PAUSED), span(3, 0, CONNECTED)],
            [(9, 5, CONNECTED), (5, 3, PAUSED), (3, 0, CONNECTED)],
            id="a pause is shown as such",
        ),
        pytest.param(
            [span(9, 5, CONNECTED), span(5, 3, None), span(3, 0, CONNECTED)],
            [(9, 5, CONNECTED), (3, 0, CONNECTED)],
            id="what nobody measured is a gap",
        ),
        pytest.param(
            [span(9, 5, CONNECTED), span(5, 3, LOST)._replace(in_maintenance=True), span(3, 0, CONNECTED)],
            [(9, 5, CONNECTED), (5, 3, None), (3, 0, CONNECTED)],
            id="a maintenance window is shown as such",
        ),
        pytest.param([], [], id="nothing is known"),
    ],
)
def test_segments_are_what_was_measured_in_the_window(
    spans: list[Span], expected: list[tuple[float, float, Verdict | None]]
) -> None:
    assert told(spans) == expected


def test_a_session_that_flaps_is_condensed_and_its_outages_stay() -> None:
    spans = [
        span(24 - number / 100, 24 - (number + 1) / 100, LOST if number % 2 else CONNECTED)
        for number in range(2400)
    ]
    spans[1000:] = [span(14, 0, CONNECTED)]
    spans[0:0] = [span(200, 24, CONNECTED)]

    found = timeline.segments(spans, Window.DAY, NOW)

    assert len(found) <= timeline.RESOLUTION
    assert {one.verdict for one in found if one.since < ago(hours=15)} == {LOST}
    assert found[-1].verdict is CONNECTED
    assert (found[0].since, found[-1].until) == (ago(hours=24), NOW)


@pytest.mark.parametrize(
    ("window", "zone", "labels"),
    [
        (Window.DAY, "Europe/Lisbon", ["18:00", "00:00", "06:00", "12:00"]),
        (Window.DAY, "Asia/Kolkata", ["00:00", "06:00", "12:00", "18:00"]),
        (
            Window.WEEK,
            "Europe/Lisbon",
            ["17 Nov", "18 Nov", "19 Nov", "20 Nov", "21 Nov", "22 Nov", "23 Nov"],
        ),
        (Window.MONTH, "Europe/Lisbon", ["26 Oct", "2 Nov", "9 Nov", "16 Nov", "23 Nov"]),
    ],
)
def test_the_axis_is_labelled_in_the_users_time_zone(window: Window, zone: str, labels: list[str]) -> None:
    formatter = LocaleFormatter(now=NOW, zone=ZoneInfo(zone))

    assert [one.label for one in timeline.ticks(formatter, window)] == labels


def test_labels_are_no_expressions() -> None:
    made = vega.axis([vega.Tick(1, "it's"), vega.Tick(2, "\\'] + x")])

    assert made["labelExpr"] == "['it\\'s', '\\'] + x'][indexof([1, 2], datum.value)]"


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_colours_stand_out_by_day_and_by_night(background: str) -> None:
    colours = [*timeline.COLOURS.values(), timeline.OTHER_COLOUR, timeline.MAINTENANCE_COLOUR]
    colours += [availability.GOOD, availability.POOR, availability.BAD]

    assert [one for one in colours if contrast(one, background) < 3] == []


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG defines it."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
