"""Override the environment with the values saved on the page, field by field; pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError

from core.exceptions import ConfigurationError, SettingProblem
from core.models import Frozen
from core.settings.environment import NOT_ALLOWED, CoreEnvironment, find_mistakes
from core.settings.fields import is_allowed_host, parse_server_name
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.recipients import is_elsewhere
from core.settings.saved import SavedServer, SavedSession, SavedSettings
from core.settings.setting import SAVED_ON_THE_PAGE, setting_fields
from core.settings.values import AlertmanagerSettings, ServerSettings, SessionSettings, Settings
from core.settings.words import problems_of

DEFAULT = "default"

Built = TypeVar("Built", bound=Frozen)


def effective(environment: CoreEnvironment, saved: SavedSettings, revision: int) -> Settings:
    """Return the environment overridden by the saved fields; raise ConfigurationError with all mistakes.

    A server without an address is omitted: it may have come from variables that are no longer set.
    """
    merge = _Merge(environment, saved)
    servers = tuple(merge.servers())
    program = merge.program()
    timeouts = environment.timeouts
    for name in type(timeouts).model_fields:
        merge.origins[f"timeouts.{name}"] = environment.source(f"timeout_{name}")
    merge.origins["proxy"] = environment.source("proxy")
    if merge.problems or program is None:
        raise ConfigurationError(merge.problems)
    address, token = program.alertmanager_url, program.alertmanager_bearer_token
    return Settings(
        revision=revision,
        servers=servers,
        interval_seconds=program.interval_seconds,
        timeouts=timeouts,
        proxy=environment.proxy.get_secret_value() if environment.proxy else None,
        alertmanager=AlertmanagerSettings(url=address, bearer_token=token) if address else None,
        maintenance=saved.maintenance,
        grafana_url=program.grafana_url,
        origins=merge.origins,
    )


class _Merge:
    """One merge of all settings, collecting the origin of each value and all mistakes."""

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

    def program(self) -> ProgramFields | None:
        """Return the merged settings of the whole program; None after a mistake."""
        program = self._build(ProgramFields, "", self._pick(ProgramFields, "", self.saved, self.environment))
        if program and program.alertmanager_url:
            self._check_allowed("alertmanager_url", program.alertmanager_url.get_secret_value())
        return program

    def _server(self, name: str, overlay: SavedServer) -> ServerSettings | None:
        path = f"servers.{name}"
        base = self.environment if name == self.environment.server_name else None
        if not (overlay.url or (base and base.url)):
            return None
        try:
            parse_server_name(name)
        except ValueError as error:
            self.problems += [SettingProblem(path, problem) for problem in error.args]
        self.origins[path] = base.source("url") if base and base.url else SAVED_ON_THE_PAGE
        values = self._pick(ServerFields, f"{path}.", overlay, base)
        pause = None if values["enabled"] else overlay.pause
        sessions = tuple(self._sessions(path, overlay, base))
        server = self._build(ServerSettings, f"{path}.", {**values, "name": name, "pause": pause})
        if server:
            self._check_allowed(f"{path}.url", server.url)
        for finding in find_mistakes(values["secret_key"], values["token"], [one.name for one in sessions]):
            self.problems.append(SettingProblem(f"{path}.{finding.fields[0]}", finding.text))
        return server.model_copy(update={"sessions": sessions}) if server else None

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
            values = self._pick(SessionFields, f"{here}.", chosen, source)
            pause = None if values["enabled"] else chosen.pause
            if session := self._build(SessionSettings, f"{here}.", {**values, "name": name, "pause": pause}):
                yield session

    def _pick(
        self, model: type[Frozen], path: str, saved: Any, base: CoreEnvironment | None
    ) -> dict[str, Any]:
        """Return of each field the saved value, else the variable's, else the default; record its origin.

        A secret's variable counts only for the server of the variable's address.
        """
        values = {}
        for one in setting_fields(model):
            has_variable = base and one.has_variable and not is_elsewhere(one, saved, base)
            value, source = getattr(saved, one.name), base if has_variable else None
            if value is None:
                value = getattr(source, one.name) if source else one.default
                self.origins[path + one.name] = source.source(one.name) if source else DEFAULT
            else:
                self.origins[path + one.name] = SAVED_ON_THE_PAGE
            is_empty = isinstance(value, SecretStr) and not value.get_secret_value()
            values[one.name] = None if is_empty else value
        return values

    def _build(self, model: type[Built], path: str, values: dict[str, Any]) -> Built | None:
        try:
            return model(**values)
        except ValidationError as error:
            self.problems += [SettingProblem(path + name, text) for name, text in problems_of(error, model)]
            return None

    def _check_allowed(self, path: str, url: str) -> None:
        if not is_allowed_host(url, self.environment.allowed_hosts):
            self.problems.append(SettingProblem(path, NOT_ALLOWED))
