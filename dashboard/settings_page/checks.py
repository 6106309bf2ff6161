"""What the settings page asks a gateway in a background thread, and which sessions it finds there."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.client import GatewayClient
from core.contract.session_names import session_name_problem
from core.doctor.diagnosis import Diagnosis
from core.exceptions import ConfigurationError, SettingProblem, WppconnectError
from core.messages import Message
from core.models import Outcome
from core.settings.saved import SavedSettings
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings

log = logging.getLogger(__name__)

RESULT_LIFE = timedelta(minutes=2)
"""How long an answer is shown: a gateway changes, and nobody watches for it here."""

MOST_ADDED = 100
"""By one click: a gateway that tells thousands of names must not fill the page beyond use."""
MOST_ODD_SHOWN = 20


class KnowsGateways(Protocol):
    """What the checks need of the core."""

    @property
    def settings(self) -> SettingsSource:
        """Where the settings come from and go to."""

    def client(self, server: ServerSettings) -> GatewayClient:
        """Open a client, to be closed after use."""


@dataclass(frozen=True)
class Discovery:
    """Which sessions a gateway named and what became of them."""

    added: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    """Names that the gateway tells but that are not safe to use."""
    problem: str = ""
    """"unreadable", or the class of the error that came."""
    mistakes: tuple[SettingProblem | Message | str, ...] = ()
    """Why the found sessions do not fit the settings."""


@dataclass(frozen=True)
class Asked:
    """What came of a question or a removal, when and by whom it was asked, and how the gateway stood then."""

    result: Diagnosis | Discovery | Outcome
    actor: str
    at: datetime
    server: ServerSettings | None
    """Without its sessions, which looking for sessions adds to."""
    up: bool | None

    def holds(self, server: ServerSettings | None, *, up: bool | None, now: datetime) -> bool:
        """Tell whether the answer still says something about the gateway as it stands now."""
        return now - self.at <= RESULT_LIFE and self.server == without_sessions(server) and self.up == up


def discover(core: KnowsGateways, server_name: str, *, actor: str) -> Discovery:
    """Add the sessions that the gateway knows and we do not, paused."""
    server = core.settings.current().server(server_name)
    if server is None:
        return Discovery()
    try:
        with closing(core.client(server)) as client:
            names = client.list_sessions()
        if names is None:
            return Discovery(problem="unreadable")
        usable = [name for name in names if session_name_problem(name) is None]
        known = {session.name for session in server.sessions}
        added = tuple(dict.fromkeys(name for name in usable if name not in known))[:MOST_ADDED]
        if added:
            _add_paused(core.settings, server_name, added, actor)
    except ConfigurationError as error:
        return Discovery(problem=type(error).__name__, mistakes=error.explanations)
    except WppconnectError as error:
        log.info("looking_for_sessions_failed server=%s error=%s", server_name, error)
        return Discovery(problem=type(error).__name__)
    odd = tuple(name for name in names if session_name_problem(name))[:MOST_ODD_SHOWN]
    return Discovery(added=added, known=tuple(name for name in usable if name in known), odd=odd)


def without_sessions(server: ServerSettings | None) -> ServerSettings | None:
    """Return what of a gateway's settings an answer depends on."""
    return server.model_copy(update={"sessions": ()}) if server else None


def _add_paused(source: SettingsSource, server: str, names: tuple[str, ...], actor: str) -> None:
    def change(saved: SavedSettings) -> SavedSettings:
        present = source.current().server(server)
        for name in names:
            # Whoever added it while the gateway was asked may want it checked.
            if present is None or present.session(name) is None:
                saved = saved.with_session(server, name, enabled=False)
        return saved

    source.edit(change, actor=actor)
