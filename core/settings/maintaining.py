"""Plan, end and delete maintenance windows in the saved settings, on top of concurrent changes."""

from __future__ import annotations

from datetime import datetime

from core.models import HistoryEntry
from core.settings.maintenance import Once, Weekly, Window
from core.settings.saved import SavedSettings
from core.settings.source import SettingsSource


def add(source: SettingsSource, window: Window, *, now: datetime) -> None:
    """Save a new window; raise the errors of `SettingsSource.edit`."""

    def change(saved: SavedSettings) -> SavedSettings:
        kept = tuple(one for one in saved.maintenance if one.next(now) is not None)
        return _with(saved, (*kept, window))

    source.edit(change, actor=window.by, told=[_entry(window, "planned", window.by, now)])


def end(source: SettingsSource, window: str, *, actor: str, now: datetime) -> bool:
    """End the open period of a window by its id; a recurring one stays for the next time.

    Return False if the window does not exist or is not open. Raise the errors of `SettingsSource.edit`.
    """
    found = _find(source, window)
    if found is None or found.current(now) is None:
        return False
    _replace(source, found, _ended(found, now), "ended", actor, now)
    return True


def delete(source: SettingsSource, window: str, *, actor: str, now: datetime) -> bool:
    """Delete a window by its id, which ends it if it is open; return False if it does not exist.

    Raise the errors of `SettingsSource.edit`.
    """
    found = _find(source, window)
    if found is None:
        return False
    _replace(source, found, None, "deleted", actor, now)
    return True


def _find(source: SettingsSource, window: str) -> Window | None:
    return next((one for one in source.current().maintenance if one.id == window), None)


def _ended(window: Window, now: datetime) -> Window | None:
    if isinstance(window.schedule, Once):
        return None
    return window.model_copy(update={"schedule": window.schedule.model_copy(update={"ended_at": now})})


def _replace(
    source: SettingsSource, window: Window, by: Window | None, event: str, actor: str, now: datetime
) -> None:
    def change(saved: SavedSettings) -> SavedSettings:
        changed = (by if one.id == window.id else one for one in saved.maintenance)
        return _with(saved, tuple(one for one in changed if one is not None))

    source.edit(change, actor=actor, told=[_entry(window, event, actor, now)])


def _with(saved: SavedSettings, windows: tuple[Window, ...]) -> SavedSettings:
    return saved.model_copy(update={"maintenance": windows})


def _entry(window: Window, event: str, actor: str, at: datetime) -> HistoryEntry:
    """Return the history entry; of a single target it is the gateway's or session's own."""
    only = window.targets[0] if len(window.targets) == 1 and window.targets[0].tag is None else None
    data: dict[str, str | int | float | bool | None] = {"event": event, "reason": window.reason}
    if only is None:
        data["targets"] = ", ".join(one.name for one in window.targets)
    match window.schedule:
        case Once() as once:
            data |= {"since": once.since.isoformat(), "until": once.until.isoformat()}
        case Weekly() as weekly:
            data |= {
                "weekdays": ",".join(map(str, weekly.weekdays)),
                "at": weekly.at,
                "minutes": weekly.minutes,
                "zone": weekly.zone,
            }
    return HistoryEntry(
        at=at,
        kind="maintenance",
        server=only.server if only else None,
        session=only.session if only else None,
        actor=actor,
        data=data,
    )
