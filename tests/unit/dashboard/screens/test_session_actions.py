"""What is done from the page of one session."""

from __future__ import annotations

import pytest
from page_world import (
    FakeCore,
    ended,
    open_page,
    session,
    shown,
)
from streamlit.testing.v1 import AppTest


def open_sales(**more: str) -> AppTest:
    return open_page("session", server="main", session="sales", **more)


def test_re_pair_is_one_click(core: FakeCore) -> None:
    core.shows(session("sales"))
    app = open_sales()

    app.button(key="repair-main-sales").click().run()

    assert core.operations.calls == [("pair", "main", "sales", {"actor": "ana"})]


def test_a_pairing_code_is_asked_for_with_the_digits_of_the_number(core: FakeCore) -> None:
    core.shows(session("sales"))
    app = open_sales()

    app.text_input(key="phone-main-sales").set_value("+351 912-345-678")
    app.button(key="code-main-sales").click().run()

    assert core.operations.calls == [("pair", "main", "sales", {"actor": "ana", "phone": "351912345678"})]


def test_a_number_that_cannot_be_one_is_refused_with_the_remedy_and_kept(core: FakeCore) -> None:
    core.shows(session("sales"))
    app = open_sales()

    app.text_input(key="phone-main-sales").set_value("call me")
    app.button(key="code-main-sales").click().run()

    assert core.operations.calls == []
    assert "number with its country code" in shown(app)
    assert app.text_input(key="phone-main-sales").value == "call me"


def test_a_number_of_the_readers_country_needs_no_country_code(core: FakeCore) -> None:
    core.shows(session("sales"))
    app = open_sales(locale="pt-BR")

    assert app.text_input(key="phone-main-sales").placeholder.startswith("+55 ")
    app.text_input(key="phone-main-sales").set_value("(11) 98765-4321")
    app.button(key="code-main-sales").click().run()

    assert core.operations.calls == [("pair", "main", "sales", {"actor": "ana", "phone": "5511987654321"})]


def test_where_no_code_can_be_had_the_page_says_so_and_asks_for_no_number(core: FakeCore) -> None:
    core.shows(session("sales"))
    core.operations.obstacle = "code_not_visible"

    app = open_sales()

    assert "No pairing code can be shown now" in shown(app)
    assert not app.text_input


def test_a_webhook_is_wiped_only_after_the_name_was_typed(core: FakeCore) -> None:
    core.shows(session("sales"))
    core.operations.statuses["main", "sales"] = ended("needs_webhook_confirmation")
    app = open_sales()

    app.text_input(key="confirm-main-sales").set_value("sale")
    app.button(key="wipe-main-sales").click().run()
    refused = list(core.operations.calls)
    app.text_input(key="confirm-main-sales").set_value("sales")
    app.button(key="wipe-main-sales").click().run()

    assert refused == []
    wiped = ("pair", "main", "sales", {"actor": "ana", "phone": None, "wipe_webhook": True})
    assert core.operations.calls == [wiped]


def test_the_number_typed_before_is_used_after_the_confirmation(core: FakeCore) -> None:
    core.shows(session("sales"))
    app = open_sales()
    app.text_input(key="phone-main-sales").set_value("351912345678")
    app.button(key="code-main-sales").click().run()
    core.operations.statuses["main", "sales"] = ended("needs_webhook_confirmation", mode="code")
    app.run()

    app.text_input(key="confirm-main-sales").set_value("sales")
    app.button(key="wipe-main-sales").click().run()

    assert core.operations.calls[-1][3] == {"actor": "ana", "phone": "351912345678", "wipe_webhook": True}


@pytest.mark.parametrize(
    ("ask", "answer", "kind", "question"),
    [
        pytest.param(
            "close-main-sales",
            "close-yes-main-sales",
            "close",
            "A linked phone stays linked",
            id="close",
        ),
        pytest.param("logout-main-sales", "logout-yes-main-sales", "logout", "cannot be undone", id="logout"),
    ],
)
def test_a_session_is_closed_or_logged_out_only_after_a_question(
    core: FakeCore, ask: str, answer: str, kind: str, question: str
) -> None:
    core.shows(session("sales", "connected"))
    app = open_sales()
    assert app.button(key=ask).label.endswith("sales")

    app.button(key=ask).click().run()
    asked = list(core.operations.calls)
    text = shown(app)
    app.button(key=answer).click().run()

    assert asked == []
    assert question in text
    assert question not in shown(app)
    assert core.operations.calls == [(kind, "main", "sales", {"actor": "ana"})]


def test_the_question_that_is_declined_does_nothing(core: FakeCore) -> None:
    core.shows(session("sales", "connected"))
    app = open_sales()

    app.button(key="logout-main-sales").click().run()
    app.button(key="no-logout-yes-main-sales").click().run()

    assert core.operations.calls == []
