"""Requests of the settings page to a gateway, which run in a background thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from core.clock import monotonic
from core.doctor.diagnosis import Check, Diagnosis, Result
from core.exceptions import ConfigurationError, SettingProblem, WppconnectError
from core.gateways.protocol import Gateway
from core.gateways.registry import kind_of
from core.messages import Message
from core.models import Outcome, SessionState
from core.settings.saved import SavedSettings
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings, Settings

log = logging.getLogger(__name__)

RESULT_LIFE = timedelta(minutes=2)
"""For how long a result is shown. The gateway may change, and the check is not repeated."""
CHOICE_LIFE = timedelta(minutes=15)
"""For how long a result is shown that awaits a choice."""

MOST_OFFERED = 100
"""A gateway that lists thousands of names must not make the page unusable."""
MOST_ODD_SHOWN = 20
STATES_SECONDS = 15.0
"""No further state is read after this time: where one call does not list them, each takes a request."""


class KnowsGateways(Protocol):
    """The part of the core that the checks use."""

    @property
    def settings(self) -> SettingsSource:
        """Return the source that reads and saves the settings."""

    def client(self, server: ServerSettings) -> Gateway:
        """Return a new client, to be closed by the caller."""

    def trial_client(self, server: ServerSettings, settings: Settings) -> AbstractContextManager[Gateway]:
        """Return a client that keeps nothing."""


@dataclass(frozen=True)
class Discovery:
    """The sessions that a gateway lists."""

    found: Mapping[str, SessionState | None] = field(default_factory=dict)
    """Names that the settings lack and the state of each; None if it was not read."""
    more: int = 0
    """How many further ones there are."""
    odd: tuple[str, ...] = ()
    """Listed names that are not safe to use."""
    problem: str = ""
    """"unreadable", or the class name of the error; empty on success."""


@dataclass(frozen=True)
class Asked:
    """The result of a check or a removal, with its time and actor and the gateway's state at the request."""

    result: Diagnosis | Discovery | Outcome
    actor: str
    at: datetime
    server: ServerSettings | None
    """The gateway's settings in effect, without its sessions."""
    up: bool | None
    tested: ServerSettings | None = None
    """The settings that were tested where they were not saved, without the sessions."""

    def holds(self, server: ServerSettings | None, *, up: bool | None, now: datetime) -> bool:
        """Return whether the result is recent, and the gateway's settings and reachability are unchanged."""
        known = without_sessions(server)
        life = CHOICE_LIFE if isinstance(self.result, Discovery) else RESULT_LIFE
        if self.tested is not None and known == self.tested:
            return now - self.at <= life
        return now - self.at <= life and self.server == known and self.up == up

    def is_of_saved(self, server: ServerSettings | None) -> bool:
        """Return whether the result is about the settings in effect."""
        return self.tested is None or self.tested == without_sessions(server)


@dataclass(frozen=True)
class NewServer:
    """A gateway that an administrator adds, as typed."""

    name: str
    url: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class Trial:
    """The test of a gateway that is to be added."""

    server: NewServer
    diagnosis: Diagnosis
    at: datetime
    is_saved: bool = False
    problems: tuple[SettingProblem | Message | str, ...] = ()
    """Why the settings cannot hold it although it passed."""


def is_usable(diagnosis: Diagnosis) -> bool:
    """Return whether a gateway answered and accepted the secret key."""
    checks = (Check.REACHABLE, Check.SECRET_ACCEPTED)
    found = [diagnosis.result(one) for one in checks]
    return all(one is not None and one.result is Result.PASSED for one in found)


def save_tested(source: SettingsSource, trial: Trial, *, actor: str, may_save: Callable[[], bool]) -> Trial:
    """Save a gateway that passed its test, if `may_save` allows it; return the trial with the outcome."""
    try:
        if not may_save():
            log.warning("tested_gateway_not_saved reason=not_an_administrator actor=%s", actor)
            return trial
        source.edit(adding(source, trial.server), actor=actor)
    except ConfigurationError as error:
        return replace(trial, problems=error.explanations)
    except WppconnectError as error:
        return replace(trial, problems=(error.explanation,))
    return replace(trial, is_saved=True)


def adding(source: SettingsSource, server: NewServer) -> Callable[[SavedSettings], SavedSettings]:
    """Return the edit that adds a gateway; it raises ConfigurationError if the name is taken."""

    def change(saved: SavedSettings) -> SavedSettings:
        if source.current().server(server.name) is not None:
            taken = Message("setting.server_exists")
            raise ConfigurationError([SettingProblem(f"servers.{server.name}", taken)])
        # Empty means none, even for a name with a key or a token in the environment.
        return saved.with_server(server.name, url=server.url, secret_key=server.secret_key, token="")

    return change


def discover(core: KnowsGateways, server_name: str) -> Discovery:
    """Return the sessions that the gateway lists and the settings lack, with their states."""
    settings = core.settings.current()
    server = settings.server(server_name)
    if server is None:
        return Discovery()
    try:
        with closing(core.client(server)) as client:
            names = client.list_sessions()
            if names is None:
                return Discovery(problem="unreadable")
            listed = client.read_overview().states or {}
        problem = kind_of(server.kind).session_name_problem
        known = {session.name for session in server.sessions}
        new = [name for name in dict.fromkeys(names) if name not in known and problem(name) is None]
        offered = new[:MOST_OFFERED]
        unread = [name for name in offered if name not in listed]
        # Tokens of sessions that are not in the settings are not kept.
        with core.trial_client(server.model_copy(update={"sessions": ()}), settings) as client:
            states = {**listed, **dict(_read_states(client, unread))}
    except WppconnectError as error:
        log.info("looking_for_sessions_failed server=%s error=%s", server_name, error)
        return Discovery(problem=type(error).__name__)
    return Discovery(
        found={name: states.get(name) for name in offered},
        more=len(new) - len(offered),
        odd=tuple(name for name in names if problem(name))[:MOST_ODD_SHOWN],
    )


def _read_states(client: Gateway, names: Iterable[str]) -> Iterator[tuple[str, SessionState]]:
    deadline = monotonic() + STATES_SECONDS
    for name in names:
        if monotonic() > deadline:
            return
        try:
            yield name, client.read_status(name).state
        except WppconnectError as error:
            log.info("state_of_found_session_not_read session=%s error=%s", name, error)


def without_sessions(server: ServerSettings | None) -> ServerSettings | None:
    """Return the part of a gateway's settings on which a result depends."""
    return server.model_copy(update={"sessions": ()}) if server else None
