"""Texts of maintenance windows. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.models import HistoryEntry
from core.settings.maintenance import Period, Target, Weekly, Window
from dashboard.formatting import LocaleFormatter, duration

NAMED = 3
"""More targets than these are counted."""


def targets(formatter: LocaleFormatter, found: Sequence[Target]) -> str:
    """Return what a window applies to."""
    names = [target(formatter, one) for one in found]
    if len(names) <= NAMED:
        return ", ".join(names)
    _ = formatter.translate
    return _("{names} and {count} more").format(names=", ".join(names[:NAMED]), count=len(names) - NAMED)


def target(formatter: LocaleFormatter, found: Target) -> str:
    """Return the name of one target."""
    _ = formatter.translate
    if found.tag is not None:
        return _("Tag {tag}").format(tag=found.tag)
    if found.server is None:
        return _("Everything")
    if found.session is None:
        return _("Gateway {server}").format(server=found.server)
    return f"{found.session} ({found.server})"


def period(formatter: LocaleFormatter, found: Period) -> str:
    """Return start and end, the day of the end only if it is another one."""
    ends = found.until.astimezone(formatter.zone)
    is_same_day = found.since.astimezone(formatter.zone).date() == ends.date()
    until = f"{ends:%H:%M}" if is_same_day else formatter.moment(found.until)
    return f"{formatter.moment(found.since)} – {until}"


def lines(formatter: LocaleFormatter, window: Window) -> list[str]:
    """Return when a window is open, how it recurs, who planned it and why."""
    _ = formatter.translate
    told, found = [], window.next(formatter.now)
    if found is not None and found.since <= formatter.now:
        told.append(_("Open until {moment}").format(moment=formatter.moment(found.until)))
    elif found is not None:
        told.append(period(formatter, found))
    if isinstance(window.schedule, Weekly):
        weekly = window.schedule
        told.append(_recurrence(formatter, weekly.weekdays, weekly.at, weekly.minutes, weekly.zone))
    by = _("Planned by {name}").format(name=window.by)
    return [*told, f"{by}: {window.reason}" if window.reason else by]


def history_line(formatter: LocaleFormatter, entry: HistoryEntry) -> tuple[str, str]:
    """Return the event of a history entry, and what and why."""
    _ = formatter.translate
    data = entry.data
    event = {
        "planned": _("Maintenance planned"),
        "ended": _("Maintenance ended early"),
        "deleted": _("Maintenance window deleted"),
    }.get(str(data.get("event")), _("Maintenance"))
    told = [str(data.get("targets") or "")]
    since, until = data.get("since"), data.get("until")
    if isinstance(since, str) and isinstance(until, str):
        told.append(period(formatter, Period(datetime.fromisoformat(since), datetime.fromisoformat(until))))
    elif data.get("weekdays"):
        weekdays = [int(one) for one in str(data["weekdays"]).split(",")]
        minutes = int(data.get("minutes") or 0)
        told.append(_recurrence(formatter, weekdays, str(data.get("at")), minutes, str(data.get("zone"))))
    told.append(str(data.get("reason") or ""))
    return event, "; ".join(one for one in told if one)


def _recurrence(formatter: LocaleFormatter, weekdays: Sequence[int], at: str, minutes: int, zone: str) -> str:
    _ = formatter.translate
    return _("Weekly: {days} at {time} for {duration} ({zone})").format(
        days=", ".join(map(formatter.weekday, weekdays)), time=at, duration=duration(minutes * 60), zone=zone
    )
