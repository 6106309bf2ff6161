"""The values in force, put there while others save settings."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pydantic import SecretStr

from core.models import HistoryEntry
from core.settings.saved import SavedSettings
from core.settings.source import SettingsSource
from core.settings.values import Settings
from core.store import FileStore
from core.sync.secret_values import SecretValues
from core.sync.targets import ReceivedKind, Receives
from tests.support.settings_world import ENVIRONMENT

SECRET = Receives(kind=ReceivedKind.SECRET_KEY)


class OvertakenSource(SettingsSource):
    """Settings that somebody else saves first, once."""

    overtaking: SettingsSource | None = None

    def save(
        self,
        change: SavedSettings,
        *,
        expected_revision: int,
        actor: str,
        told: Collection[HistoryEntry] = (),
    ) -> Settings:
        """Save after somebody else has."""
        other, self.overtaking = self.overtaking, None
        if other is not None:
            other.edit(lambda saved: saved.with_program(interval_seconds=20), actor="rui")
        return super().save(change, expected_revision=expected_revision, actor=actor, told=told)


def test_a_secret_key_is_put_on_top_of_what_somebody_else_saves(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    source = OvertakenSource(ENVIRONMENT, store)
    source.overtaking = SettingsSource(ENVIRONMENT, store)

    SecretValues(source, store).put({SECRET: SecretStr("another-secret")}, actor="ana")

    settings = SettingsSource(ENVIRONMENT, store).current()
    assert settings.servers[0].secret_key == SecretStr("another-secret")
    assert settings.interval_seconds == 20
