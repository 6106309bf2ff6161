"""The settings page: removing a session from the gateway, and what is told of the gateway itself."""

from __future__ import annotations

import pytest
from page_world import FakeCore, FakeSignIns, open_page, session, shown
from streamlit.testing.v1 import AppTest

from tests.support.waiting import until

ASK, YES = "remove-from-gateway-main-sales", "remove-from-gateway-yes-main-sales"
FIELD = "session-main-sales-removal"


def open_settings(core: FakeCore, **gateway: object) -> AppTest:
    core.shows(session("sales"), **({"capabilities": ("remove",)} | gateway))
    return open_page("settings")


def remove(app: AppTest, typed: str) -> AppTest:
    app.button(key=ASK).click().run()
    app.text_input(key=FIELD).set_value(typed)
    return app.button(key=YES).click().run()


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


@pytest.mark.parametrize("typed", ["sales", " sales "])
def test_it_is_removed_when_its_name_was_typed(core: FakeCore, typed: str) -> None:
    app = remove(open_settings(core), typed)

    until(lambda: core.operations.calls, what="the removal")
    assert core.operations.calls == [("remove", "main", "sales", {"actor": "ana"})]
    until(lambda: "The session was removed from the gateway" in shown(app.run()), what="its end on the page")


@pytest.mark.parametrize("typed", ["", "Sales", "support"])
def test_another_name_removes_nothing(core: FakeCore, typed: str) -> None:
    app = remove(open_settings(core), typed)

    assert "Nothing was removed" in shown(app)
    assert core.operations.calls == []


def test_a_refusal_is_explained(core: FakeCore) -> None:
    core.operations.ends = ["remove_refused"]
    app = remove(open_settings(core), "sales")

    until(lambda: "only a session that is closed" in shown(app.run()), what="the explanation")


def test_it_needs_a_step_up(core: FakeCore, sign_ins: FakeSignIns) -> None:
    sign_ins.has_to_confirm = True
    app = remove(open_settings(core), "sales")

    assert "Nothing was changed. Confirm your identity" in shown(app)
    assert core.operations.calls == []


def test_an_older_gateway_offers_neither(core: FakeCore) -> None:
    app = open_settings(core, capabilities=())

    assert ASK not in keys(app)
    assert not app.get("link_button")


@pytest.mark.parametrize(
    ("offered", "urls"), [(("admin_page",), ["http://127.0.0.1:21465/manager/"]), ((), [])]
)
def test_the_gateways_own_page_is_linked_where_it_is_on(
    core: FakeCore, offered: tuple[str, ...], urls: list[str]
) -> None:
    app = open_settings(core, capabilities=offered)

    assert [link.proto.url for link in app.get("link_button")] == urls


@pytest.mark.parametrize(
    ("version", "text"),
    [("2.10.4", "expired on 2026-02-03"), ("2.11.0", ""), (None, "")],
    ids=["known", "not in the table", "unknown"],
)
def test_that_its_whatsapp_web_has_expired_is_told_where_it_is_known(
    core: FakeCore, version: str | None, text: str
) -> None:
    app = open_settings(core, version=version)

    assert ("The WhatsApp Web" in shown(app)) is bool(text)
    assert text in shown(app)
