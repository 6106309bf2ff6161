"""The settings in force, as frozen values: what is known of each gateway, whoever said it."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr

from core.models import Frozen, Pause, TokenSource
from core.settings.fields import Seconds


class SessionSettings(Frozen):
    """One session of a server."""

    name: str
    enabled: bool = True
    """False: paused, it is not probed."""
    pause: Pause | None = None
    """Who paused it, why and until when, where that was told."""
    webhook: str | None = Field(default=None, repr=False)
    """The customer's application: None when we do not know, "" when it is known to have none."""
    label: str = Field(default="", repr=False)
    """What the session is for, as an administrator typed it."""
    owner: str = Field(default="", repr=False)
    """Who has the phone."""
    note: str = Field(default="", repr=False)
    """What else whoever re-pairs it must know; for people who are signed in."""


class ServerSettings(Frozen):
    """One gateway."""

    name: str
    url: str
    secret_key: SecretStr | None = None
    token: SecretStr | None = None
    token_source: TokenSource = TokenSource.AUTO
    enabled: bool = True
    pause: Pause | None = None
    """Who paused the whole gateway, why and until when, where that was told."""
    end_to_end_minutes: float = 0
    """How often each session has WhatsApp asked something; 0: never."""
    self_healing: bool = False
    """Restart sessions that do not respond."""
    sessions: tuple[SessionSettings, ...] = ()

    def session(self, name: str) -> SessionSettings | None:
        """Find a session by name."""
        return next((one for one in self.sessions if one.name == name), None)


class AlertmanagerSettings(Frozen):
    """Where Alertmanager is, and what it wants to be shown."""

    url: SecretStr
    """A secret, since it can hold a user name and password."""
    bearer_token: SecretStr | None = None

    @property
    def address(self) -> str:
        """The address without a user name and password."""
        parts = urlsplit(self.url.get_secret_value())
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def authorization(self) -> str:
        """The header that lets us in; "" when none is wanted."""
        if self.bearer_token is not None:
            return f"Bearer {self.bearer_token.get_secret_value()}"
        parts = urlsplit(self.url.get_secret_value())
        if parts.username is None:
            return ""
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be read anywhere."""
        password = urlsplit(self.url.get_secret_value()).password or ""
        token = self.bearer_token.get_secret_value() if self.bearer_token else ""
        return tuple(one for one in (password, unquote(password), token, self.authorization) if one)


class Timeouts(Frozen):
    """Total budget of each call to the gateway, from connecting to the last byte (contract, section 9)."""

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
    """Everything that is set, at one revision; immutable, so that a reader never sees half a change."""

    revision: int
    """Version of what was saved on the page; 0 when nothing was."""
    servers: tuple[ServerSettings, ...] = ()
    interval_seconds: float = 5.0
    timeouts: Timeouts = Timeouts()
    proxy: str | None = Field(default=None, repr=False)
    alertmanager: AlertmanagerSettings | None = None
    origins: dict[str, str] = Field(default_factory=dict)
    """Dotted path, such as "servers.main.url", to the variable's name, "saved on the page" or "default"."""

    def server(self, name: str) -> ServerSettings | None:
        """Find a server by name."""
        return next((one for one in self.servers if one.name == name), None)

    def session(self, server: str, name: str) -> SessionSettings | None:
        """Find a session by its server's and its own name."""
        found = self.server(server)
        return found.session(name) if found is not None else None
