"""Pause and resume sessions and whole gateways in the saved settings, on top of concurrent changes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from core.models import HistoryEntry, Pause
from core.settings.saved import SavedSettings
from core.settings.source import SettingsSource

Target = tuple[str, str | None]
"""A gateway and one of its sessions; None: the whole gateway."""


def pause(source: SettingsSource, targets: Collection[Target], pause: Pause) -> None:
    """Pause all targets in one save; raise the errors of `SettingsSource.edit`."""
    until = pause.until.isoformat() if pause.until else None
    told = {"event": "paused", "reason": pause.reason, "until": until}
    _save(source, targets, pause, [_entry(one, pause.by, pause.since, told) for one in targets])


def resume(source: SettingsSource, targets: Collection[Target], *, actor: str, now: datetime) -> None:
    """Resume all targets in one save; raise the errors of `SettingsSource.edit`."""
    _save(source, targets, None, [_entry(one, actor, now, {"event": "resumed"}) for one in targets])


def _save(
    source: SettingsSource, targets: Collection[Target], pause: Pause | None, told: list[HistoryEntry]
) -> None:
    def change(saved: SavedSettings) -> SavedSettings:
        for server, session in _present(source, targets):
            saved = _with_pause(saved, server, session, pause)
        return saved

    present = _present(source, targets)
    if present:
        told = [one for one in told if (one.server, one.session) in present]
        source.edit(change, actor=told[0].actor or "", told=told)


def _present(source: SettingsSource, targets: Collection[Target]) -> list[Target]:
    """Return the targets that still exist: pausing a removed one would restore it."""
    settings = source.current()
    servers = {server: settings.server(server) for server, _session in targets}
    return [
        (server, session)
        for server, session in targets
        if (found := servers[server]) is not None and (session is None or found.session(session) is not None)
    ]


def _with_pause(saved: SavedSettings, server: str, session: str | None, pause: Pause | None) -> SavedSettings:
    if session is None:
        return saved.with_server(server, enabled=pause is None, pause=pause)
    return saved.with_session(server, session, enabled=pause is None, pause=pause)


def _entry(target: Target, actor: str, at: datetime, data: dict[str, str | None]) -> HistoryEntry:
    return HistoryEntry(at=at, kind="pause", server=target[0], session=target[1], actor=actor, data={**data})
