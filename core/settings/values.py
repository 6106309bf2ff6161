"""The settings in effect, as frozen values."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr

from core.gateways.registry import DEFAULT
from core.models import Frozen, Pause
from core.settings.fields import GatewayUrl, Seconds
from core.settings.maintenance import Window
from core.settings.model import ServerFields, SessionFields


class SessionSettings(SessionFields):
    """One session of a server."""

    name: str
    pause: Pause | None = None
    """Who paused the session, why and until when, if on record."""

    @property
    def tag_words(self) -> tuple[str, ...]:
        """The tags in the order of the text, each once whatever its case."""
        words = {word.casefold(): word for word in map(str.strip, reversed(self.tags.split(","))) if word}
        return tuple(reversed(words.values()))


def all_tags(sessions: Iterable[SessionSettings]) -> list[str]:
    """Return the tags of sessions in alphabetical order, each once whatever its case."""
    words: dict[str, str] = {}
    for word in (word for one in sessions for word in one.tag_words):
        words.setdefault(word.casefold(), word)
    return [words[key] for key in sorted(words)]


class ServerSettings(ServerFields):
    """One gateway."""

    name: str
    kind: str = DEFAULT
    """The kind of gateway; a key of `KINDS`."""
    url: GatewayUrl
    pause: Pause | None = None
    """Who paused the whole gateway, why and until when, if on record."""
    sessions: tuple[SessionSettings, ...] = ()

    def session(self, name: str) -> SessionSettings | None:
        """Return a session by name; None if there is none."""
        return next((one for one in self.sessions if one.name == name), None)


class AlertmanagerSettings(Frozen):
    """Address and credentials of Alertmanager."""

    url: SecretStr
    """Secret, since it can contain a user name and password."""
    bearer_token: SecretStr | None = None

    @property
    def address(self) -> str:
        """The address without a user name and password."""
        parts = urlsplit(self.url.get_secret_value())
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def authorization(self) -> str:
        """The Authorization header; "" if no credentials are set."""
        if self.bearer_token is not None:
            return f"Bearer {self.bearer_token.get_secret_value()}"
        parts = urlsplit(self.url.get_secret_value())
        if parts.username is None:
            return ""
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """All texts that must never be shown or logged."""
        password = urlsplit(self.url.get_secret_value()).password or ""
        token = self.bearer_token.get_secret_value() if self.bearer_token else ""
        return tuple(one for one in (password, unquote(password), token, self.authorization) if one)


class Timeouts(Frozen):
    """Total timeout of each call to the gateway, from connecting to the last byte (contract, section 9)."""

    connect_seconds: Seconds = 3.0
    healthz_seconds: Seconds = 5.0
    show_all_seconds: Seconds = 5.0
    status_seconds: Seconds = 10.0
    check_connection_seconds: Seconds = 10.0
    end_to_end_seconds: Seconds = 15.0
    close_seconds: Seconds = 15.0
    logout_seconds: Seconds = 30.0
    start_seconds: Seconds = 10.0
    start_waiting_seconds: Seconds = 60.0
    generate_token_seconds: Seconds = 10.0


class Settings(Frozen):
    """All settings at one revision; immutable, so that a reader never sees half a change."""

    revision: int
    """Version of the saved settings; 0 if nothing was saved."""
    servers: tuple[ServerSettings, ...] = ()
    interval_seconds: float = 5.0
    timeouts: Timeouts = Timeouts()
    proxy: str | None = Field(default=None, repr=False)
    alertmanager: AlertmanagerSettings | None = None
    maintenance: tuple[Window, ...] = ()
    grafana_url: str | None = None
    origins: dict[str, str] = Field(default_factory=dict)
    """By dotted path, such as "servers.main.url": the variable's name, "saved on the page" or "default"."""

    def server(self, name: str) -> ServerSettings | None:
        """Return a server by name; None if there is none."""
        return next((one for one in self.servers if one.name == name), None)

    def session(self, server: str, name: str) -> SessionSettings | None:
        """Return a session by its server's and its own name; None if there is none."""
        found = self.server(server)
        return found.session(name) if found is not None else None
