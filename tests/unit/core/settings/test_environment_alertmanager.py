"""Where Alertmanager is: from the environment, from the page, and without its password anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.exceptions import ConfigurationError
from core.logs import redact
from core.settings.environment import CoreEnvironment, load_environment
from core.settings.loader import load_settings
from core.settings.overlay import effective
from core.settings.saved import SavedSettings, changed_fields
from core.settings.values import AlertmanagerSettings
from tests.fakes import MemoryStore
from tests.support.settings_world import make_source

ADDRESS = "https://ops:p%40ss@alerts.example.org/am/"


def of(environ: dict[str, str], saved: SavedSettings | None = None) -> AlertmanagerSettings | None:
    return effective(load_environment(environ), saved or SavedSettings(), 1).alertmanager


def given(environ: dict[str, str], saved: SavedSettings | None = None) -> AlertmanagerSettings:
    found = of(environ, saved)
    assert found is not None
    return found


def test_without_an_address_there_is_none() -> None:
    assert of({}) is None
    assert of({"ALERTMANAGER_BEARER_TOKEN": "t0ken"}) is None


def test_the_address_is_shown_without_its_password() -> None:
    settings = given({"ALERTMANAGER_URL": ADDRESS})

    assert settings.address == "https://alerts.example.org/am"
    assert settings.authorization == "Basic b3BzOnBAc3M="
    assert "p%40ss" not in repr(settings)


def test_a_token_comes_from_a_file_and_wins_over_the_password(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t0ken\n")

    settings = given({"ALERTMANAGER_URL": ADDRESS, "ALERTMANAGER_BEARER_TOKEN_FILE": str(file)})

    assert settings.authorization == "Bearer t0ken"


def test_an_open_alertmanager_is_shown_nothing() -> None:
    assert given({"ALERTMANAGER_URL": "http://127.0.0.1:9093"}).authorization == ""


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("127.0.0.1:9093", "ALERTMANAGER_URL: has no scheme; add http:// (or https://) in front"),
        ("http://a/?b", "ALERTMANAGER_URL: has a '?' or '#'; remove it and what follows"),
    ],
)
def test_a_wrong_address_is_told_by_its_variable(url: str, problem: str) -> None:
    loaded = load_settings(CoreEnvironment, {"ALERTMANAGER_URL": url})

    assert loaded.problems == (problem,)


def test_what_is_saved_on_the_page_wins_and_an_empty_address_means_none() -> None:
    environ = {"ALERTMANAGER_URL": ADDRESS}

    assert (
        given(environ, SavedSettings().with_program(alertmanager_url="http://other")).address
        == "http://other"
    )
    assert of(environ, SavedSettings().with_program(alertmanager_url="")) is None


def test_a_wrong_address_is_not_saved() -> None:
    source = make_source(MemoryStore())

    with pytest.raises(ConfigurationError, match="alertmanager_url: has no scheme"):
        source.save(SavedSettings().with_program(alertmanager_url="alerts"), expected_revision=0, actor="ana")


def test_saved_secrets_come_back_and_are_kept_out_of_the_log() -> None:
    store = MemoryStore()
    saved = SavedSettings().with_program(
        alertmanager_url="http://u:hush-hush-1@a", alertmanager_bearer_token="hush-hush-2"
    )
    make_source(store).save(saved, expected_revision=0, actor="ana")

    assert make_source(store).saved() == saved
    make_source(store).current()
    assert "hush" not in redact("http://u:hush-hush-1@a hush-hush-2")


def test_a_change_is_told_by_the_names_of_the_fields() -> None:
    after = SavedSettings().with_program(alertmanager_url="http://a", alertmanager_bearer_token="t")

    assert changed_fields(SavedSettings(), after) == ("alertmanager_bearer_token", "alertmanager_url")
