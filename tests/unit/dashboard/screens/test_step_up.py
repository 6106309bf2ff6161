"""What is asked once more before keys, addresses, users and files are changed, and who no longer acts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from page_world import FakeCore, FakeSignIns, NobodyListens, open_page, session, shown
from streamlit.testing.v1 import AppTest

from core.exceptions import StoreError
from core.settings.values import ServerSettings
from core.store import FileStore
from dashboard.auth import identity
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import AuthMethod, Role, User, Users
from tests.support.waiting import until

SERVER = "server-main"
ASKED = "Confirm your identity"
REFUSED = "Nothing was changed."
ELSEWHERE = "This address is a different server"


@pytest.fixture
def users(tmp_path: Path, core: FakeCore, sign_ins: FakeSignIns) -> Users:
    """The reader and a viewer, for the users page."""
    found = Users(FileStore(tmp_path / "users"))
    found.create("ana", Role.ADMINISTRATOR, password_hash="hash")
    found.create("rui", Role.VIEWER, password_hash="hash")
    identity.install(
        sign_ins,
        identity.Administration(
            user_admin=UserAdmin(found, core.history),
            last_used=lambda _account: None,
            methods=(AuthMethod.PASSWORD,),
            groups_decide=False,
            external_url=None,
        ),
    )
    return found


def main(core: FakeCore) -> ServerSettings:
    found = core.settings.current().server("main")
    assert found is not None
    return found


def click(app: AppTest, key: str, **typed: str | bool) -> AppTest:
    """Type into the fields of a form and press its button."""
    for name, value in typed.items():
        widget = app.checkbox(key=name) if isinstance(value, bool) else app.text_input(key=name)
        widget.set_value(value)
    return app.button(key=key).click().run()


DELICATE: dict[str, Callable[[AppTest], AppTest]] = {
    "a gateway's address": lambda app: click(
        app, "save-main", **{f"{SERVER}-url": "http://127.0.0.1:21465/gw"}
    ),
    "a gateway's key": lambda app: click(app, "save-main", **{f"{SERVER}-secret_key": "another-secret-key"}),
    "Alertmanager": lambda app: click(app, "save-alertmanager", **{"alertmanager-url": "http://alerts:9093"}),
}


@pytest.mark.parametrize("change", DELICATE.values(), ids=DELICATE)
def test_settings_that_say_who_gets_a_key_are_changed_after_confirming_only(
    core: FakeCore, sign_ins: FakeSignIns, change: Callable[[AppTest], AppTest]
) -> None:
    sign_ins.has_to_confirm = True
    core.shows(session("sales"))
    app = change(open_page("settings"))
    refused, revision = shown(app), core.settings.current().revision

    # Confirmed in another tab; what was typed is still there.
    sign_ins.has_to_confirm = False
    saved = shown(change(app))

    assert (REFUSED in refused, ASKED in refused, revision) == (True, True, 0)
    assert "Saved." in saved
    assert ASKED not in saved
    assert core.settings.current().revision == 1


def test_other_settings_need_no_confirming(core: FakeCore, sign_ins: FakeSignIns) -> None:
    sign_ins.has_to_confirm = True
    core.shows(session("sales"))
    app = open_page("settings")

    app.number_input(key="interval-interval_seconds").set_value(15.0)
    click(app, "save-interval")

    assert core.settings.current().interval_seconds == 15.0


@pytest.mark.parametrize("has_to_confirm", [True, False])
def test_users_are_changed_after_confirming_only(
    core: FakeCore, sign_ins: FakeSignIns, users: Users, has_to_confirm: bool
) -> None:
    sign_ins.has_to_confirm = has_to_confirm
    app = click(open_page("users"), "save-add-user", **{"add-user-name": "eva"})

    assert (users.find("eva") is None) == has_to_confirm
    assert (REFUSED in shown(app)) == has_to_confirm


@pytest.mark.parametrize("page", ["settings", "users"])
@pytest.mark.usefixtures("users")
def test_page_says_beforehand_that_changes_have_to_be_confirmed(
    core: FakeCore, sign_ins: FakeSignIns, page: str
) -> None:
    core.shows(session("sales"))
    before = shown(open_page(page))
    sign_ins.has_to_confirm = True

    assert ASKED not in before
    assert "You signed in a while ago." in shown(open_page(page))


@pytest.mark.parametrize(
    ("url", "key", "is_saved"),
    [
        ("http://127.0.0.1:21465/gw", "", True),
        ("http://127.0.0.1:21466", "", False),
        ("https://127.0.0.1:21465", "", False),
        ("http://localhost:21465", "", False),
        ("http://evil.test:21465/", "", False),
        ("http://127.0.0.1:21465@evil.test", "", False),
        ("http://evil.test:21465/", "a-secret-of-the-gateway", True),
    ],
)
def test_stored_key_does_not_go_to_another_server(core: FakeCore, url: str, key: str, is_saved: bool) -> None:
    core.shows(session("sales"))
    typed = {f"{SERVER}-url": url} | ({f"{SERVER}-secret_key": key} if key else {})

    told = shown(click(open_page("settings"), "save-main", **typed))

    assert (main(core).url == url.rstrip("/")) == is_saved
    assert ("Saved." in told) == is_saved


def test_forgetting_a_saved_key_does_not_send_the_environments_key_elsewhere(core: FakeCore) -> None:
    saved = core.settings.saved().with_server("main", secret_key="saved-secret")
    core.settings.save(saved, expected_revision=0, actor="rui")
    core.shows(session("sales"))
    app = open_page("settings")

    app.text_input(key=f"{SERVER}-url").set_value("http://evil.test:21465")
    app.checkbox(key=f"{SERVER}-forget_secret_key").check()
    told = shown(click(app, "save-main"))

    assert ELSEWHERE in told
    assert main(core).url == "http://127.0.0.1:21465"


def test_key_typed_for_another_server_can_be_forgotten_there_without_sending_the_environments(
    core: FakeCore,
) -> None:
    saved = core.settings.saved().with_server("main", url="http://evil.test:1", secret_key="junk")
    core.settings.save(saved, expected_revision=0, actor="rui")
    core.shows(session("sales"))
    asked: list[ServerSettings] = []
    core.client = lambda server: asked.append(server) or NobodyListens()
    app = open_page("settings")

    app.checkbox(key=f"{SERVER}-forget_secret_key").check()
    click(app, "test-main")
    until(lambda: asked, what="the test of the gateway")
    click(app, "save-main")

    assert {one.url for one in asked} == {"http://evil.test:1"}
    assert [one.secret_key for one in (*asked, main(core))] == [None] * (len(asked) + 1)


@pytest.mark.parametrize(("key", "forget"), [("junk", True), ("  ", False), ("\u00a0", False), ("  ", True)])
@pytest.mark.parametrize("button", ["save-main", "test-main"])
def test_key_that_would_not_be_in_effect_does_not_count_as_typed(
    core: FakeCore, key: str, forget: bool, button: str
) -> None:
    saved = core.settings.saved().with_server("main", secret_key="saved-secret")
    core.settings.save(saved, expected_revision=0, actor="rui")
    core.shows(session("sales"))
    app = open_page("settings")

    app.checkbox(key=f"{SERVER}-forget_secret_key").set_value(forget)
    typed = {f"{SERVER}-url": "http://evil.test:1", f"{SERVER}-secret_key": key}
    told = shown(click(app, button, **typed))

    assert ELSEWHERE in told
    assert core.settings.current().revision == 1


def test_name_that_is_added_again_does_not_get_the_environments_key(core: FakeCore) -> None:
    core.settings.save(core.settings.saved().without_server("main"), expected_revision=0, actor="rui")
    core.shows(session("sales"))

    app = click(
        open_page("settings"),
        "save-add-server",
        **{"add-server-name": "main", "add-server-url": "http://evil.test:1"},
    )
    until(lambda: "main was not added." in shown(app.run()), what="the end of its test")
    click(app, "add-untested")

    assert (main(core).url, main(core).secret_key, main(core).token) == ("http://evil.test:1", None, None)


@pytest.mark.parametrize(
    ("url", "token", "is_saved"),
    [
        ("http://alerts:9093/am", "", True),
        ("http://evil.test:9093", "", False),
        ("https://alerts:9093", "", False),
        ("http://evil.test:9093", "typed-again", True),
    ],
)
def test_stored_token_of_alertmanager_does_not_go_to_another_server(
    core: FakeCore, url: str, token: str, is_saved: bool
) -> None:
    saved = core.settings.saved().with_program(
        alertmanager_url="http://alerts:9093", alertmanager_bearer_token="stored-token"
    )
    core.settings.save(saved, expected_revision=0, actor="rui")
    core.shows(session("sales"))
    typed = {"alertmanager-url": url} | ({"alertmanager-bearer_token": token} if token else {})

    told = shown(click(open_page("settings"), "save-alertmanager", **typed))

    found = core.settings.current().alertmanager
    assert found is not None
    assert (found.address == url) == is_saved
    assert (ELSEWHERE in told) == (not is_saved)


def test_token_of_an_alertmanager_that_was_removed_does_not_go_to_the_next(core: FakeCore) -> None:
    saved = core.settings.saved().with_program(
        alertmanager_url="http://alerts:9093", alertmanager_bearer_token="stored-token"
    )
    core.settings.save(saved, expected_revision=0, actor="rui")
    core.shows(session("sales"))

    click(open_page("settings"), "save-alertmanager", **{"alertmanager-url": ""})
    click(open_page("settings"), "save-alertmanager", **{"alertmanager-url": "http://evil.test:9093"})

    found = core.settings.current().alertmanager
    assert found is not None
    assert (found.address, found.bearer_token) == ("http://evil.test:9093", None)


def demoted(sign_ins: FakeSignIns) -> None:
    sign_ins.user = User(name="ana", role=Role.VIEWER)


def removed(sign_ins: FakeSignIns) -> None:
    sign_ins.user = None


def unreadable(_sign_ins: FakeSignIns) -> None:
    raise StoreError("the users cannot be read", operation="read the users")


@pytest.mark.parametrize("becomes", [demoted, removed, unreadable])
@pytest.mark.parametrize("kind", ["settings", "users", "pairing", "hand-off"])
def test_click_of_who_was_removed_or_demoted_elsewhere_a_moment_ago_does_nothing(
    core: FakeCore, sign_ins: FakeSignIns, users: Users, becomes: Callable[[FakeSignIns], None], kind: str
) -> None:
    core.shows(session("sales", "disconnected"))
    page = kind if kind in ("settings", "users") else "session"
    app = open_page(page, server="main", session="sales")
    buttons = {
        "settings": "save-main",
        "users": "save-add-user",
        "pairing": "repair-main-sales",
        "hand-off": "handoff-main-sales",
    }
    typed = {"settings": {f"{SERVER}-secret_key": "another-key"}, "users": {"add-user-name": "eva"}}

    # As memory has it they still may; only what is read anew knows better.
    sign_ins.changed_elsewhere = becomes
    click(app, buttons[kind], **typed.get(kind, {}))

    assert core.operations.calls == []
    assert core.settings.current().revision == 0
    assert users.find("eva") is None
    assert core.handoffs.newest("main", "sales") is None
