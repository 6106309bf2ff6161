"""Laying what the page saved over the environment: merging field by field, and origins."""

import pytest
from pydantic import SecretStr

from core.exceptions import ConfigurationError
from core.models import TokenSource
from core.settings.environment import CoreEnvironment, load_environment
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.overlay import effective
from core.settings.saved import SavedSettings
from core.settings.values import ServerSettings, SessionSettings, Timeouts

URL = "http://127.0.0.1:21465"
BCRYPT = "$2b$10$" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"
ENVIRONMENT = load_environment(
    {
        "WPPCONNECT_URL": URL,
        "WPPCONNECT_SECRET_KEY": "k3y-of-env",
        "WPPCONNECT_SESSIONS": "sales,support",
        "WPPCONNECT_INTERVAL_SECONDS": "7",
    }
)
NOTHING = SavedSettings()
SESSIONS = ("sales", "support", "shop")


def test_without_saved_settings_the_environment_holds() -> None:
    settings = effective(ENVIRONMENT, NOTHING, 0)

    assert settings.revision == 0
    assert settings.interval_seconds == 7.0
    assert settings.servers == (ENVIRONMENT.server,)


def test_origin_of_every_value_is_told() -> None:
    saved = (
        NOTHING.with_server("main", url="http://other")
        .with_session("main", "sales", enabled=False)
        .with_session("main", "shop")
    )

    origins = effective(ENVIRONMENT, saved, 1).origins

    fields = {f"servers.main.{name}" for name in ServerFields.model_fields}
    fields |= {
        f"servers.main.sessions.{one}.{name}" for one in SESSIONS for name in SessionFields.model_fields
    }
    fields |= {"proxy", *ProgramFields.model_fields, *(f"timeouts.{name}" for name in Timeouts.model_fields)}
    listed = {"servers.main", *(f"servers.main.sessions.{one}" for one in SESSIONS)}
    assert origins.keys() == fields | listed
    assert {name: origin for name, origin in origins.items() if origin != "default"} == {
        "interval_seconds": "WPPCONNECT_INTERVAL_SECONDS",
        "servers.main": "WPPCONNECT_URL",
        "servers.main.url": "saved on the page",
        "servers.main.sessions.sales": "WPPCONNECT_SESSIONS",
        "servers.main.sessions.sales.enabled": "saved on the page",
        "servers.main.sessions.support": "WPPCONNECT_SESSIONS",
        "servers.main.sessions.shop": "saved on the page",
    }


def test_saved_fields_win_one_by_one() -> None:
    saved = (
        NOTHING.with_server(
            "main",
            url=" http://127.0.0.1:21465/gateway/ ",
            token_source=TokenSource.SERVER,
            enabled=False,
            token=BCRYPT,
            end_to_end_minutes=30,
            self_healing=True,
        )
        .with_session("main", "sales", enabled=False, webhook="https://app/hook")
        .with_program(interval_seconds=3)
    )

    settings = effective(ENVIRONMENT, saved, 4)

    assert (settings.revision, settings.interval_seconds) == (4, 3)
    assert settings.server("main") == ServerSettings(
        name="main",
        url="http://127.0.0.1:21465/gateway",
        secret_key=SecretStr("k3y-of-env"),
        token=SecretStr(BCRYPT),
        token_source=TokenSource.SERVER,
        enabled=False,
        end_to_end_minutes=30,
        self_healing=True,
        sessions=(
            SessionSettings(name="sales", enabled=False, webhook="https://app/hook"),
            SessionSettings(name="support"),
        ),
    )


def test_value_equal_to_the_environments_is_saved_all_the_same() -> None:
    saved = NOTHING.with_server("main", url=URL)

    assert effective(ENVIRONMENT, saved, 1).origins["servers.main.url"] == "saved on the page"


def test_field_reset_to_none_holds_the_environments_value_again() -> None:
    saved = NOTHING.with_server("main", url="http://other", secret_key="other").with_program(
        interval_seconds=3
    )

    reset = saved.with_server("main", url=None, secret_key=None).with_program(interval_seconds=None)

    assert effective(ENVIRONMENT, reset, 2) == effective(ENVIRONMENT, NOTHING, 2)


def test_unmentioned_fields_stay_as_they_were_saved() -> None:
    saved = NOTHING.with_server("main", url="http://other", enabled=False)

    assert saved.with_server("main", enabled=True).servers["main"].url == "http://other"


def test_empty_secret_means_none_although_the_environment_gives_one() -> None:
    saved = NOTHING.with_server("main", secret_key="")

    settings = effective(ENVIRONMENT, saved, 1)

    assert settings.servers[0].secret_key is None
    assert settings.origins["servers.main.secret_key"] == "saved on the page"


def test_second_server_takes_nothing_from_the_environment() -> None:
    saved = NOTHING.with_server("second", url="http://second", secret_key="key-of-second").with_session(
        "second", "shop"
    )

    assert effective(ENVIRONMENT, saved, 1).server("second") == ServerSettings(
        name="second",
        url="http://second",
        secret_key=SecretStr("key-of-second"),
        sessions=(SessionSettings(name="shop"),),
    )


def test_page_may_give_the_address_that_the_environment_lacks() -> None:
    environment = load_environment({"WPPCONNECT_SECRET_KEY": "k3y-of-env", "WPPCONNECT_SESSIONS": "sales"})

    settings = effective(environment, NOTHING.with_server("main", url=URL), 1)

    assert settings.servers[0].sessions == (SessionSettings(name="sales"),)
    assert settings.origins["servers.main"] == "saved on the page"
    assert settings.servers[0].secret_key is None


def test_server_whose_environment_is_gone_is_left_out() -> None:
    saved = NOTHING.with_server("main", enabled=False)

    assert effective(load_environment({}), saved, 1).servers == ()


def test_removed_session_of_the_environment_stays_away_and_can_come_back() -> None:
    removed = NOTHING.without_session("main", "sales")
    back = removed.with_session("main", "sales")

    assert [one.name for one in effective(ENVIRONMENT, removed, 1).servers[0].sessions] == ["support"]
    assert [one.name for one in effective(ENVIRONMENT, back, 2).servers[0].sessions] == ["sales", "support"]


def test_removed_server_of_the_environment_stays_away_and_can_come_back() -> None:
    removed = NOTHING.with_server("main", secret_key="gone").without_server("main")
    back = removed.with_server("main")

    assert effective(ENVIRONMENT, removed, 1).servers == ()
    assert effective(ENVIRONMENT, back, 2).servers == (ENVIRONMENT.server,)


def test_webhook_known_to_be_none_differs_from_an_unknown_one() -> None:
    saved = NOTHING.with_session("main", "sales", webhook="")

    assert [one.webhook for one in effective(ENVIRONMENT, saved, 1).servers[0].sessions] == ["", None]


@pytest.mark.parametrize(
    ("saved", "problem"),
    [
        pytest.param(
            NOTHING.with_server("main", url="host:1"),
            "servers.main.url: has no scheme; add http:// (or https://) in front",
            id="address",
        ),
        pytest.param(
            NOTHING.with_server("a b", url=URL),
            "servers.a b: must be 1 to 40 letters, digits, '_' or '-'; choose such a name",
            id="server name",
        ),
        pytest.param(
            NOTHING.with_session("main", "map"),
            "servers.main.sessions: session name 'map' collides with a JavaScript property in the gateway: "
            "choose another",
            id="session name",
        ),
        pytest.param(
            NOTHING.with_session("main", "shop", webhook="app.example.org"),
            "servers.main.sessions.shop.webhook: has no scheme; add http:// (or https://) in front",
            id="webhook",
        ),
        pytest.param(
            NOTHING.with_server("main", secret_key="two\nlines"),
            "servers.main.secret_key: has a line break or an invisible character in it; remove it",
            id="secret of two lines",
        ),
        pytest.param(
            NOTHING.with_server("second", url=URL, token="rawkey"),
            "servers.second.token: is a raw key and no bcrypt token, so the gateway refuses it; "
            "set the secret key instead",
            id="raw key",
        ),
        pytest.param(
            NOTHING.with_server("main", secret_key="", token=BCRYPT),
            "servers.main.token: serves one session only, and 2 are configured; set the secret key, "
            "or keep one session in the list of sessions",
            id="token for two sessions",
        ),
        pytest.param(
            NOTHING.with_server("main", end_to_end_minutes=1),
            "servers.main.end_to_end_minutes: must be 0 (off), or 5 to 1440 minutes",
            id="end-to-end check too often",
        ),
        pytest.param(
            NOTHING.with_program(interval_seconds=0.5),
            "interval_seconds: must be at least 1 and at most 300",
            id="interval",
        ),
        pytest.param(
            NOTHING.with_program(interval_seconds=float("nan")),
            "interval_seconds: must be at least 1 and at most 300",
            id="interval that is no number",
        ),
    ],
)
def test_one_saved_mistake_is_told_by_its_path(saved: SavedSettings, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        effective(ENVIRONMENT, saved, 1)

    assert caught.value.problems[0] == problem


def test_all_saved_mistakes_are_told_together() -> None:
    saved = NOTHING.with_server("main", url="x").with_session("main", "map").with_program(interval_seconds=0)

    with pytest.raises(ConfigurationError) as caught:
        effective(ENVIRONMENT, saved, 1)

    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "servers.main.url",
        "servers.main.sessions",
        "interval_seconds",
    ]


def test_environment_built_by_hand_names_its_variables() -> None:
    environment = CoreEnvironment(url=URL, sessions=("sales",))

    assert effective(environment, NOTHING, 0).origins["servers.main.sessions.sales"] == "WPPCONNECT_SESSIONS"
