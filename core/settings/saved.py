"""Settings saved on the page, and edits of them; pure values."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from pydantic import Field, SecretStr

from core.models import Pause, Stored, TokenSource
from core.settings.environment import CoreEnvironment

SERVER_FIELDS = (
    "url",
    "secret_key",
    "token",
    "token_source",
    "enabled",
    "pause",
    "end_to_end_minutes",
    "self_healing",
)
"""The saved fields of a server, besides its sessions."""


SESSION_TEXTS = ("webhook", "label", "owner", "note")

LONGEST_LABEL = 80
LONGEST_NOTE = 300


class Keep(Enum):
    """The type of `KEEP`."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
"""Keep the saved value of a field. None resets it, so that the environment's value applies again."""


class SavedSession(Stored):
    """The saved settings of one session; None: not saved."""

    enabled: bool | None = None
    pause: Pause | None = None
    """Details of a pause; applies only while `enabled` is False."""
    webhook: str | None = Field(default=None, repr=False)
    label: str | None = Field(default=None, repr=False)
    owner: str | None = Field(default=None, repr=False)
    note: str | None = Field(default=None, repr=False)
    removed: bool = False
    """Removed on the page, although the environment lists it."""


class SavedServer(Stored):
    """The saved settings of one server; None: not saved. An empty secret key or token means "none"."""

    url: str | None = None
    secret_key: SecretStr | None = None
    token: SecretStr | None = None
    token_source: TokenSource | None = None
    enabled: bool | None = None
    pause: Pause | None = None
    end_to_end_minutes: float | None = None
    self_healing: bool | None = None
    sessions: dict[str, SavedSession] = Field(default_factory=dict)
    removed: bool = False


class SavedSettings(Stored):
    """All settings saved on the page. Edits return a new value and validate nothing: saving does."""

    servers: dict[str, SavedServer] = Field(default_factory=dict)
    interval_seconds: float | None = None
    alertmanager_url: SecretStr | None = None
    alertmanager_bearer_token: SecretStr | None = None

    def with_server(
        self,
        name: str,
        *,
        url: str | Keep | None = KEEP,
        secret_key: str | Keep | None = KEEP,
        token: str | Keep | None = KEEP,
        token_source: TokenSource | Keep | None = KEEP,
        enabled: bool | Keep | None = KEEP,
        pause: Pause | None = None,
        end_to_end_minutes: float | Keep | None = KEEP,
        self_healing: bool | Keep | None = KEEP,
    ) -> SavedSettings:
        """Add, change or restore a server. `pause` applies only together with `enabled`."""
        edits = {
            "url": url.strip() if isinstance(url, str) else url,
            "secret_key": _hidden(secret_key),
            "token": _hidden(token),
            "token_source": token_source,
            "enabled": enabled,
            "pause": KEEP if enabled is KEEP else pause,
            "end_to_end_minutes": end_to_end_minutes,
            "self_healing": self_healing,
        }
        server = self._server(name)
        return self._put(name, server.model_copy(update=_without_keep(edits)))

    def without_server(self, name: str) -> SavedSettings:
        """Remove a server with its saved settings, even if the environment describes it."""
        return self._put(name, SavedServer(removed=True))

    def with_session(
        self,
        server: str,
        name: str,
        *,
        enabled: bool | Keep | None = KEEP,
        pause: Pause | None = None,
        webhook: str | Keep | None = KEEP,
        label: str | Keep = KEEP,
        owner: str | Keep = KEEP,
        note: str | Keep = KEEP,
    ) -> SavedSettings:
        """Add, change or restore a session. `pause` applies only together with `enabled`.

        Webhook "": the session has no webhook.
        """
        of_server = self._server(server)
        session = of_server.sessions.get(name, SavedSession())
        session = SavedSession() if session.removed else session
        edits = {
            "enabled": enabled,
            "pause": KEEP if enabled is KEEP else pause,
            "webhook": webhook.strip() if isinstance(webhook, str) else webhook,
            "label": _line(label, LONGEST_LABEL),
            "owner": _line(owner, LONGEST_LABEL),
            "note": _line(note, LONGEST_NOTE),
        }
        changed = session.model_copy(update=_without_keep(edits))
        return self._put(
            server, of_server.model_copy(update={"sessions": {**of_server.sessions, name: changed}})
        )

    def without_session(self, server: str, name: str) -> SavedSettings:
        """Remove a session with its saved settings, even if the environment lists it."""
        owner = self._server(server)
        sessions = {**owner.sessions, name: SavedSession(removed=True)}
        return self._put(server, owner.model_copy(update={"sessions": sessions}))

    def with_interval(self, seconds: float | None) -> SavedSettings:
        """Set the probing interval; None resets it."""
        return self.model_copy(update={"interval_seconds": seconds})

    def with_alertmanager(
        self, *, url: str | Keep | None = KEEP, bearer_token: str | Keep | None = KEEP
    ) -> SavedSettings:
        """Set Alertmanager's address and token; None resets a field, "" means "none"."""
        edits = {"alertmanager_url": _hidden(url), "alertmanager_bearer_token": _hidden(bearer_token)}
        return self.model_copy(update=_without_keep(edits))

    def pruned(self, environment: CoreEnvironment) -> SavedSettings:
        """Return a copy without empty entries, and without removals of what the environment does not list."""
        servers = {}
        for name, server in self.servers.items():
            is_given = name == environment.server_name
            given = environment.usable_sessions if is_given else ()
            sessions = {
                session: saved
                for session, saved in server.sessions.items()
                if (saved != SavedSession() if session in given else not saved.removed)
            }
            kept = server.model_copy(update={"sessions": sessions})
            if kept != SavedServer() if is_given else not kept.removed:
                servers[name] = kept
        return self.model_copy(update={"servers": servers})

    def _server(self, name: str) -> SavedServer:
        server = self.servers.get(name, SavedServer())
        return SavedServer() if server.removed else server

    def _put(self, name: str, server: SavedServer) -> SavedSettings:
        return self.model_copy(update={"servers": {**self.servers, name: server}})


def changed_fields(before: SavedSettings, after: SavedSettings) -> tuple[str, ...]:
    """Return the dotted paths that differ; the path of a server or session alone: added or removed."""
    old, new = dict(_flat(before)), dict(_flat(after))
    paths = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    # An added entry is represented by its fields, unless it has none.
    return tuple(
        path
        for path in paths
        if "removed" in (old.get(path), new.get(path)) or not any(one.startswith(f"{path}.") for one in paths)
    )


def _flat(saved: SavedSettings) -> Iterator[tuple[str, object]]:
    for field in ("interval_seconds", "alertmanager_url", "alertmanager_bearer_token"):
        yield field, getattr(saved, field)
    for name, server in saved.servers.items():
        yield f"servers.{name}", "removed" if server.removed else "present"
        for field in SERVER_FIELDS:
            yield f"servers.{name}.{field}", getattr(server, field)
        for session, chosen in server.sessions.items():
            path = f"servers.{name}.sessions.{session}"
            yield path, "removed" if chosen.removed else "present"
            yield f"{path}.enabled", chosen.enabled
            yield f"{path}.pause", chosen.pause
            for field in SESSION_TEXTS:
                yield f"{path}.{field}", getattr(chosen, field)


def _line(text: str | Keep, longest: int) -> str | Keep | None:
    # An emptied field counts as never set.
    return " ".join(text.split())[:longest] or None if isinstance(text, str) else text


def _hidden(text: str | Keep | None) -> SecretStr | Keep | None:
    return SecretStr(text.strip()) if isinstance(text, str) else text


def _without_keep(edits: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in edits.items() if value is not KEEP}
