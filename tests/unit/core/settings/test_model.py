"""The one model of the settings, and what is derived from its fields."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from core.messages import TEMPLATES
from core.models import Frozen
from core.settings.environment import CoreEnvironment, load_environment
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.overlay import effective
from core.settings.saved import SavedSettings, changed_fields
from core.settings.setting import SettingField, setting_fields
from core.settings.source import StoredDocument
from core.settings.values import ServerSettings

MODELS = (ServerFields, SessionFields, ProgramFields)
FIELDS = [(model, one) for model in MODELS for one in setting_fields(model)]
ENVIRONMENT = load_environment({"WPPCONNECT_URL": "http://127.0.0.1:21465", "WPPCONNECT_SESSIONS": "sales"})

each_field = pytest.mark.parametrize(
    ("model", "one"), FIELDS, ids=[f"{model.__name__}.{one.name}" for model, one in FIELDS]
)


@each_field
def test_a_setting_has_its_texts(model: type[Frozen], one: SettingField) -> None:
    setting = one.setting
    texts = [setting.title, setting.label, setting.help, *setting.choices.values()]

    assert {text for text in texts if text} <= TEMPLATES.keys()
    assert not setting.choices or set(setting.choices) == set(one.type)
    assert bool(setting.unset_label) == bool(setting.forget_label) == (one.is_secret and bool(setting.label))


@each_field
def test_a_setting_with_a_variable_is_read_from_it(model: type[Frozen], one: SettingField) -> None:
    assert one.has_variable == (one.name in CoreEnvironment.model_fields and bool(one.setting.meaning))


@each_field
def test_no_field_of_a_model_lacks_what_people_read(model: type[Frozen], one: SettingField) -> None:
    assert list(model.model_fields) == [field.name for field in setting_fields(model)]


TEXTS = {
    "url": "http://other:1",
    "webhook": "https://app",
    "token": "$2b$10$" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0",
}


def value_of(one: SettingField) -> Any:
    """Return a value that is valid, and not the default."""
    if one.setting.choices:
        return list(one.setting.choices)[-1]
    return {bool: not one.default, float: 15.0}.get(one.type, TEXTS.get(one.name, "A text"))


@pytest.mark.parametrize("one", setting_fields(ServerFields), ids=lambda one: one.name)
def test_a_saved_setting_of_a_gateway_wins_tells_its_origin_and_is_a_change(one: SettingField) -> None:
    saved = SavedSettings().with_server("main", **{one.name: value_of(one)})

    settings = effective(ENVIRONMENT, saved, 1)

    value = getattr(settings.servers[0], one.name)
    assert (value.get_secret_value() if isinstance(value, SecretStr) else value) == value_of(one)
    assert settings.origins[f"servers.main.{one.name}"] == "saved on the page"
    assert changed_fields(SavedSettings(), saved) == (f"servers.main.{one.name}",)


@pytest.mark.parametrize("one", setting_fields(SessionFields), ids=lambda one: one.name)
def test_a_saved_setting_of_a_session_wins_tells_its_origin_and_is_a_change(one: SettingField) -> None:
    saved = SavedSettings().with_session("main", "sales", **{one.name: value_of(one)})

    settings = effective(ENVIRONMENT, saved, 1)

    assert getattr(settings.servers[0].sessions[0], one.name) == value_of(one)
    assert settings.origins[f"servers.main.sessions.sales.{one.name}"] == "saved on the page"
    assert changed_fields(SavedSettings(), saved) == (f"servers.main.sessions.sales.{one.name}",)


def test_a_field_that_does_not_exist_cannot_be_saved() -> None:
    with pytest.raises(TypeError, match="self_haling"):
        SavedSettings().with_server("main", self_haling=True)


def test_what_an_earlier_release_stored_opens_as_before() -> None:
    stored = {
        "saved": {
            "servers": {
                "main": {
                    "url": "http://gateway:21465",
                    "secret_key": "k3y-value",
                    "token": None,
                    "token_source": "server",
                    "enabled": False,
                    "pause": {"by": "ana", "since": "2026-11-23T20:28:21Z", "reason": "holidays"},
                    "end_to_end_minutes": 15,
                    "self_healing": True,
                    "sessions": {
                        "sales": {
                            "enabled": True,
                            "webhook": "",
                            "label": "Shop",
                            "owner": "Rui",
                            "note": "-",
                        },
                        "old": {"removed": True},
                    },
                },
                "second": {"removed": True},
            },
            "interval_seconds": 8,
            "alertmanager_url": "http://u:p@alerts:9093",
            "alertmanager_bearer_token": "",
        },
        "changes": [{"revision": 3, "actor": "ana", "at": "2026-11-23T20:28:21Z", "fields": ["x"]}],
    }

    saved = StoredDocument.model_validate(stored).saved
    settings = effective(ENVIRONMENT, saved, 3)

    [server] = settings.servers
    assert (server.url, server.enabled, server.end_to_end_minutes, server.self_healing) == (
        "http://gateway:21465",
        False,
        15,
        True,
    )
    assert server.secret_key == SecretStr("k3y-value")
    assert server.pause is not None
    [session] = server.sessions
    assert (session.webhook, session.label, session.owner, session.note) == ("", "Shop", "Rui", "-")
    assert settings.interval_seconds == 8
    assert settings.alertmanager is not None
    assert settings.alertmanager.authorization == "Basic dTpw"
    assert "k3y-value" not in f"{saved!r} {settings!r}"


def test_an_error_of_a_value_repeats_none() -> None:
    with pytest.raises(ValidationError) as caught:
        ServerSettings(name="main", url="http://me:pass-word@gateway", secret_key=SecretStr("two\nlines"))

    assert "pass-word" not in str(caught.value)
    assert "lines" not in str(caught.value)
