"""The values that are in force: read from settings and store, changed there together with the files."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from core.clock import Now, now
from core.exceptions import ConfigurationError, SyncError
from core.gateways.registry import kind_of
from core.logs import register_secret
from core.messages import Message
from core.models import utc
from core.settings.saved import SavedSettings
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings
from core.store import Store, modify
from core.sync.targets import ReceivedKind, Receives
from core.sync.value_span import ALPHABET

SUBJECT = "sync"
API_KEY = "api_key"
COMMANDS = "commands"

NO_API_KEY = Message.of("files.no_api_key")


Fresh = dict[Receives, SecretStr]
"""New values that are not in force yet."""


@dataclass(frozen=True)
class Values:
    """What each kind of secret is, or why it is none."""

    known: Mapping[Receives, SecretStr] = field(default_factory=dict)
    problems: Mapping[Receives, Message] = field(default_factory=dict)

    def text(self, receives: Receives) -> str | None:
        """Return the value in clear; None when there is none."""
        value = self.known.get(receives)
        return value.get_secret_value() if value else None

    def problem(self, receives: Receives) -> Message | None:
        """Return why there is no value."""
        return self.problems.get(receives)


def checked(known: Mapping[Receives, SecretStr], problems: Mapping[Receives, Message]) -> Values:
    """Separate the values that cannot be written; `problems` holds why others are missing."""
    good: dict[Receives, SecretStr] = {}
    bad = dict(problems)
    for receives, value in known.items():
        if ALPHABET.fullmatch(value.get_secret_value()):
            good[receives] = value
        else:
            bad[receives] = Message.of("files.other_characters", name=receives.words)
    return Values(good, bad)


class SecretValues:
    """Knows what each kind of secret is now, and puts new ones in force."""

    def __init__(self, settings: SettingsSource, store: Store, *, clock: Now = now) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    def values(
        self, wanted: Collection[Receives], fresh: Mapping[Receives, SecretStr] | None = None
    ) -> Values:
        """Return the values in force; those in `fresh` instead, where given."""
        known: dict[Receives, SecretStr] = {}
        problems: dict[Receives, Message] = {}
        for receives in wanted:
            found = (fresh or {}).get(receives) or self._find(receives)
            if isinstance(found, SecretStr):
                register_secret(found.get_secret_value())
                known[receives] = found
            else:
                problems[receives] = found
        return checked(known, problems)

    def generate(self, receives: Receives) -> SecretStr:
        """Make a new value: 128 random bits in hexadecimal, which every reader and every gateway takes.

        Not longer: the gateway reads 72 bytes of session name and secret key together.
        """
        if receives.kind is ReceivedKind.TOKEN:
            raise SyncError(Message.of("changes.token_not_generated"))
        value = secrets.token_hex(16)
        register_secret(value)
        return SecretStr(value)

    def put(self, values: Mapping[Receives, SecretStr | None], *, actor: str) -> None:
        """Put values in force; None forgets an API key. Does nothing where they are in force already."""
        for receives, value in values.items():
            text = value.get_secret_value() if value else None
            if receives.kind is ReceivedKind.API_KEY:
                self._put_api_key(text, actor)
            elif receives.kind is ReceivedKind.SECRET_KEY and text is not None:
                self._put_secret_key(receives, text, actor)

    def commands_done(self) -> dict[str, str]:
        """Return the fingerprint of the value that each command target last took."""
        record = self._store.read(SUBJECT, COMMANDS)
        return dict(record.value) if record else {}

    def command_done(self, name: str, mark: str | None) -> None:
        """Store the fingerprint of what a command target took; None if unknown."""

        def changed(value: dict[str, Any] | None) -> dict[str, Any]:
            kept = {key: one for key, one in (value or {}).items() if key != name}
            return kept | ({name: mark} if mark else {})

        modify(self._store, SUBJECT, COMMANDS, changed)

    def _find(self, receives: Receives) -> SecretStr | Message:
        """Return the value, or why there is none."""
        if receives.kind is ReceivedKind.API_KEY:
            record = self._store.read(SUBJECT, API_KEY)
            return SecretStr(record.value["value"]) if record else NO_API_KEY
        server = self._server(receives)
        if isinstance(server, Message):
            return server
        if receives.kind is ReceivedKind.SECRET_KEY:
            return server.secret_key or Message.of("files.no_secret_key", server=server.name)
        kind = kind_of(server.kind)
        token = kind.application_credential(server, receives.session, self._store, self._clock)
        if token is None:
            return Message.of("files.no_token", session=receives.session)
        return SecretStr(token)

    def _server(self, receives: Receives) -> ServerSettings | Message:
        servers = self._settings.current().servers
        if receives.server:
            found = next((one for one in servers if one.name == receives.server), None)
            return found or Message.of("files.no_server", server=receives.server)
        if len(servers) == 1:
            return servers[0]
        return Message.of("files.several_servers", count=len(servers), kind=str(receives.kind))

    def _put_api_key(self, text: str | None, actor: str) -> None:
        def changed(value: dict[str, Any] | None) -> dict[str, Any] | None:
            if value and value["value"] == text:
                return value
            return {"value": text, "at": utc(self._clock()), "actor": actor} if text else None

        modify(self._store, SUBJECT, API_KEY, changed)

    def _put_secret_key(self, receives: Receives, text: str, actor: str) -> None:
        server = self._server(receives)
        if isinstance(server, Message):
            raise SyncError(server)
        if server.secret_key and server.secret_key.get_secret_value() == text:
            return

        def change(saved: SavedSettings) -> SavedSettings:
            return saved.with_server(server.name, secret_key=text)

        try:
            self._settings.edit(change, actor=actor)
        except ConfigurationError as error:
            raise SyncError(error.explanation) from None
