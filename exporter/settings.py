"""The exporter's own settings, EXPORTER_*; what it shares with the page is in `core.settings`."""

from __future__ import annotations

from typing import ClassVar

from core.settings import Environment, ListenAddress, LogFormat, LogLevel


class ExporterEnvironment(Environment):
    """Where the exporter listens and how it logs."""

    prefix: ClassVar[str] = "EXPORTER_"

    web_listen_address: ListenAddress = ("127.0.0.1", 21466)
    log_level: LogLevel | None = None
    """None: as WPPCONNECT_LOG_LEVEL says."""
    log_format: LogFormat | None = None
    """None: as WPPCONNECT_LOG_FORMAT says."""
