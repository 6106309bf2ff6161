"""Which server may be sent which secret: that of a variable, and one that was saved."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from core.settings.environment import load_environment
from core.settings.overlay import effective
from core.settings.recipients import address_without_secret
from core.settings.saved import SavedSettings, changed_fields

URL, MINE, ALERTS = "http://gateway:21465", "http://mine.test:1", "http://alerts:9093"
BCRYPT = "$2b$10$" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"
ADDRESSES = {"WPPCONNECT_URL": URL, "ALERTMANAGER_URL": ALERTS}
SECRETS = {
    "WPPCONNECT_SECRET_KEY": "k3y",
    "WPPCONNECT_TOKEN": BCRYPT,
    "WPPCONNECT_SESSIONS": "sales",
    "ALERTMANAGER_BEARER_TOKEN": "t0ken",
}
NOTHING = SavedSettings()
KEY, TOKEN = "servers.main.secret_key", "alertmanager_bearer_token"


def clear(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


@pytest.mark.parametrize("addresses", [{}, ADDRESSES], ids=["no address", "address"])
@pytest.mark.parametrize(
    ("gateway", "alerts", "is_own"),
    [
        pytest.param(f"{URL}/gw", f"{ALERTS}/am", True, id="another path"),
        pytest.param("http://gateway:1", "http://alerts:1", False, id="another port"),
        pytest.param("https://gateway:21465", "https://alerts:9093", False, id="another scheme"),
        pytest.param("http://gateway.test:21465", "http://alerts.test:9093", False, id="another host"),
    ],
)
def test_secrets_of_variables_are_for_the_server_of_the_variable_only(
    addresses: dict[str, str], gateway: str, alerts: str, is_own: bool
) -> None:
    saved = NOTHING.with_server("main", url=gateway).with_program(alertmanager_url=alerts)

    settings = effective(load_environment(addresses | SECRETS), saved, 1)

    assert settings.alertmanager is not None
    found = settings.servers[0]
    secrets = [clear(one) for one in (found.secret_key, found.token, settings.alertmanager.bearer_token)]
    assert secrets == (["k3y", BCRYPT, "t0ken"] if is_own and addresses else [None] * 3)


def test_key_that_was_saved_with_another_address_goes_on_working() -> None:
    saved = NOTHING.with_server("main", url=MINE, secret_key="typed")

    found = effective(load_environment(ADDRESSES | SECRETS), saved, 1).servers[0]

    assert (found.url, clear(found.secret_key), found.token) == (MINE, "typed", None)


SAVED: dict[str, Any] = {"url": "http://saved:1", "secret_key": "saved"}
AWAY = NOTHING.with_server("main", **SAVED)
SERVER, ALERTMANAGER = "servers.main.url", "alertmanager_url"


@pytest.mark.parametrize(
    ("before", "after", "entered", "asks_for"),
    [
        pytest.param(NOTHING, NOTHING.with_server("main", url=MINE), (), SERVER, id="no key"),
        pytest.param(NOTHING, NOTHING.with_server("main", url=MINE, secret_key="k"), (KEY,), "", id="key"),
        pytest.param(
            NOTHING, NOTHING.with_server("main", url=MINE, secret_key=" "), (), SERVER, id="blank key"
        ),
        pytest.param(NOTHING, NOTHING.with_server("main", url=f"{URL}/gw"), (), "", id="another path"),
        pytest.param(AWAY, AWAY.with_server("main", url=MINE), (), SERVER, id="saved key"),
        pytest.param(AWAY, AWAY.with_server("main", url=URL), (), SERVER, id="saved key to the variable's"),
        pytest.param(
            AWAY, AWAY.with_server("main", url=URL, secret_key=None), (), "", id="back to the variables"
        ),
        pytest.param(AWAY, AWAY.with_server("main", secret_key=None), (), "", id="forgotten"),
        pytest.param(AWAY, AWAY.with_server("main", enabled=False), (), "", id="something else"),
        pytest.param(
            AWAY.with_server("main", token=BCRYPT),
            AWAY.with_server("main", token=BCRYPT, url=MINE, secret_key="k"),
            (KEY,),
            SERVER,
            id="saved token beside the key",
        ),
        pytest.param(NOTHING, NOTHING.with_server("new", url=MINE, secret_key=""), (), "", id="added"),
        pytest.param(NOTHING, NOTHING.with_program(alertmanager_url=MINE), (), ALERTMANAGER, id="no token"),
        pytest.param(
            NOTHING,
            NOTHING.with_program(alertmanager_url=MINE, alertmanager_bearer_token="t"),
            (TOKEN,),
            "",
            id="token",
        ),
        pytest.param(
            NOTHING.with_program(alertmanager_url="", alertmanager_bearer_token="saved"),
            NOTHING.with_program(alertmanager_url=MINE, alertmanager_bearer_token="saved"),
            (),
            ALERTMANAGER,
            id="saved token without an address",
        ),
        pytest.param(NOTHING, NOTHING.with_program(alertmanager_url=""), (), "", id="Alertmanager removed"),
    ],
)
def test_secrets_have_to_be_entered_again_for_another_server(
    before: SavedSettings, after: SavedSettings, entered: tuple[str, ...], asks_for: str
) -> None:
    environment = load_environment(ADDRESSES | SECRETS)
    old, new = effective(environment, before, 1), effective(environment, after, 2)

    found = address_without_secret(old, new, changed=changed_fields(before, after), entered=entered)

    assert found == asks_for
