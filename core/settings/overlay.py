"""Override the environment with the values saved on the page, field by field; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pydantic import SecretStr

from core.exceptions import ConfigurationError, SettingProblem
from core.messages import Message
from core.models import TokenSource
from core.settings.environment import NOT_ALLOWED, CoreEnvironment, find_mistakes
from core.settings.fields import (
    LONGEST_INTERVAL_SECONDS,
    SHORTEST_INTERVAL_SECONDS,
    check_alertmanager,
    check_end_to_end_minutes,
    check_webhook,
    is_allowed_host,
    normalise_url,
    parse_server_name,
)
from core.settings.saved import SavedServer, SavedSession, SavedSettings
from core.settings.values import AlertmanagerSettings, ServerSettings, SessionSettings, Settings

T = TypeVar("T")

ABOUT = ("label", "owner", "note")
"""An administrator's texts about a session."""

SAVED_ON_THE_PAGE = "saved on the page"
DEFAULT = "default"


def effective(environment: CoreEnvironment, saved: SavedSettings, revision: int) -> Settings:
    """Return the environment overridden by the saved fields; raise ConfigurationError with all mistakes.

    A server without an address is omitted: it may have come from variables that are no longer set.
    """
    merge = _Merge(environment, saved)
    servers = tuple(merge.servers())
    timeouts = environment.timeouts
    interval = merge.pick("interval_seconds", saved.interval_seconds, environment, 5.0)
    if not SHORTEST_INTERVAL_SECONDS <= interval <= LONGEST_INTERVAL_SECONDS:
        text = Message.of(
            "setting.interval", shortest=SHORTEST_INTERVAL_SECONDS, longest=LONGEST_INTERVAL_SECONDS
        )
        merge.problems.append(SettingProblem("interval_seconds", text))
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
    """One merge of all servers, collecting the origin of each value and all mistakes."""

    def __init__(self, environment: CoreEnvironment, saved: SavedSettings) -> None:
        self.environment = environment
        self.saved = saved
        self.origins: dict[str, str] = {}
        self.problems: list[SettingProblem] = []

    def servers(self) -> Iterator[ServerSettings]:
        """Yield every merged server that has an address and was not removed."""
        first = [self.environment.server_name] if self.environment.url else []
        for name in dict.fromkeys([*first, *self.saved.servers]):
            overlay = self.saved.servers.get(name, SavedServer())
            server = None if overlay.removed else self._server(name, overlay)
            if server:
                yield server

    def alertmanager(self) -> AlertmanagerSettings | None:
        """Return Alertmanager's settings; None if no address is set."""
        names = ("alertmanager_url", "alertmanager_bearer_token")
        url, token = (
            _given(self.pick(name, getattr(self.saved, name), self.environment, None)) for name in names
        )
        if url is None:
            return None
        address = self._check(names[0], check_alertmanager, url.get_secret_value())
        self._check_allowed(names[0], address)
        return AlertmanagerSettings(url=SecretStr(address), bearer_token=token)

    def pick(self, path: str, chosen: Any, base: CoreEnvironment | None, default: Any) -> Any:
        """Return the saved value, else the environment's, else the default; record its origin."""
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
        self._check_allowed(f"{path}.url", url)
        secret_key = _given(self.pick(f"{path}.secret_key", overlay.secret_key, base, None))
        token = _given(self.pick(f"{path}.token", overlay.token, base, None))
        for field, secret in (("secret_key", secret_key), ("token", token)):
            if secret and not secret.get_secret_value().isprintable():
                self.problems.append(SettingProblem(f"{path}.{field}", Message("setting.secret_unprintable")))
        sessions = tuple(self._sessions(path, overlay, base))
        enabled = self.pick(f"{path}.enabled", overlay.enabled, base, True)
        names = [session.name for session in sessions]
        minutes = self.pick(f"{path}.end_to_end_minutes", overlay.end_to_end_minutes, base, 0.0)
        minutes = self._check(f"{path}.end_to_end_minutes", check_end_to_end_minutes, minutes)
        for finding in find_mistakes(secret_key, token, names):
            self.problems.append(SettingProblem(f"{path}.{finding.fields[0]}", finding.text))
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
        given = base.usable_sessions if base else ()
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
            # No variable enables a single session: WPPCONNECT_ENABLED pauses the whole server.
            enabled = self.pick(f"{here}.enabled", chosen.enabled, None, True)
            pause = None if enabled else chosen.pause
            yield SessionSettings(
                name=name,
                enabled=enabled,
                pause=pause,
                webhook=webhook,
                **{text: self.pick(f"{here}.{text}", getattr(chosen, text), None, "") for text in ABOUT},
            )

    def _check_allowed(self, path: str, url: str) -> None:
        if not is_allowed_host(url, self.environment.allowed_hosts):
            self.problems.append(SettingProblem(path, NOT_ALLOWED))

    def _check(self, path: str, check: Callable[[T], T], value: T) -> T:
        try:
            return check(value)
        except ValueError as error:
            self.problems += [SettingProblem(path, problem) for problem in error.args]
            return value


def _given(secret: SecretStr | None) -> SecretStr | None:
    return secret if secret and secret.get_secret_value() else None
