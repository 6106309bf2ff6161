"""The users page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from page_world import NOW, FakeCore, FakeSignIns, open_page, shown
from streamlit.testing.v1 import AppTest

from core.models import HistoryEntry
from core.store import FileStore
from dashboard.auth import identity
from dashboard.auth.links import SignInLinks
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import Account, AuthMethod, Passkey, Role, User, Users


class Log(list[HistoryEntry]):
    """A history in memory."""

    def append(self, *entries: HistoryEntry) -> None:  # type: ignore[override]
        self.extend(entries)


Install = Callable[..., None]


@pytest.fixture
def users(tmp_path: Path) -> Users:
    """The reader and a viewer."""
    users = Users(FileStore(tmp_path / "users"))
    users.create("ana", Role.ADMINISTRATOR, password_hash="hash")
    users.create("rui_", Role.VIEWER, password_hash="hash")
    return users


@pytest.fixture
def install(core: FakeCore, users: Users, sign_ins: FakeSignIns) -> Install:
    """Give the page the users."""

    def with_settings(
        *,
        methods: tuple[AuthMethod, ...] = (AuthMethod.PASSWORD,),
        groups_decide: bool = False,
        url: str | None = None,
    ) -> None:
        known = identity.Administration(
            user_admin=UserAdmin(users, Log()),
            last_used=nobody_is_signed_in,
            methods=methods,
            groups_decide=groups_decide,
            external_url=url,
        )
        identity.install(sign_ins, known)

    with_settings()
    return with_settings


def nobody_is_signed_in(_account: Account) -> datetime | None:
    return None


def open_users() -> AppTest:
    app = open_page("users")
    assert not app.exception
    return app


def add(app: AppTest, name: str, role: str = "viewer") -> AppTest:
    app.text_input(key="add-user-name").set_value(name)
    app.radio(key="add-user-role").set_value(role)
    return app.button(key="save-add-user").click().run()


def shown_link(app: AppTest) -> str:
    found = re.search(r'data-ops="link">([^<]+)<', shown(app))
    assert found is not None
    return found.group(1)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.usefixtures("install")
def test_the_page_is_for_administrators(sign_ins: FakeSignIns, role: Role) -> None:
    sign_ins.user = User(name="rui", role=role)

    app = open_users()

    assert "This page is for the role administrator" in shown(app)
    assert "ana" not in shown(app).replace("data-ops", "")
    assert len(app.button) == 0


@pytest.mark.usefixtures("install")
def test_everybody_is_listed_with_their_role() -> None:
    text = shown(open_users())

    assert "<b>ana</b>" in text
    assert "(you)" in text
    assert "<b>rui_</b>" in text
    assert "Not signed in at the moment." in text


@pytest.mark.usefixtures("install")
def test_number_of_passkeys_is_shown_for_accounts_with_a_password(users: Users) -> None:
    passkeys = tuple(
        Passkey(id=str(number), public_key="", name="phone", created_at=NOW) for number in range(2)
    )
    users.change("rui_", lambda found: found.model_copy(update={"passkeys": passkeys}))
    users.create("eva@example.org", Role.VIEWER, way=AuthMethod.PROXY)

    text = shown(open_users())

    assert re.findall(r"Passkeys: \d", text) == ["Passkeys: 0", "Passkeys: 2"]


def test_added_user_gets_a_link_that_is_shown_once(install: Install, users: Users) -> None:
    install(url="https://ops.example.org")

    app = add(open_users(), "eva@example.org", "operator")
    text, link = shown(app), shown_link(app)
    app.button(key="hide-link").click().run()

    assert "Send eva@example.org this link" in text
    address, _, token = link.partition("#")
    assert address == "https://ops.example.org/sign-in/link"
    assert SignInLinks(users, b"key").exchange(token)
    assert [(one.name, one.role) for one in users.all()][1] == ("eva@example.org", Role.OPERATOR)
    assert "sign-in/link#" not in shown(app)
    assert app.text_input(key="add-user-name").value == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("Ana", "Name: a user with this name already exists.", id="taken"),
        pytest.param("a b", "Use 1 to 64 letters, digits", id="strange"),
        pytest.param("", "Use 1 to 64 letters, digits", id="empty"),
    ],
)
@pytest.mark.usefixtures("install")
def test_bad_name_is_explained_and_adds_nobody(users: Users, name: str, told: str) -> None:
    app = add(open_users(), name)

    assert told in shown(app)
    assert len(users.all()) == 2
    assert "sign-in/link#" not in shown(app)


@pytest.mark.usefixtures("install")
def test_role_is_changed(users: Users) -> None:
    app = open_users()

    app.radio(key="user/rui_-role").set_value("operator")
    app.button(key="role-rui_").click().run()

    assert users.all()[1].role is Role.OPERATOR
    assert "The role of rui_ was changed." in shown(app)


@pytest.mark.usefixtures("install")
def test_the_last_administrator_is_told_why_not(users: Users) -> None:
    app = open_users()

    app.radio(key="user/ana-role").set_value("viewer")
    app.button(key="role-ana").click().run()

    assert users.all()[0].role is Role.ADMINISTRATOR
    assert "No administrator would be left." in shown(app)


@pytest.mark.usefixtures("install")
def test_new_password_link_is_made_for_a_user(users: Users) -> None:
    app = open_users()

    app.button(key="link-rui_").click().run()

    link = shown_link(app)
    grant = SignInLinks(users, b"key").exchange(link.partition("#")[2])
    assert grant
    assert users.all()[1].password_hash == "hash"


@pytest.mark.usefixtures("install")
def test_removing_and_switching_off_ask_first(users: Users) -> None:
    app = open_users()

    app.button(key="remove-rui_").click().run()
    asked = users.find("rui_")
    app.button(key="remove-yes-rui_").click().run()

    assert asked
    assert users.find("rui_") is None


def test_how_people_sign_in_is_asked_only_where_there_is_a_choice(install: Install, users: Users) -> None:
    assert len(open_users().selectbox) == 0
    install(methods=(AuthMethod.PASSWORD, AuthMethod.PROXY))

    app = open_users()
    app.selectbox(key="add-user-way").set_value("proxy")
    add(app, "eva")

    found = users.find("eva")
    assert found
    assert (found.way, found.link) == (AuthMethod.PROXY, None)


def test_roles_that_groups_decide_are_not_offered(install: Install, users: Users) -> None:
    users.create("eva", Role.VIEWER, way=AuthMethod.PROXY)
    install(groups_decide=True)

    app = open_users()

    assert "The groups at the single sign-on decide the role." in shown(app)
    assert "user/eva-role" not in [radio.key for radio in app.radio]
    assert "user/rui_-role" in [radio.key for radio in app.radio]


@pytest.mark.usefixtures("install")
def test_a_click_of_somebody_who_is_no_administrator_any_more_does_nothing(
    users: Users, sign_ins: FakeSignIns
) -> None:
    app = open_users()

    sign_ins.user = User(name="ana", role=Role.OPERATOR)
    add(app, "eva")

    assert users.find("eva") is None
