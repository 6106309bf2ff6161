"""The settings page asks a gateway: typed values, a gateway to add, its sessions; and for webhooks."""

from __future__ import annotations

import pytest
from page_world import FakeCore, FakeSignIns, open_page, session, shown
from streamlit.testing.v1 import AppTest
from watched_gateway import FakeClient

from core.models import SessionState
from core.settings.values import ServerSettings
from dashboard import state
from dashboard.auth.users import Role, User
from dashboard.settings_page.actions import trial_key
from dashboard.settings_page.checks import Trial, is_usable
from tests.support.waiting import until

URL, TYPED = "http://127.0.0.1:21465", "http://10.0.0.9:21465"
SECRET = "its-secret"


class KeyedClient(FakeClient):
    """A gateway that accepts one key."""

    def __init__(self, server: ServerSettings, *sessions: str) -> None:
        super().__init__("sales", *sessions)
        self.key = server.secret_key.get_secret_value() if server.secret_key else ""

    def check_secret(self) -> bool:
        return self.key == SECRET


class Gateways:
    """The gateways that the page asks, by the settings with which it does."""

    def __init__(self, core: FakeCore, *sessions: str) -> None:
        self.asked: list[tuple[str, str]] = []
        self._sessions = sessions
        core.client = self._client

    def _client(self, server: ServerSettings) -> KeyedClient:
        client = KeyedClient(server, *self._sessions)
        self.asked.append((server.url, client.key))
        return client


def open_settings(core: FakeCore) -> AppTest:
    core.shows(session("sales"))
    return open_page("settings")


def shows(app: AppTest, text: str) -> None:
    until(lambda: text in shown(app.run()), what=f"the page showing {text!r}")


def keys(app: AppTest) -> set[str | None]:
    return {one.key for one in app.button}


class TestTyped:
    def test_what_is_typed_is_tested_and_not_saved(self, core: FakeCore) -> None:
        gateways, app = Gateways(core), open_settings(core)

        app.text_input(key="server-main-url").set_value(TYPED)
        app.text_input(key="server-main-secret_key").set_value(SECRET)
        app.button(key="test-main").click().run()

        shows(app, "with settings that are not saved yet")
        assert gateways.asked == [(TYPED, SECRET)]
        assert core.settings.current().revision == 0
        assert app.text_input(key="server-main-url").value == TYPED

    def test_saved_settings_are_tested_where_nothing_else_is_typed(self, core: FakeCore) -> None:
        gateways, app = Gateways(core), open_settings(core)

        app.button(key="test-main").click().run()

        shows(app, "with the saved settings")
        assert gateways.asked == [(URL, "a-secret-of-the-gateway")]

    def test_stored_key_is_not_sent_to_another_server(self, core: FakeCore) -> None:
        gateways, app = Gateways(core), open_settings(core)

        app.text_input(key="server-main-url").set_value(TYPED)
        app.button(key="test-main").click().run()

        assert "enter its secret key again" in shown(app)
        assert gateways.asked == []

    @pytest.mark.parametrize("url", ["nonsense", "http://user:password@10.0.0.9"])
    def test_address_that_cannot_be_saved_is_not_asked(self, core: FakeCore, url: str) -> None:
        gateways, app = Gateways(core), open_settings(core)

        app.text_input(key="server-main-url").set_value(url)
        app.text_input(key="server-main-secret_key").set_value(SECRET)
        app.button(key="test-main").click().run()

        assert "main, Address: " in shown(app)
        assert gateways.asked == []

    def test_another_address_is_asked_after_confirming_only(
        self, core: FakeCore, sign_ins: FakeSignIns
    ) -> None:
        gateways, app = Gateways(core), open_settings(core)
        sign_ins.has_to_confirm = True

        app.text_input(key="server-main-url").set_value(TYPED)
        app.text_input(key="server-main-secret_key").set_value(SECRET)
        app.button(key="test-main").click().run()

        assert "Confirm your identity first" in shown(app)
        assert gateways.asked == []


class TestAdding:
    def add(self, app: AppTest, name: str = "backup", secret: str = SECRET) -> AppTest:
        app.text_input(key="add-server-name").set_value(name)
        app.text_input(key="add-server-url").set_value(TYPED)
        app.text_input(key="add-server-secret_key").set_value(secret)
        return app.button(key="save-add-server").click().run()

    def test_gateway_that_passes_its_test_is_added(self, core: FakeCore) -> None:
        gateways, app = Gateways(core), open_settings(core)

        self.add(app)

        shows(app, "The gateway backup passed its test and was added.")
        added = core.settings.current().server("backup")
        assert added is not None
        assert added.secret_key is not None
        assert (added.url, added.secret_key.get_secret_value()) == (TYPED, SECRET)
        assert gateways.asked == [(TYPED, SECRET)]
        assert app.text_input(key="add-server-secret_key").value == ""

    def test_one_whose_administrator_is_demoted_during_its_test_is_not_added(
        self, core: FakeCore, sign_ins: FakeSignIns
    ) -> None:
        def demote(found: FakeSignIns) -> None:
            found.user = User(name="ana", role=Role.OPERATOR)

        class Demoting(KeyedClient):
            def check_secret(self) -> bool:
                sign_ins.changed_elsewhere = demote
                return super().check_secret()

        core.client = Demoting
        self.add(open_settings(core))

        key = trial_key("ana")
        until(lambda: state.background().job(key).finished, what="the end of the test")
        trial = state.background().job(key).value
        assert isinstance(trial, Trial)
        assert (is_usable(trial.diagnosis), trial.is_saved) == (True, False)
        assert core.settings.current().server("backup") is None

    def test_one_that_fails_is_added_by_a_second_click_only(self, core: FakeCore) -> None:
        app = open_settings(core)

        self.add(app)
        shows(app, "backup was not added.")
        before = core.settings.current().server("backup")
        app.button(key="add-untested").click().run()

        assert before is None
        added = core.settings.current().server("backup")
        assert added is not None
        assert added.url == TYPED
        assert "add-untested" not in keys(app)

    def test_wrong_key_is_said(self, core: FakeCore) -> None:
        Gateways(core)
        app = open_settings(core)

        self.add(app, secret="another-secret")

        shows(app, "backup was not added.")
        assert core.settings.current().server("backup") is None

    def test_name_that_is_taken_is_not_tried(self, core: FakeCore) -> None:
        gateways, app = Gateways(core), open_settings(core)

        self.add(app, name="main")

        assert "main: a gateway with this name already exists" in shown(app)
        assert gateways.asked == []

    def test_neither_is_asked_nor_added_without_confirming(
        self, core: FakeCore, sign_ins: FakeSignIns
    ) -> None:
        gateways, app = Gateways(core), open_settings(core)

        sign_ins.has_to_confirm = True
        self.add(app)
        refused, asked = shown(app), list(gateways.asked)
        sign_ins.has_to_confirm = False
        self.add(app, secret="another-secret")
        shows(app, "backup was not added.")
        sign_ins.has_to_confirm = True
        app.button(key="add-untested").click().run()

        assert "Nothing was changed. Confirm your identity" in refused
        assert asked == []
        assert core.settings.current().server("backup") is None

    def test_failed_test_of_one_administrator_is_not_offered_to_another(
        self, core: FakeCore, sign_ins: FakeSignIns
    ) -> None:
        app = open_settings(core)
        self.add(app)
        shows(app, "backup was not added.")
        assert sign_ins.user is not None
        sign_ins.user = sign_ins.user.model_copy(update={"name": "rui"})

        assert "add-untested" not in keys(open_settings(core))


class TestFound:
    @pytest.fixture
    def app(self, core: FakeCore) -> AppTest:
        Gateways(core, "warehouse", "porto", "a:b")
        client = core.client

        def with_closed(server: ServerSettings) -> KeyedClient:
            found: KeyedClient = client(server)
            found.pages["porto"].state = SessionState.CLOSED
            return found

        core.client = with_closed
        app = open_settings(core)
        app.button(key="discover-main").click().run()
        until(lambda: "found-main-add" in keys(app.run()), what="the sessions that were found")
        return app

    def saved(self, core: FakeCore) -> dict[str, bool]:
        server = core.settings.current().server("main")
        assert server is not None
        return {one.name: one.enabled for one in server.sessions}

    def test_they_are_offered_with_their_states_and_the_connected_ones_ticked(self, app: AppTest) -> None:
        boxes = {one.label: one.value for one in app.checkbox if str(one.key).startswith("found-")}

        assert boxes == {"warehouse · Connected": True, "porto · Disconnected": False}
        assert "a:b" in shown(app)

    @pytest.mark.parametrize(("add_as", "enabled"), [("checked", True), ("paused", False)])
    def test_selected_ones_are_added(self, core: FakeCore, app: AppTest, add_as: str, enabled: bool) -> None:
        app.radio(key="found-main-as").set_value(add_as)
        app.button(key="found-main-add").click().run()

        assert self.saved(core) == {"sales": True, "support": True, "warehouse": enabled}
        until(lambda: "Saved." in shown(app.run()), what="the notice")

    def test_all_can_be_selected(self, core: FakeCore, app: AppTest) -> None:
        app.button(key="found-main-all").click().run()
        app.button(key="found-main-add").click().run()

        assert set(self.saved(core)) == {"sales", "support", "warehouse", "porto"}

    def test_one_that_somebody_adds_meanwhile_stays_as_it_is(self, core: FakeCore, app: AppTest) -> None:
        core.settings.edit(lambda saved: saved.with_session("main", "warehouse", enabled=False), actor="rui")

        app.button(key="found-main-add").click().run()

        assert self.saved(core)["warehouse"] is False


class TestWebhooks:
    SAVE, KIND, ADDRESS, SESSIONS = (
        "save-webhooks-main",
        "webhooks-main-webhook",
        "webhooks-main-webhook_url",
        "webhooks-main-sessions",
    )

    def webhooks(self, core: FakeCore) -> dict[str, str | None]:
        server = core.settings.current().server("main")
        assert server is not None
        return {one.name: one.webhook for one in server.sessions}

    def test_unknown_ones_are_asked_for_and_answered_for_all(self, core: FakeCore) -> None:
        app = open_settings(core)

        app.radio(key=self.KIND).set_value("url")
        app.text_input(key=self.ADDRESS).set_value("https://crm.test/hook")
        app.button(key=self.SAVE).click().run()

        assert self.webhooks(core) == {"sales": "https://crm.test/hook", "support": "https://crm.test/hook"}
        assert self.SAVE not in keys(app)
        assert "Saved." in shown(app)

    def test_or_for_some(self, core: FakeCore) -> None:
        app = open_settings(core)

        app.radio(key=self.KIND).set_value("none")
        app.multiselect(key=self.SESSIONS).set_value(["support"])
        app.button(key=self.SAVE).click().run()

        assert self.webhooks(core) == {"sales": None, "support": ""}
        assert app.multiselect(key=self.SESSIONS).options == ["sales"]

    @pytest.mark.parametrize("kind", [None, "url"])
    def test_without_an_answer_nothing_is_saved(self, core: FakeCore, kind: str | None) -> None:
        app = open_settings(core)

        app.radio(key=self.KIND).set_value(kind)
        app.button(key=self.SAVE).click().run()

        assert "Webhook: enter its address" in shown(app)
        assert core.settings.current().revision == 0

    def test_known_ones_are_not_asked_for(self, core: FakeCore) -> None:
        for name, webhook in {"sales": "", "support": "https://crm.test/hook"}.items():
            core.settings.edit(
                lambda saved, name=name, webhook=webhook: saved.with_session("main", name, webhook=webhook),
                actor="rui",
            )

        assert self.SAVE not in keys(open_settings(core))
