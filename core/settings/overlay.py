"""What was saved on the page, laid over the environment field by field; pure values and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final, TypeVar

from pydantic import Field, SecretStr

from core.exceptions import ConfigurationError
from core.models import Pause, Stored, TokenSource
from core.settings.environment import CoreEnvironment, find_mistakes
from core.settings.fields import (
    LONGEST_INTERVAL_SECONDS,
    SHORTEST_INTERVAL_SECONDS,
    check_alertmanager,
    check_end_to_end_minutes,
    check_webhook,
    normalise_url,
    parse_server_name,
)
from core.settings.values import AlertmanagerSettings, ServerSettings, SessionSettings, Settings

T = TypeVar("T")

SAVED_ON_THE_PAGE = "saved on the page"
DEFAULT = "default"

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
"""What the page saves of a server, besides its sessions."""


class Keep(Enum):
    """The type of `KEEP`."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
"""Leave a field as it was saved. None, in contrast, resets it: the environment's value holds again."""


class SavedSession(Stored):
    """What the page saved about one session; None: not saved."""

    enabled: bool | None = None
    pause: Pause | None = None
    """What is known of a pause; counts only while `enabled` is False."""
    webhook: str | None = Field(default=None, repr=False)
    removed: bool = False
    """The environment names it, but it was removed on the page."""


class SavedServer(Stored):
    """What the page saved about one server; None: not saved. An empty secret key or token means "none"."""

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
    """Everything the page saved. The edits return a new value and check nothing: saving does."""

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
        """Add a server or change it; one that was removed comes back. A pause goes with its `enabled`."""
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
        """Remove a server with all that was saved about it, also one that the environment gives."""
        return self._put(name, SavedServer(removed=True))

    def with_session(
        self,
        server: str,
        name: str,
        *,
        enabled: bool | Keep | None = KEEP,
        pause: Pause | None = None,
        webhook: str | Keep | None = KEEP,
    ) -> SavedSettings:
        """Add a session or change it; one that was removed comes back. A pause goes with its `enabled`.

        Webhook "": it has none.
        """
        owner = self._server(server)
        session = owner.sessions.get(name, SavedSession())
        session = SavedSession() if session.removed else session
        edits = {
            "enabled": enabled,
            "pause": KEEP if enabled is KEEP else pause,
            "webhook": webhook.strip() if isinstance(webhook, str) else webhook,
        }
        changed = session.model_copy(update=_without_keep(edits))
        return self._put(server, owner.model_copy(update={"sessions": {**owner.sessions, name: changed}}))

    def without_session(self, server: str, name: str) -> SavedSettings:
        """Remove a session with all that was saved about it, also one that the environment gives."""
        owner = self._server(server)
        sessions = {**owner.sessions, name: SavedSession(removed=True)}
        return self._put(server, owner.model_copy(update={"sessions": sessions}))

    def with_interval(self, seconds: float | None) -> SavedSettings:
        """Set the probing interval, or None to reset it."""
        return self.model_copy(update={"interval_seconds": seconds})

    def with_alertmanager(
        self, *, url: str | Keep | None = KEEP, bearer_token: str | Keep | None = KEEP
    ) -> SavedSettings:
        """Set where Alertmanager is; None resets a field, an empty one means "none"."""
        edits = {"alertmanager_url": _hidden(url), "alertmanager_bearer_token": _hidden(bearer_token)}
        return self.model_copy(update=_without_keep(edits))

    def pruned(self, environment: CoreEnvironment) -> SavedSettings:
        """Forget removals of what the environment does not give, and entries that say nothing."""
        servers = {}
        for name, server in self.servers.items():
            is_given = name == environment.server_name
            given = environment.sessions if is_given else ()
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
    """Name what differs as dotted paths, never the values; a server or session alone: added or removed."""
    old, new = dict(_flat(before)), dict(_flat(after))
    paths = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    # An entry that begins or ceases to exist is told by its fields, unless it has none.
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
            yield f"{path}.webhook", chosen.webhook


def _hidden(text: str | Keep | None) -> SecretStr | Keep | None:
    return SecretStr(text.strip()) if isinstance(text, str) else text


def _without_keep(edits: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in edits.items() if value is not KEEP}


def effective(environment: CoreEnvironment, saved: SavedSettings, revision: int) -> Settings:
    """Lay the saved fields over the environment; raises ConfigurationError with every mistake.

    A server without an address is left out: the environment that gave it may be gone.
    """
    merge = _Merge(environment, saved)
    servers = tuple(merge.servers())
    timeouts = environment.timeouts
    interval = merge.pick("interval_seconds", saved.interval_seconds, environment, 5.0)
    if not SHORTEST_INTERVAL_SECONDS <= interval <= LONGEST_INTERVAL_SECONDS:
        bounds = f"at least {SHORTEST_INTERVAL_SECONDS} and at most {LONGEST_INTERVAL_SECONDS}"
        merge.problems.append(f"interval_seconds: must be {bounds}")
    for name in type(timeouts).model_fields:
        merge.origins[f"timeouts.{name}"] = environment.source(f"timeout_{name}")
    merge.origins["proxy"] = environment.source("proxy")
    alertmanager = merge.alertmanager()
    if merge.problems:
        raise ConfigurationError(merge.problems)
    return Settings(
        revision=revision,
        servers=servers,
        interval_seconds=interval,
        timeouts=timeouts,
        proxy=environment.proxy.get_secret_value() if environment.proxy else None,
        alertmanager=alertmanager,
        origins=merge.origins,
    )


class _Merge:
    """One pass over all servers that notes where each value comes from and what is wrong with it."""

    def __init__(self, environment: CoreEnvironment, saved: SavedSettings) -> None:
        self.environment = environment
        self.saved = saved
        self.origins: dict[str, str] = {}
        self.problems: list[str] = []

    def servers(self) -> Iterator[ServerSettings]:
        """Merge every server that has an address and was not removed."""
        first = [self.environment.server_name] if self.environment.url else []
        for name in dict.fromkeys([*first, *self.saved.servers]):
            overlay = self.saved.servers.get(name, SavedServer())
            server = None if overlay.removed else self._server(name, overlay)
            if server:
                yield server

    def alertmanager(self) -> AlertmanagerSettings | None:
        """Tell where Alertmanager is; None: it is not known, and is not asked."""
        names = ("alertmanager_url", "alertmanager_bearer_token")
        url, token = (
            _given(self.pick(name, getattr(self.saved, name), self.environment, None)) for name in names
        )
        if url is None:
            return None
        address = self._check(names[0], check_alertmanager, url.get_secret_value())
        return AlertmanagerSettings(url=SecretStr(address), bearer_token=token)

    def pick(self, path: str, chosen: Any, base: CoreEnvironment | None, default: Any) -> Any:
        """Take the saved value, else the environment's, else the default; note the origin."""
        field = path.rpartition(".")[2]
        if chosen is not None:
            self.origins[path] = SAVED_ON_THE_PAGE
            return chosen
        self.origins[path] = base.source(field) if base else DEFAULT
        return getattr(base, field) if base else default

    def _server(self, name: str, overlay: SavedServer) -> ServerSettings | None:
        path = f"servers.{name}"
        base = self.environment if name == self.environment.server_name else None
        if not (overlay.url or (base and base.url)):
            return None
        self._check(path, parse_server_name, name)
        self.origins[path] = base.source("url") if base and base.url else SAVED_ON_THE_PAGE
        url = self._check(f"{path}.url", normalise_url, self.pick(f"{path}.url", overlay.url, base, None))
        secret_key = _given(self.pick(f"{path}.secret_key", overlay.secret_key, base, None))
        token = _given(self.pick(f"{path}.token", overlay.token, base, None))
        for field, secret in (("secret_key", secret_key), ("token", token)):
            if secret and not secret.get_secret_value().isprintable():
                self.problems.append(f"{path}.{field}: has a line break in it; write it in one line")
        sessions = tuple(self._sessions(path, overlay, base))
        enabled = self.pick(f"{path}.enabled", overlay.enabled, base, True)
        names = [session.name for session in sessions]
        minutes = self.pick(f"{path}.end_to_end_minutes", overlay.end_to_end_minutes, base, 0.0)
        minutes = self._check(f"{path}.end_to_end_minutes", check_end_to_end_minutes, minutes)
        labels = {"secret_key": "the secret key", "sessions": "the list of sessions"}
        for finding in find_mistakes(secret_key, token, names, labels.__getitem__):
            self.problems.append(f"{path}.{finding.fields[0]}: {finding.text}")
        return ServerSettings(
            name=name,
            url=url,
            secret_key=secret_key,
            token=token,
            token_source=self.pick(f"{path}.token_source", overlay.token_source, base, TokenSource.AUTO),
            enabled=enabled,
            pause=None if enabled else overlay.pause,
            end_to_end_minutes=minutes,
            self_healing=self.pick(f"{path}.self_healing", overlay.self_healing, base, False),
            sessions=sessions,
        )

    def _sessions(
        self, path: str, overlay: SavedServer, base: CoreEnvironment | None
    ) -> Iterator[SessionSettings]:
        given = base.sessions if base else ()
        for name in dict.fromkeys([*given, *overlay.sessions]):
            chosen = overlay.sessions.get(name, SavedSession())
            if chosen.removed:
                continue
            here = f"{path}.sessions.{name}"
            source = base if base and name in given else None
            self.origins[here] = source.source("sessions") if source else SAVED_ON_THE_PAGE
            webhook = self.pick(f"{here}.webhook", chosen.webhook, source, None)
            if webhook:
                webhook = self._check(f"{here}.webhook", check_webhook, webhook)
            # The environment has no switch for one session: WPPCONNECT_ENABLED pauses the whole server.
            enabled = self.pick(f"{here}.enabled", chosen.enabled, None, True)
            pause = None if enabled else chosen.pause
            yield SessionSettings(name=name, enabled=enabled, pause=pause, webhook=webhook)

    def _check(self, path: str, check: Callable[[T], T], value: T) -> T:
        try:
            return check(value)
        except ValueError as error:
            self.problems += [f"{path}: {problem}" for problem in error.args]
            return value


def _given(secret: SecretStr | None) -> SecretStr | None:
    return secret if secret and secret.get_secret_value() else None
