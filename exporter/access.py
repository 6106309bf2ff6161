"""What the web configuration says about each request, exchangeable while requests are answered."""

from __future__ import annotations

from core.exceptions import ConfigurationError
from exporter.basic_auth import Admission, BasicAuth
from exporter.tls import ExchangeableContext
from exporter.web_config import WebConfig


class Access:
    """Who gets in, over which TLS, with which headers added. Belongs to one event loop but for `replace`."""

    def __init__(self, config: WebConfig | None = None) -> None:
        self._config = config or WebConfig()
        self._basic_auth = BasicAuth()
        self.tls = ExchangeableContext(self._config.tls) if self._config.tls is not None else None
        """What connections are accepted with; None: in clear."""

    @property
    def config(self) -> WebConfig:
        """The configuration in force."""
        return self._config

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of every answer."""
        return self._config.headers

    async def admit(self, authorization: str | None) -> Admission:
        """Decide on a request by its Authorization header."""
        users = self._config.users
        return await self._basic_auth.admit(authorization, users) if users else Admission.ADMITTED

    def check(self, config: WebConfig) -> None:
        """Raise ConfigurationError when a configuration cannot replace this one without a restart."""
        if (config.tls is None) != (self.tls is None):
            text = "TLS cannot be switched on or off while the exporter runs; restart it"
            raise ConfigurationError([f"tls_server_config: {text}"])

    def replace(self, config: WebConfig) -> None:
        """Put a checked configuration in force, for new connections and for every new request."""
        if self.tls is not None and config.tls is not None:
            self.tls.current = config.tls
        self._config = config
