"""The availability of all sessions per day, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from core.uptime.records import daily
from core.uptime.uptime import Uptime
from dashboard import components, state
from dashboard.activity import history_cache
from dashboard.charts import vega
from dashboard.charts.vega import Tick
from dashboard.formatting import LocaleFormatter, duration
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.text.track import LOW, percent

HEIGHT = 170
REFRESH_SECONDS = 10
MAX_AGE_SECONDS = 60.0
FLOORS = (0.9, 0.5, 0.0)
"""Where the axis may begin: most days are near 100 %."""
GOOD, POOR, BAD = "#16a34a", "#c2710c", "#dc2626"
HIGH = 0.995


def days() -> list[Uptime] | None:
    """Return the uptime of all sessions for each of the last 30 days; None until it is computed."""
    records, formatter = history_cache.known_track_records(), state.formatter(state.snapshot().taken_at)
    if records is None:
        return None
    # Computed in the background: the days of 300 sessions with many outages take a moment.
    found = state.background().fresh(
        _job(),
        lambda: daily(records.values(), formatter.now, formatter.zone),
        max_age_seconds=MAX_AGE_SECONDS,
    )
    return cast("list[Uptime] | None", found)


def begin() -> None:
    """Start computing the days and wait for them briefly. Not for the fragment, which must not block."""
    days()
    state.background().wait(_job(), history_cache.FIRST_SECONDS)


def _job() -> tuple[str, str]:
    return "availability", state.zone_name()


@fragment(run_every=REFRESH_SECONDS)
def draw_availability() -> None:
    """Draw the bars, once there is a day with data."""
    state.user()
    found = days()
    if found is None or all(one.share is None for one in found):
        return
    formatter = state.formatter(state.snapshot().taken_at)
    components.subtitle(_("Availability per day"))
    shares = [one.share for one in found if one.share is not None]
    lowest = min(shares)
    floor = next(one for one in FLOORS if one <= lowest)
    description = _("Availability of all sessions per day, the last 30 days; the lowest was {lowest}")
    vega.draw(
        "availability",
        [_bars(formatter, found, floor)],
        height=HEIGHT,
        description=description.format(lowest=percent(formatter, lowest)),
    )
    heads = (_("Day"), _("Availability"), _("Not connected"))
    vega.draw_table(
        "availability",
        heads,
        lambda: [_row(formatter, one) for one in reversed(found) if one.share is not None],
    )


def _bars(formatter: LocaleFormatter, found: Sequence[Uptime], floor: float) -> vega.Values:
    values = []
    for number, one in enumerate(found):
        if one.share is None:
            continue
        day, share, down = _row(formatter, one)
        colour = GOOD if one.share >= HIGH else POOR if one.share >= LOW else BAD
        values.append(
            {"n": number, "m": number + 0.8, "share": one.share, "colour": colour}
            | {"day": day, "percent": share, "down": down}
        )
    weekly = [number for number in range(len(found)) if (len(found) - 1 - number) % 7 == 0]
    heights = [Tick(value, percent(formatter, value)) for value in (floor, (1 + floor) / 2, 1.0)]
    encoding = {
        "x": {
            "field": "n",
            "type": "quantitative",
            "scale": {"domain": [0, len(found)], "nice": False},
            "axis": vega.axis([Tick(one, formatter.day(found[one].since)) for one in weekly]),
        },
        "x2": {"field": "m"},
        "y": {
            "field": "share",
            "type": "quantitative",
            "scale": {"domain": [floor, 1], "nice": False, "zero": False},
            "axis": vega.axis(heights, grid=True),
        },
        "y2": {"datum": floor},
        "color": {"field": "colour", "type": "nominal", "scale": None},
        "tooltip": [
            {"field": "day", "type": "nominal", "title": _("Day")},
            {"field": "percent", "type": "nominal", "title": _("Availability")},
            {"field": "down", "type": "nominal", "title": _("Not connected")},
        ],
    }
    return vega.layer({"type": "rect"}, encoding, values)


def _row(formatter: LocaleFormatter, day: Uptime) -> tuple[str, str, str]:
    down = day.measured_seconds - day.connected_seconds
    return (
        formatter.day(day.since),
        percent(formatter, day.share),
        duration(down) if down >= 1 else "–",
    )
