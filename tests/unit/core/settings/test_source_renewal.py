"""Another reading of the environment, put in force in a process that runs."""

from __future__ import annotations

import pytest

from core.exceptions import ConfigurationError
from core.settings.environment import load_environment
from core.settings.saved import SavedSettings
from tests.fakes import MemoryStore
from tests.support.settings_world import URL, make_source

SESSIONS = {"WPPCONNECT_URL": URL, "WPPCONNECT_SESSIONS": "sales,support"}


def secrets(source: object) -> list[str | None]:
    """The secret key of each server in force."""
    servers = source.current().servers  # type: ignore[attr-defined]
    return [one.secret_key and one.secret_key.get_secret_value() for one in servers]


def test_another_environment_is_in_force_at_once() -> None:
    source = make_source(MemoryStore())
    source.current()

    settings = source.renew(load_environment(SESSIONS | {"WPPCONNECT_SECRET_KEY": "rotated"}))

    assert secrets(source) == ["rotated"]
    assert settings == source.current()


def test_what_was_saved_on_the_page_stays_above_it() -> None:
    source = make_source(MemoryStore())
    source.save(SavedSettings().with_program(interval_seconds=2.5), expected_revision=0, actor="anna")

    source.renew(load_environment(SESSIONS | {"WPPCONNECT_SECRET_KEY": "rotated"}))

    assert secrets(source) == ["rotated"]
    assert (source.current().interval_seconds, source.current().revision) == (2.5, 1)


def test_what_does_not_fit_the_saved_settings_changes_nothing() -> None:
    source = make_source(MemoryStore())
    saved = SavedSettings().with_server("main", url="http://elsewhere:21465")
    source.save(saved, expected_revision=0, actor="anna")
    before = source.current()

    with pytest.raises(ConfigurationError):
        source.renew(load_environment(SESSIONS | {"WPPCONNECT_ALLOWED_HOSTS": "127.0.0.1"}))

    assert source.current() == before
    assert source.problems == ()


def test_new_reading_waits_until_broken_saved_settings_are_mended() -> None:
    store = MemoryStore()
    source = make_source(store)
    source.save(SavedSettings().with_program(interval_seconds=2.5), expected_revision=0, actor="anna")
    store.put("settings", "saved", {"saved": {"interval_seconds": 10_000}}, version=2)

    source.renew(load_environment(SESSIONS | {"WPPCONNECT_SECRET_KEY": "rotated"}))

    assert (secrets(source), source.current().interval_seconds) == (["k3y-of-env"], 2.5)
    assert source.problems != ()
    store.put("settings", "saved", {"saved": {"interval_seconds": 4}}, version=3)
    assert (secrets(source), source.current().interval_seconds) == (["rotated"], 4)
    assert source.problems == ()
