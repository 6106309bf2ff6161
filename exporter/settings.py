"""The exporter's own settings, EXPORTER_*; what it shares with the page is in `core.settings`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from core.settings.fields import ListenAddress, LogFormat, LogLevel
from core.settings.loader import Environment, Finding

WEBHOOK_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,128}")
"""It is a part of an address, and has to be hard to guess."""


class ExporterEnvironment(Environment):
    """Where the exporter listens, whom it serves, and how it logs."""

    prefix: ClassVar[str] = "EXPORTER_"

    web_listen_address: ListenAddress = ("127.0.0.1", 21466)
    web_config_file: Path | None = None
    """TLS and basic authentication, in the format of the Prometheus project."""
    web_enable_lifecycle: bool = False
    """Whether POST /-/reload is allowed."""
    webhook_token: SecretStr | None = None
    """What the gateway's webhooks have to know; None: none are taken."""
    log_level: LogLevel | None = None
    """None: as WPPCONNECT_LOG_LEVEL says."""
    log_format: LogFormat | None = None
    """None: as WPPCONNECT_LOG_FORMAT says."""

    @property
    def webhook_word(self) -> str | None:
        """The token as it stands in the address."""
        return self.webhook_token.get_secret_value() if self.webhook_token is not None else None

    def mistakes(self) -> Iterator[Finding]:
        """Find a token that cannot stand in an address, or that somebody could guess."""
        if self.webhook_word is not None and not WEBHOOK_TOKEN.fullmatch(self.webhook_word):
            text = "must be 16 to 128 letters, digits, '-', '_', '.' or '~'"
            yield Finding(("webhook_token",), f"{text}; make one with: openssl rand -hex 24")
