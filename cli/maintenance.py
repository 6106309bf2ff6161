"""`wppconnect-ops maintenance`: plan times in which nothing counts as down, and end them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from core.settings.maintenance import Once, Target, Weekly, Window
    from core.settings.source import SettingsSource
    from core.settings.values import Settings

Environ = Mapping[str, str]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DURATION = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,4})m)?")


@click.group(epilog="Exit code: 0 when done, 1 when not, 2 for mistakes in options or configuration.")
def maintenance() -> None:
    """List, plan and end maintenance windows, in the data directory WPPCONNECT_DATA_DIR.

    While a window is open its sessions are checked as ever, but no alert fires and nothing counts as down.
    """


@maintenance.command("list")
@click.pass_obj
def list_windows(environ: Environ, /) -> None:
    """List the windows that are open or still to come."""
    from core.clock import now

    with _opened(environ) as source:
        windows = [one for one in source.current().maintenance if one.next(now()) is not None]
    if not windows:
        print("No maintenance is planned.")
    for one in windows:
        print("\n".join(_lines(one, now())))


@maintenance.command()
@click.argument("targets", nargs=-1, metavar="[GATEWAY | GATEWAY/SESSION | tag:TAG]...")
@click.option("--everything", is_flag=True, help="Every gateway with all its sessions.")
@click.option("--from", "since", metavar="TIME", help='Start, as "2026-12-01 02:00"; default: now.')
@click.option("--until", metavar="TIME", help="End.")
@click.option("--for", "length", metavar="DURATION", help="Duration, such as 90m or 1h30m.")
@click.option("--every", metavar="DAYS", help="Recur on days such as mon,thu; with --at, --for.")
@click.option("--at", metavar="HH:MM", help="When a recurring window begins.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone, such as Europe/Lisbon.")
@click.option("--reason", default="", help="Shown to everyone.")
@click.pass_obj
def add(
    environ: Environ,
    /,
    targets: Sequence[str],
    everything: bool,
    since: str | None,
    until: str | None,
    length: str | None,
    every: str | None,
    at: str | None,
    zone: str,
    reason: str,
) -> None:
    """Plan a window for gateways, single sessions or tags.

    A gateway stands for itself and all its sessions, a tag for the sessions that have it.
    """
    from cli.environment import actor
    from core.clock import now
    from core.settings import maintaining
    from core.settings.maintenance import Target, Window

    if every is None:
        schedule: Once | Weekly = _once(since, until, length, _zone(zone))
    else:
        if since or until or not at or not length:
            raise click.UsageError("--every takes --at and --for, and neither --from nor --until")
        schedule = _weekly(every, at, length, zone)
    with _opened(environ) as source:
        known = source.current()
        chosen = [Target()] if everything else [_target(one, known) for one in targets]
        if not chosen or (everything and targets):
            raise click.UsageError("name gateways, sessions or tags, or give --everything")
        window = Window(
            id=secrets.token_hex(4),
            targets=tuple(chosen),
            schedule=schedule,
            by=actor(),
            reason=" ".join(reason.split()),
        )
        maintaining.add(source, window, now=now())
    print("\n".join(_lines(window, now())))


@maintenance.command()
@click.argument("window", metavar="ID")
@click.pass_obj
def end(environ: Environ, /, window: str) -> None:
    """End an open window now. A recurring one opens again the next time."""
    from cli.environment import actor
    from core.clock import now
    from core.exceptions import WppconnectError
    from core.settings import maintaining

    with _opened(environ) as source:
        if not maintaining.end(source, window, actor=actor(), now=now()):
            raise WppconnectError(f"no open window {window}; `wppconnect-ops maintenance list` shows all")
    print(f"{window} has ended.")


@maintenance.command()
@click.argument("window", metavar="ID")
@click.pass_obj
def delete(environ: Environ, /, window: str) -> None:
    """Delete a window, which also ends it if it is open."""
    from cli.environment import actor
    from core.clock import now
    from core.exceptions import WppconnectError
    from core.settings import maintaining

    with _opened(environ) as source:
        if not maintaining.delete(source, window, actor=actor(), now=now()):
            raise WppconnectError(f"no window {window}; `wppconnect-ops maintenance list` shows all")
    print(f"{window} is deleted.")


@contextmanager
def _opened(environ: Environ) -> Iterator[SettingsSource]:
    from cli.pairing import pairing_environment
    from core.logs import configure_logging
    from core.settings.environment import prepare_data_dir
    from core.settings.source import SettingsSource
    from core.store import open_store

    environment = pairing_environment(environ, Path.cwd())
    configure_logging("ERROR", environment.log_format)
    data = prepare_data_dir(environment)
    store, history = open_store(data, environment.database)
    with closing(store):
        yield SettingsSource(environment, store, record=history.append)


def _once(since: str | None, until: str | None, length: str | None, zone: ZoneInfo) -> Once:
    from core.clock import now
    from core.settings.maintenance import Once

    if (until is None) == (length is None):
        raise click.UsageError("give either --until or --for")
    begin = _moment("--from", since, zone) if since else now()
    end = _moment("--until", until, zone) if until else begin + _duration(length or "")
    if end <= max(begin, now()):
        raise click.UsageError("the end must be after the start, and in the future")
    return Once(since=begin, until=end)


def _weekly(every: str, at: str, length: str, zone: str) -> Weekly:
    from core.settings.maintenance import LONGEST_MINUTES, Weekly

    days = [one.strip().lower()[:3] for one in every.split(",")]
    if wrong := [one for one in days if one not in DAYS]:
        raise click.UsageError(f"--every: {', '.join(wrong)} is none of {', '.join(DAYS)}")
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at) is None:
        raise click.UsageError("--at: give hours and minutes, such as 02:30")
    minutes = int(_duration(length) / timedelta(minutes=1))
    if minutes > LONGEST_MINUTES:
        raise click.UsageError("--for: a recurring window lasts up to 24h")
    weekdays = tuple(sorted({DAYS.index(one) for one in days}))
    return Weekly(weekdays=weekdays, at=at, minutes=minutes, zone=str(_zone(zone)))


def _target(text: str, settings: Settings) -> Target:
    from core.settings.maintenance import Target

    if text.startswith("tag:"):
        return _tag(text, settings)
    server, _, session = text.partition("/")
    found = settings.server(server)
    if found is None or (session and found.session(session) is None):
        known = [one.name for one in settings.servers]
        known += [f"{one.name}/{session.name}" for one in settings.servers for session in one.sessions]
        raise click.UsageError(f"there is no {text}; there are {', '.join(known) or 'none'}")
    return Target(server=server, session=session or None)


def _tag(text: str, settings: Settings) -> Target:
    from core.settings.maintenance import Target
    from core.settings.values import all_tags

    known = all_tags(session for server in settings.servers for session in server.sessions)
    wanted = text.removeprefix("tag:").strip().casefold()
    tag = next((one for one in known if one.casefold() == wanted), None)
    if tag is None:
        raise click.UsageError(f"no session has {text}; there are {', '.join(known) or 'no tags'}")
    return Target.of_tag(tag)


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.UsageError(f"--zone: {name} is no time zone; use a name such as Europe/Lisbon") from None


def _moment(option: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f'{option}: give date and time, such as "2026-12-01 02:00"') from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _duration(text: str) -> timedelta:
    found = DURATION.fullmatch(text.replace(" ", ""))
    length = timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0)) if found else timedelta()
    if not length:
        raise click.UsageError("--for: give a duration such as 2h, 90m or 1h30m")
    return length


def _lines(window: Window, now: datetime) -> Iterator[str]:
    from core.models import utc
    from core.settings.maintenance import Weekly

    names = [one.name or "everything" for one in window.targets]
    yield f"{window.id}  {', '.join(names)}"
    if isinstance(window.schedule, Weekly):
        weekly = window.schedule
        days = ", ".join(DAYS[one] for one in weekly.weekdays)
        yield f"  every {days} at {weekly.at} for {weekly.minutes} min ({weekly.zone})"
    if (period := window.next(now)) is not None:
        word = "open" if period.since <= now else "next" if isinstance(window.schedule, Weekly) else "planned"
        yield f"  {word}: {utc(_utc(period.since))} to {utc(_utc(period.until))}"
    yield f"  by {window.by}" + (f": {window.reason}" if window.reason else "")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
