"""An environment, and the settings of a process that has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.settings.environment import CoreEnvironment, load_environment
from core.settings.source import SettingsSource

URL = "http://127.0.0.1:21465"
ENVIRONMENT = load_environment(
    {"WPPCONNECT_URL": URL, "WPPCONNECT_SECRET_KEY": "k3y-of-env", "WPPCONNECT_SESSIONS": "sales,support"}
)
NOW = datetime(2026, 11, 23, 20, 28, 21, tzinfo=UTC)
CONFLICT_END = "after you opened them. Nothing of yours was saved: load them again and repeat your change."


def make_source(store: Any, environment: CoreEnvironment = ENVIRONMENT) -> SettingsSource:
    """One process's view of the settings."""
    return SettingsSource(environment, store, clock=lambda: NOW)
