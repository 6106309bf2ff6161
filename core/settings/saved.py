"""Settings saved on the page, and edits of them; pure values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from pydantic import Field, SecretStr, create_model

from core.models import Frozen, Pause, Stored
from core.settings.environment import CoreEnvironment
from core.settings.maintenance import Window
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.setting import SettingField, saved_fields, setting_fields


class SavedEntry(Stored):
    """What the saved settings of a server and of a session have in common."""

    pause: Pause | None = None
    """Details of a pause; applies only while `enabled` is False."""
    removed: bool = False
    """Removed on the page, although the environment lists it."""


_Session: Any = create_model("_Session", __base__=SavedEntry, **saved_fields(SessionFields))
_Server: Any = create_model("_Server", __base__=SavedEntry, **saved_fields(ServerFields))
_Program: Any = create_model("_Program", __base__=Stored, **saved_fields(ProgramFields))


class SavedSession(_Session, SavedEntry):  # type: ignore[misc]
    """The saved settings of one session, the fields of `SessionFields`; None: not saved."""


class SavedServer(_Server, SavedEntry):  # type: ignore[misc]
    """The saved settings of one server, the fields of `ServerFields`; None: not saved.

    An empty secret means "none".
    """

    sessions: dict[str, SavedSession] = Field(default_factory=dict)


class SavedSettings(_Program, Stored):  # type: ignore[misc]
    """All settings saved on the page, with the fields of `ProgramFields`; None: not saved.

    Edits name the fields to change: None resets a field, so that the environment's value applies again. They
    return a new value and validate nothing: saving does.
    """

    servers: dict[str, SavedServer] = Field(default_factory=dict)
    maintenance: tuple[Window, ...] = ()

    def with_server(self, name: str, *, pause: Pause | None = None, **fields: object) -> SavedSettings:
        """Add, change or restore a server. `pause` applies only together with `enabled`."""
        return self._put(name, self._server(name).model_copy(update=_edits(ServerFields, fields, pause)))

    def without_server(self, name: str) -> SavedSettings:
        """Remove a server with its saved settings, even if the environment describes it."""
        return self._put(name, SavedServer(removed=True))

    def with_session(
        self, server: str, name: str, *, pause: Pause | None = None, **fields: object
    ) -> SavedSettings:
        """Add, change or restore a session. `pause` applies only together with `enabled`.

        Webhook "": the session has no webhook.
        """
        session = self._server(server).sessions.get(name, SavedSession())
        session = SavedSession() if session.removed else session
        return self._put_session(
            server, name, session.model_copy(update=_edits(SessionFields, fields, pause))
        )

    def without_session(self, server: str, name: str) -> SavedSettings:
        """Remove a session with its saved settings, even if the environment lists it."""
        return self._put_session(server, name, SavedSession(removed=True))

    def with_program(self, **fields: object) -> SavedSettings:
        """Change settings of the whole program. An empty secret means "none"."""
        return self.model_copy(update=_edits(ProgramFields, fields))

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

    def _put_session(self, server: str, name: str, session: SavedSession) -> SavedSettings:
        owner = self._server(server)
        return self._put(server, owner.model_copy(update={"sessions": {**owner.sessions, name: session}}))


def _edits(
    model: type[Frozen], fields: Mapping[str, object], pause: Pause | None = None
) -> dict[str, object]:
    known = {one.name: one for one in setting_fields(model)}
    if unknown := fields.keys() - known:
        raise TypeError(f"no settings of {model.__name__}: {', '.join(unknown)}")
    edits = {name: _stored(known[name], value) for name, value in fields.items()}
    return {"pause": pause, **edits} if "enabled" in edits else edits


def _stored(field: SettingField, value: object) -> object:
    """Return a value as it is saved."""
    if not isinstance(value, str) or issubclass(field.type, Enum):
        return value
    if field.setting.longest:
        # An emptied field counts as never set.
        return " ".join(value.split())[: field.setting.longest] or None
    return SecretStr(value.strip()) if field.is_secret else value.strip()


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
    yield from ((name, value) for name, value in saved if name != "servers")
    for name, server in saved.servers.items():
        yield from _flat_entry(f"servers.{name}", server)
        for session, chosen in server.sessions.items():
            yield from _flat_entry(f"servers.{name}.sessions.{session}", chosen)


def _flat_entry(path: str, entry: SavedServer | SavedSession) -> Iterator[tuple[str, object]]:
    yield path, "removed" if entry.removed else "present"
    yield from ((f"{path}.{name}", value) for name, value in entry if name not in ("sessions", "removed"))
