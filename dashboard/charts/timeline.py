"""A session's states over time: segments by state and reason, in the user's time zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

import streamlit as st

from core.models import Reason, Verdict
from core.uptime.records import TrackRecord, Window, split
from core.uptime.timeline import Span
from dashboard import components, formatting
from dashboard.charts import vega
from dashboard.charts.vega import Tick
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.text.track import WINDOWS
from dashboard.words import LOOKS

HEIGHT = 110
RESOLUTION = 300
"""Segments that a screen can show. Of more, each slot shows its longest state that is not connected."""
ROWS = 100

COLOURS: dict[Verdict, str] = {
    Verdict.CONNECTED: "#16a34a",
    Verdict.WAITING_FOR_QR: "#6366f1",
    Verdict.WAITING_FOR_CODE: "#8b5cf6",
    Verdict.LINKING: "#2563eb",
    Verdict.STARTING: "#0891b2",
    Verdict.STUCK: "#a16207",
    Verdict.UNRESPONSIVE: "#db2777",
    Verdict.DISCONNECTED: "#dc2626",
    Verdict.UNAUTHORIZED: "#c026d3",
    Verdict.UNREACHABLE: "#ea580c",
    Verdict.PAUSED: "#7c8aa0",
}
"""Each has a contrast of 3 to the light and to the dark background."""
OTHER_COLOUR, MAINTENANCE_COLOUR = "#64748b", "#0f8a7e"
HEIGHTS = {"good": 1.0, "wait": 0.75, "warn": 0.55, "bad": 0.55, "idle": 0.35}
"""By tone: states differ not by their colour alone."""


class Segment(NamedTuple):
    """A part of the timeline in one state."""

    since: datetime
    until: datetime
    verdict: Verdict | None
    """None in a maintenance window."""
    reason: Reason


def segments(spans: Sequence[Span], window: Window, now: datetime) -> list[Segment]:
    """Return the measured and paused parts of a window, oldest first; at most `RESOLUTION` of them."""
    since = now - window.length
    within = [
        one._replace(since=max(one.since, since), until=min(one.until, now))
        for one in spans
        if one.verdict is not None and one.until > since and one.since < now
    ]
    if len(within) > RESOLUTION:
        within = list(_condensed(within, since, window.length / RESOLUTION))
    return [
        Segment(one.since, one.until, None if one.in_maintenance else one.verdict, one.reason)
        for one in within
    ]


def _condensed(spans: Sequence[Span], since: datetime, slot: timedelta) -> Iterator[Span]:
    """Yield one span for each slot, with equal neighbours merged."""
    kept: Span | None = None
    bounds = [(since + number * slot, since + (number + 1) * slot) for number in range(RESOLUTION)]
    for found in split(spans, bounds):
        if not found:
            continue
        shown = max(found, key=lambda one: (one.is_down, one.seconds))
        if kept is not None and kept[2:] == shown[2:]:
            kept = kept._replace(until=found[-1].until)
            continue
        if kept is not None:
            yield kept
        kept = shown._replace(since=found[0].since, until=found[-1].until)
    if kept is not None:
        yield kept


def ticks(formatter: LocaleFormatter, window: Window) -> list[Tick]:
    """Return the labels of the time axis: hours of the day, or days."""
    now = formatter.now.astimezone(formatter.zone)
    found = []
    if window is Window.DAY:
        days = (now.date() - timedelta(days=1), now.date())
        moments = [
            datetime.combine(day, time(hour), formatter.zone) for day in days for hour in (0, 6, 12, 18)
        ]
        labels = [f"{one:%H:%M}" for one in moments]
    else:
        step = 7 if window is Window.MONTH else 1
        backs = range(0, window.length.days + 1, step)
        moments = [
            datetime.combine(now.date() - timedelta(days=back), time(), formatter.zone) for back in backs
        ]
        labels = [formatter.day(one) for one in moments]
    for moment, label in zip(moments, labels, strict=True):
        if formatter.now - window.length <= moment <= formatter.now:
            found.append(Tick(vega.milliseconds(moment), label))
    return sorted(found)


def draw_timeline(formatter: LocaleFormatter, session: str, record: TrackRecord, window: Window) -> None:
    """Draw the states of a session in a window, their legend and their table."""
    found = segments(record.spans, window, formatter.now)
    # A chart that is the same as before is not drawn anew: the end moves on by the width of a pixel.
    end = _rounded_up(formatter.now, window)
    begin = end - window.length
    values = [_values(formatter, one, end if one.until == formatter.now else one.until) for one in found]
    # Short outages stand above what surrounds them.
    values.sort(key=lambda one: -one["height"])
    seconds = _seconds(found)
    labels = {verdict: _label(formatter, verdict) for verdict in seconds}
    colours = {label: _colour(verdict) for verdict, label in labels.items()}
    name = _("States of {session} in the last {window}").format(session=session, window=WINDOWS[window])
    shares = ", ".join(f"{labels[one]} {formatting.duration(lasted)}" for one, lasted in seconds.items())
    colour = {
        "field": "state",
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": None,
    }
    encoding = {
        "x": {
            "field": "since",
            "type": "quantitative",
            "scale": {"domain": [vega.milliseconds(begin), vega.milliseconds(end)], "nice": False},
            "axis": vega.axis(ticks(formatter, window)),
        },
        "x2": {"field": "until"},
        "y": {"field": "height", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": None},
        "y2": {"datum": 0},
        "color": colour,
        # A segment of seconds is still as wide as its stroke.
        "stroke": colour,
        "tooltip": [
            {"field": field, "type": "nominal", "title": title}
            for field, title in (
                ("state", _("Status")),
                ("why", _("Cause")),
                ("from", _("Started")),
                ("lasted", _("Duration")),
            )
        ],
    }
    mark = {"type": "rect", "strokeWidth": 1}
    vega.draw("states", [vega.layer(mark, encoding, values)], height=HEIGHT, description=f"{name}: {shares}")
    st.html(vega.legend(colours))
    heads = (_("Started"), _("Duration"), _("Status"))
    vega.draw_table("states", heads, lambda: [_row(formatter, one) for one in reversed(found[-ROWS:])])
    if not found:
        components.soft(_("No data yet"))


def _label(formatter: LocaleFormatter, verdict: Verdict | None) -> str:
    return formatting.verdict_label(formatter, verdict) if verdict else formatter.translate("Maintenance")


def _colour(verdict: Verdict | None) -> str:
    return COLOURS.get(verdict, OTHER_COLOUR) if verdict else MAINTENANCE_COLOUR


def _values(formatter: LocaleFormatter, segment: Segment, until: datetime) -> vega.Values:
    tone = LOOKS[segment.verdict].tone if segment.verdict else "idle"
    return {
        "since": vega.milliseconds(segment.since),
        "until": vega.milliseconds(until),
        "height": HEIGHTS.get(tone, 0.55),
        "state": _label(formatter, segment.verdict),
        "why": formatting.why(formatter, segment.reason) or "–",
        "from": formatter.moment(segment.since),
        "lasted": formatting.duration((until - segment.since).total_seconds()),
    }


def _row(formatter: LocaleFormatter, segment: Segment) -> tuple[str, ...]:
    status, why = (
        _label(formatter, segment.verdict),
        formatting.why(formatter, segment.reason),
    )
    return (
        formatter.moment(segment.since),
        formatting.duration((segment.until - segment.since).total_seconds()),
        f"{status}: {why}" if why else status,
    )


def _seconds(found: Sequence[Segment]) -> dict[Verdict | None, float]:
    """Return the duration of each state, the longest first."""
    seconds: dict[Verdict | None, float] = {}
    for one in found:
        seconds[one.verdict] = seconds.get(one.verdict, 0.0) + (one.until - one.since).total_seconds()
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def _rounded_up(now: datetime, window: Window) -> datetime:
    step = window.length.total_seconds() / 1000
    return datetime.fromtimestamp(-(-now.timestamp() // step) * step, now.tzinfo)
