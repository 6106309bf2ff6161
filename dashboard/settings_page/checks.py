"""Checks of the settings page, which run in a background thread, and the discovery of sessions."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.doctor.diagnosis import Diagnosis
from core.exceptions import ConfigurationError, SettingProblem, WppconnectError
from core.gateways.protocol import Gateway
from core.gateways.registry import kind_of
from core.messages import Message
from core.models import Outcome
from core.settings.saved import SavedSettings
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings

log = logging.getLogger(__name__)

RESULT_LIFE = timedelta(minutes=2)
"""For how long a result is shown. The gateway may change, and the check is not repeated."""

MOST_ADDED = 100
"""Per discovery: a gateway that lists thousands of names must not make the page unusable."""
MOST_ODD_SHOWN = 20


class KnowsGateways(Protocol):
    """The part of the core that the checks use."""

    @property
    def settings(self) -> SettingsSource:
        """Return the source that reads and saves the settings."""

    def client(self, server: ServerSettings) -> Gateway:
        """Return a new client, to be closed by the caller."""


@dataclass(frozen=True)
class Discovery:
    """The sessions that a gateway lists: added, already known, or unsafe to use."""

    added: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    """Listed names that are not safe to use."""
    problem: str = ""
    """"unreadable", or the class name of the error; empty on success."""
    mistakes: tuple[SettingProblem | Message | str, ...] = ()
    """Why the settings cannot hold the found sessions."""


@dataclass(frozen=True)
class Asked:
    """The result of a check or a removal, with its time and actor and the gateway's state at the request."""

    result: Diagnosis | Discovery | Outcome
    actor: str
    at: datetime
    server: ServerSettings | None
    """The settings without the sessions, to which a discovery adds."""
    up: bool | None

    def holds(self, server: ServerSettings | None, *, up: bool | None, now: datetime) -> bool:
        """Return whether the result is recent, and the gateway's settings and reachability are unchanged."""
        return now - self.at <= RESULT_LIFE and self.server == without_sessions(server) and self.up == up


def discover(core: KnowsGateways, server_name: str, *, actor: str) -> Discovery:
    """Add the sessions that the gateway lists and the settings lack, paused."""
    server = core.settings.current().server(server_name)
    if server is None:
        return Discovery()
    try:
        with closing(core.client(server)) as client:
            names = client.list_sessions()
        if names is None:
            return Discovery(problem="unreadable")
        problem = kind_of(server.kind).session_name_problem
        usable = [name for name in names if problem(name) is None]
        known = {session.name for session in server.sessions}
        added = tuple(dict.fromkeys(name for name in usable if name not in known))[:MOST_ADDED]
        if added:
            _add_paused(core.settings, server_name, added, actor)
    except ConfigurationError as error:
        return Discovery(problem=type(error).__name__, mistakes=error.explanations)
    except WppconnectError as error:
        log.info("looking_for_sessions_failed server=%s error=%s", server_name, error)
        return Discovery(problem=type(error).__name__)
    odd = tuple(name for name in names if problem(name))[:MOST_ODD_SHOWN]
    return Discovery(added=added, known=tuple(name for name in usable if name in known), odd=odd)


def without_sessions(server: ServerSettings | None) -> ServerSettings | None:
    """Return the part of a gateway's settings on which a result depends."""
    return server.model_copy(update={"sessions": ()}) if server else None


def _add_paused(source: SettingsSource, server: str, names: tuple[str, ...], actor: str) -> None:
    def change(saved: SavedSettings) -> SavedSettings:
        present = source.current().server(server)
        for name in names:
            # A session added by a user during the request must not be paused.
            if present is None or present.session(name) is None:
                saved = saved.with_session(server, name, enabled=False)
        return saved

    source.edit(change, actor=actor)
