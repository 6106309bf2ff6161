"""Whose phone a session is linked to: who is shown how much of it, and where."""

from __future__ import annotations

import pytest
from page_world import NOW, FakeCore, FakeSignIns, open_page, session, shown

from core.models import Account
from core.phone_numbers import MASK
from dashboard.auth.users import Role, User

NUMBER, END = "5511900001234", f"{MASK}1234"
ACCOUNT = Account(seen_at=NOW, number=NUMBER, push_name="Front desk")


@pytest.fixture
def told(core: FakeCore) -> FakeCore:
    core.settings.edit(
        lambda saved: saved.with_session(
            "main", "sales", label="Shop in Lisbon", owner="Rui", note="Call  before\nten"
        ),
        actor="ana",
    )
    core.shows(session("sales", account=ACCOUNT))
    return core


@pytest.mark.parametrize(
    ("role", "number"),
    [(Role.ADMINISTRATOR, f"+{NUMBER}"), (Role.OPERATOR, f"+{NUMBER}"), (Role.VIEWER, END)],
)
def test_its_page_tells_all_of_it_but_to_viewers_the_end_of_the_number(
    told: FakeCore, sign_ins: FakeSignIns, role: Role, number: str
) -> None:
    sign_ins.user = User(name="ana", role=role)

    page = shown(open_page("session", server="main", session="sales"))

    assert f"Last known account: Front desk, {number}" in page
    assert "Shop in Lisbon · Phone holder: Rui" in page
    assert "Call before ten" in page
    assert (NUMBER in page) is (role is not Role.VIEWER)


@pytest.mark.parametrize("role", list(Role))
def test_the_list_tells_the_label_and_the_end_of_the_number(
    told: FakeCore, sign_ins: FakeSignIns, role: Role
) -> None:
    sign_ins.user = User(name="ana", role=role)

    page = shown(open_page())

    assert f"Shop in Lisbon · {END}" in page
    assert NUMBER not in page


def test_where_nothing_is_known_nothing_is_told(core: FakeCore) -> None:
    core.shows(session("sales", account=Account(seen_at=NOW)))

    assert "Last known account" not in shown(open_page("session", server="main", session="sales"))


def test_it_is_typed_in_the_settings_and_emptied_there(core: FakeCore) -> None:
    core.shows(session("sales"))
    app = open_page("settings")
    app.text_input(key="session-main-sales-label").set_value("Shop")
    app.text_input(key="session-main-sales-owner").set_value("Rui")
    app.button(key="save-main-sales").click().run()
    first = core.settings.current().session("main", "sales")

    app.text_input(key="session-main-sales-owner").set_value("")
    app.button(key="save-main-sales").click().run()
    then = core.settings.current().session("main", "sales")

    assert first is not None
    assert then is not None
    assert [(one.label, one.owner, one.note) for one in (first, then)] == [
        ("Shop", "Rui", ""),
        ("Shop", "", ""),
    ]
