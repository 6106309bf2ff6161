"""The exporter's own settings, EXPORTER_*; those shared with the page are in `core.settings`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, SecretStr

from core.settings.fields import ListenAddress, LogFormat, LogLevel
from core.settings.loader import Environment, Finding

WEBHOOK_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,128}")
"""The token is part of a URL and must be hard to guess."""


MOST_TAGS, LONGEST_TAG = 10, 40


def parse_metric_tags(text: object) -> object:
    """Parse a comma-separated list of tags, each once whatever its case."""
    if not isinstance(text, str):
        return text
    tags = {one.casefold(): one for one in map(str.strip, text.split(",")) if one}
    if len(tags) > MOST_TAGS or any(len(one) > LONGEST_TAG for one in tags):
        raise ValueError(f"must be at most {MOST_TAGS} tags of {LONGEST_TAG} characters; write fewer")
    return tuple(tags.values())


class ExporterEnvironment(Environment):
    """The EXPORTER_* variables: listening address, access and logging."""

    prefix: ClassVar[str] = "EXPORTER_"

    web_listen_address: ListenAddress = ("127.0.0.1", 21466)
    web_config_file: Path | None = None
    """TLS and basic authentication, in the format of the Prometheus project."""
    web_enable_lifecycle: bool = False
    """Whether POST /-/reload is allowed."""
    webhook_token: SecretStr | None = None
    """Token in the path of the gateway's webhooks; None: webhooks are disabled."""
    metric_tags: Annotated[tuple[str, ...], BeforeValidator(parse_metric_tags)] = ()
    """Tags of sessions that become metric labels."""
    log_level: LogLevel | None = None
    """None: WPPCONNECT_LOG_LEVEL applies."""
    log_format: LogFormat | None = None
    """None: WPPCONNECT_LOG_FORMAT applies."""

    @property
    def webhook_word(self) -> str | None:
        """The webhook token in plain text."""
        return self.webhook_token.get_secret_value() if self.webhook_token is not None else None

    def mistakes(self) -> Iterator[Finding]:
        """Yield a token that cannot be part of a URL or is easy to guess."""
        if self.webhook_word is not None and not WEBHOOK_TOKEN.fullmatch(self.webhook_word):
            text = "must be 16 to 128 letters, digits, '-', '_', '.' or '~'"
            yield Finding(("webhook_token",), f"{text}; make one with: openssl rand -hex 24")
