"""Maintenance windows: planned times in which a session or gateway does not count as down.

Pure values and functions; `core.settings.maintaining` saves windows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, field_validator, model_validator

from core.models import Stored

if TYPE_CHECKING:
    from core.settings.values import ServerSettings

LONGEST_MINUTES = 24 * 60
"""Longest duration of a recurring window."""
FORESIGHT = timedelta(days=8)
"""How far adjoining windows are followed, since recurring ones may cover all time."""


class Period(NamedTuple):
    """The time from `since` until just before `until`."""

    since: datetime
    until: datetime


NO_SESSION = "*"
"""Not a session's name: releases that do not know tags read a tag as a session that does not exist."""


class Target(Stored):
    """What a window applies to."""

    server: str | None = None
    """None: every gateway."""
    session: str | None = None
    """None: the gateway with all its sessions."""
    tag: str | None = None
    """Not None: all sessions with this tag, see `of_tag`."""

    @classmethod
    def of_tag(cls, tag: str) -> Target:
        """Return the sessions of all gateways that have a tag."""
        return cls(session=NO_SESSION, tag=tag)

    @property
    def name(self) -> str:
        """The name for the command line and the history: "main", "main/sales", "tag:retail", "" for all."""
        if self.tag is not None:
            return f"tag:{self.tag}"
        return "/".join(filter(None, (self.server, self.session)))

    def covers(self, server: str, session: str | None) -> bool:
        """Return whether a session, or with None the gateway itself, belongs to the target.

        A tag covers nothing by itself: `concerning` replaces it by the sessions that have it.
        """
        return self.server in (None, server) and self.session in (None, session)


class Once(Stored):
    """One planned time."""

    since: AwareDatetime
    until: AwareDatetime

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Once:
        if self.until <= self.since:
            raise ValueError("the end must be after the start")
        return self

    def periods(self, now: datetime) -> Iterator[Period]:  # noqa: ARG002 - as for recurring windows
        """Yield the time."""
        yield Period(self.since, self.until)


class Weekly(Stored):
    """A time that recurs on days of the week, at the local time of a time zone.

    A start that is skipped when clocks are set forward moves on by the skipped time; one that occurs twice
    when they are set back is the first. The duration is elapsed time, whatever clocks show.
    """

    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field(min_length=1)
    """0 is Monday."""
    at: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """The start, as "02:30"."""
    minutes: int = Field(ge=1, le=LONGEST_MINUTES)
    zone: str
    ended_at: AwareDatetime | None = None
    """When the latest occurrence was ended early: those that began until then are over."""

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("no such time zone; use a name such as Europe/Lisbon") from None
        return zone

    def periods(self, now: datetime) -> Iterator[Period]:
        """Yield the occurrences that are open now, and those of the next week, in order."""
        zone = ZoneInfo(self.zone)
        # Two days back, since the local day may differ and an occurrence lasts up to a day.
        first = now.astimezone(zone).date() - timedelta(days=2)
        for day in (first + timedelta(days=number) for number in range(11)):
            if day.weekday() not in self.weekdays:
                continue
            since = datetime.combine(day, time.fromisoformat(self.at), zone).astimezone(UTC)
            until = since + timedelta(minutes=self.minutes)
            if until > now and (self.ended_at is None or since > self.ended_at):
                yield Period(since, until)


class Window(Stored):
    """A maintenance window."""

    id: str
    targets: tuple[Target, ...] = Field(min_length=1)
    schedule: Once | Weekly
    by: str
    """A user's name, or "cli"."""
    reason: str = ""

    def covers(self, server: str, session: str | None) -> bool:
        """Return whether the window applies to a session, or with None to the gateway itself."""
        return any(one.covers(server, session) for one in self.targets)

    def current(self, now: datetime) -> Period | None:
        """Return the period that is open now; None if none is."""
        return next((one for one in self.schedule.periods(now) if one.since <= now < one.until), None)

    def next(self, now: datetime) -> Period | None:
        """Return the open or next period; None if the window is over."""
        return next((one for one in self.schedule.periods(now) if one.until > now), None)


def concerning(windows: Collection[Window], server: ServerSettings) -> tuple[Window, ...]:
    """Return the windows that apply to a gateway or its sessions, tags replaced by their sessions."""
    resolved = (_resolved(one, server) for one in windows)
    return tuple(
        one for one in resolved if any(target.server in (None, server.name) for target in one.targets)
    )


def _resolved(window: Window, server: ServerSettings) -> Window:
    if all(one.tag is None for one in window.targets):
        return window
    wanted = {one.tag.casefold() for one in window.targets if one.tag is not None}
    tagged = (one.name for one in server.sessions if wanted.intersection(map(str.casefold, one.tag_words)))
    targets = (
        *(one for one in window.targets if one.tag is None),
        *(Target(server=server.name, session=name) for name in tagged),
    )
    return window.model_copy(update={"targets": targets})


def period_of(windows: Collection[Window], server: str, session: str | None, now: datetime) -> Period | None:
    """Return the maintenance of a session, or with None of the gateway itself; None if no window is open.

    Overlapping and adjoining windows are one period, which starts with the first that is open now.
    """
    covering = [one for one in windows if one.covers(server, session)]
    found = [period for one in covering if (period := one.current(now)) is not None]
    if not found:
        return None
    since, until = min(found).since, now
    while found and until < now + FORESIGHT:
        until = max(one.until for one in found)
        found = [period for one in covering if (period := one.current(until)) is not None]
    return Period(since, until)
