"""A gateway as its prober publishes it, where a test is about something else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.models import Histogram, ServerSnapshot, SessionSnapshot

NO_SECONDS = Histogram(bounds=(), buckets=(0,), sum_seconds=0.0)


def server_snapshot(*sessions: SessionSnapshot, at: datetime, **fields: Any) -> ServerSnapshot:
    """Return a gateway that is up and was published at a moment; `fields` change what is known of it."""
    standard: dict[str, Any] = {
        "server": "main",
        "enabled": True,
        "up": True,
        "interval_seconds": 5.0,
        "holder": "wppconnect-exporter[4711]",
        "published_at": at,
        "settings_revision": 0,
        "probe_seconds": NO_SECONDS,
        "sessions": sessions,
    }
    return ServerSnapshot(**(standard | fields))
