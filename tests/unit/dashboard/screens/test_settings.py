"""The settings page."""

from __future__ import annotations

import pytest
from page_world import FakeCore, FakeSignIns, open_page, session, shown
from streamlit.testing.v1 import AppTest

from core.settings.model import ServerFields
from core.settings.setting import setting_fields
from dashboard.auth.users import Role, User


def open_settings(core: FakeCore) -> AppTest:
    core.shows(session("sales"))
    return open_page("settings")


def test_each_value_tells_where_it_comes_from(core: FakeCore) -> None:
    app = open_settings(core)

    assert app.text_input(key="server-main-url").label == "Address (from WPPCONNECT_URL)"
    assert (
        app.text_input(key="server-main-secret_key").label == "Secret key, set (from WPPCONNECT_SECRET_KEY)"
    )
    assert (
        app.number_input(key="interval-interval_seconds").label
        == "Seconds between checks of a session (default)"
    )


def test_the_secret_key_is_never_sent_to_the_browser(core: FakeCore) -> None:
    app = open_settings(core)

    assert app.text_input(key="server-main-secret_key").value == ""
    assert "a-secret-of-the-gateway" not in str(app)


def test_only_what_was_changed_is_saved(core: FakeCore) -> None:
    app = open_settings(core)

    app.text_input(key="server-main-url").set_value("http://127.0.0.1:21465/gw/")
    app.button(key="save-main").click().run()

    saved = core.settings.saved().servers["main"]
    assert (saved.url, saved.secret_key, saved.token_source, saved.enabled) == (
        "http://127.0.0.1:21465/gw/",
        None,
        None,
        None,
    )
    assert app.text_input(key="server-main-url").value == "http://127.0.0.1:21465/gw"
    assert app.text_input(key="server-main-url").label == "Address (saved on this page)"
    assert "Saved." in shown(app)


def test_a_new_secret_key_is_saved_and_the_field_is_emptied(core: FakeCore) -> None:
    app = open_settings(core)

    app.text_input(key="server-main-secret_key").set_value("another-secret")
    app.button(key="save-main").click().run()

    current = core.settings.current().servers[0].secret_key
    assert current is not None
    assert current.get_secret_value() == "another-secret"
    assert app.text_input(key="server-main-secret_key").value == ""


def test_a_secret_key_saved_here_can_be_forgotten(core: FakeCore) -> None:
    change = core.settings.saved().with_server("main", secret_key="saved-secret")
    core.settings.save(change, expected_revision=0, actor="rui")
    app = open_settings(core)

    app.checkbox(key="server-main-forget_secret_key").check()
    app.button(key="save-main").click().run()

    current = core.settings.current().servers[0].secret_key
    assert current is not None
    assert current.get_secret_value() == "a-secret-of-the-gateway"


def test_a_mistake_names_the_field_and_the_remedy_and_keeps_what_was_typed(core: FakeCore) -> None:
    app = open_settings(core)

    app.text_input(key="server-main-url").set_value("gateway:21465")
    app.button(key="save-main").click().run()

    assert "main, Address: has no scheme; add http:// (or https://) in front" in shown(app)
    assert app.text_input(key="server-main-url").value == "gateway:21465"
    assert core.settings.current().revision == 0


def test_what_somebody_else_saved_in_another_form_does_not_hold_up_a_save(core: FakeCore) -> None:
    app = open_settings(core)
    core.settings.save(
        core.settings.saved().with_program(interval_seconds=30.0), expected_revision=0, actor="rui"
    )

    app.text_input(key="server-main-url").set_value("http://127.0.0.1:21465/gw")
    app.button(key="save-main").click().run()

    assert "Saved." in shown(app)
    assert core.settings.current().servers[0].url == "http://127.0.0.1:21465/gw"
    assert core.settings.current().interval_seconds == 30.0


def test_the_second_administrator_is_told_what_the_first_changed_and_loses_nothing(core: FakeCore) -> None:
    app = open_settings(core)
    change = core.settings.saved().with_server("main", url="http://127.0.0.1:21465/rui")
    core.settings.save(change, expected_revision=0, actor="rui")

    app.text_input(key="server-main-url").set_value("http://127.0.0.1:21465/gw")
    app.button(key="save-main").click().run()
    told, typed = shown(app), app.text_input(key="server-main-url").value
    before = core.settings.current().servers[0].url
    app.button(key="save-main").click().run()

    assert "rui changed main, Address" in told
    assert "to: http://127.0.0.1:21465/rui" in told
    assert "Your changes were not saved" in told
    assert typed == "http://127.0.0.1:21465/gw"
    assert before == "http://127.0.0.1:21465/rui"
    assert core.settings.current().servers[0].url == "http://127.0.0.1:21465/gw"


def test_after_my_refused_save_another_form_still_does_not_overwrite_what_somebody_else_saved(
    core: FakeCore,
) -> None:
    app = open_settings(core)
    change = (
        core.settings.saved()
        .with_server("main", url="http://127.0.0.1:21465/rui")
        .with_program(interval_seconds=30.0)
    )
    core.settings.save(change, expected_revision=0, actor="rui")
    app.text_input(key="server-main-url").set_value("http://127.0.0.1:21465/gw")
    app.button(key="save-main").click().run()
    app.button(key="save-main").click().run()

    app.number_input(key="interval-interval_seconds").set_value(15.0)
    app.button(key="save-interval").click().run()

    assert "rui changed Interval" in shown(app)
    assert core.settings.current().interval_seconds == 30.0


def test_saved_is_no_longer_said_once_another_value_is_in_force(core: FakeCore) -> None:
    app = open_settings(core)
    app.number_input(key="interval-interval_seconds").set_value(15.0)
    app.button(key="save-interval").click().run()
    core.settings.save(
        core.settings.saved().with_program(interval_seconds=30.0), expected_revision=1, actor="rui"
    )

    app.run()

    assert "Saved." not in shown(app)
    assert "rui changed Interval" in shown(app)
    assert "to: 30 s" in shown(app)


def test_a_gateway_that_somebody_else_removed_does_not_come_back(core: FakeCore) -> None:
    app = open_settings(core)
    core.settings.save(core.settings.saved().without_server("main"), expected_revision=0, actor="rui")

    app.text_input(key="server-main-url").set_value("http://127.0.0.1:21465/gw")
    app.button(key="save-main").click().run()

    assert "This was removed by someone else" in shown(app)
    assert core.settings.current().server("main") is None


def test_unreadable_settings_are_told_and_the_first_save_puts_them_in_order(core: FakeCore) -> None:
    core.settings.save(
        core.settings.saved().with_program(interval_seconds=30.0), expected_revision=0, actor="ana"
    )
    app = open_settings(core)
    (core.directory / "settings.json").write_text("{garbage")

    app.run()
    told = shown(app)
    app.text_input(key="server-main-url").set_value("http://127.0.0.1:21465/gw")
    app.button(key="save-main").click().run()

    assert "the last known ones remain in use" in told
    assert "Saved." in shown(app)
    assert core.settings.current().interval_seconds == 30.0
    assert core.settings.problems == ()


def test_a_session_is_added_and_checked_from_then_on(core: FakeCore) -> None:
    app = open_settings(core)

    app.text_input(key="add-session-main-name").set_value("new-one")
    app.button(key="add-main").click().run()

    added = core.settings.current().servers[0].session("new-one")
    assert added is not None
    assert added.enabled
    assert app.text_input(key="add-session-main-name").value == ""


def test_a_session_name_that_breaks_the_gateway_is_refused(core: FakeCore) -> None:
    app = open_settings(core)

    app.text_input(key="add-session-main-name").set_value("a:b")
    app.button(key="add-main").click().run()

    assert "use 1 to 71 letters, digits" in shown(app)
    assert core.settings.current().servers[0].session("a:b") is None


def test_a_session_that_is_there_already_is_not_added_again(core: FakeCore) -> None:
    app = open_settings(core)

    app.text_input(key="add-session-main-name").set_value("sales")
    app.button(key="add-main").click().run()

    assert "a session with this name already exists" in shown(app)


def test_a_webhook_that_is_known_to_be_none_is_saved_as_such(core: FakeCore) -> None:
    app = open_settings(core)

    app.radio(key="session-main-sales-webhook").set_value("none")
    app.button(key="save-main-sales").click().run()

    saved = core.settings.current().servers[0].session("sales")
    assert saved is not None
    assert saved.webhook == ""


def test_a_webhook_without_an_address_is_asked_for(core: FakeCore) -> None:
    app = open_settings(core)

    app.radio(key="session-main-sales-webhook").set_value("url")
    app.button(key="save-main-sales").click().run()

    assert "Webhook: enter its address" in shown(app)
    assert core.settings.current().revision == 0


def test_a_session_is_removed_only_after_a_question(core: FakeCore) -> None:
    app = open_settings(core)

    app.button(key="remove-main-sales").click().run()
    before = core.settings.current().servers[0].session("sales")
    app.button(key="remove-yes-main-sales").click().run()

    assert before is not None
    assert core.settings.current().servers[0].session("sales") is None


def test_the_interval_is_saved(core: FakeCore) -> None:
    app = open_settings(core)

    app.number_input(key="interval-interval_seconds").set_value(15.0)
    app.button(key="save-interval").click().run()

    assert core.settings.current().interval_seconds == 15.0


def test_an_operator_cannot_save_settings(core: FakeCore, sign_ins: FakeSignIns) -> None:
    app = open_settings(core)
    sign_ins.user = User(name="rui", role=Role.OPERATOR)

    app.number_input(key="interval-interval_seconds").set_value(15.0)
    app.button(key="save-interval").click().run()

    assert core.settings.current().revision == 0


def test_an_interval_out_of_range_is_refused_in_words(core: FakeCore) -> None:
    app = open_settings(core)
    app.number_input(key="interval-interval_seconds").set_value(15.0)
    app.button(key="save-interval").click().run()

    app.number_input(key="interval-interval_seconds").set_value(301.0)
    app.button(key="save-interval").click().run()

    assert "Interval: must be at least 1 and at most 300" in shown(app)
    assert "Saved." not in shown(app)
    assert core.settings.current().interval_seconds == 15.0


@pytest.mark.parametrize("name", [one.name for one in setting_fields(ServerFields) if one.setting.label])
def test_each_setting_of_a_gateway_has_its_field_with_name_and_origin(core: FakeCore, name: str) -> None:
    app = open_settings(core)

    [field] = [one for one in app.main if getattr(one, "key", None) == f"server-main-{name}"]
    assert field.label.endswith(")")


def test_the_end_to_end_check_is_off_and_can_be_switched_on(core: FakeCore) -> None:
    app = open_settings(core)
    before = app.number_input(key="server-main-end_to_end_minutes").value

    app.number_input(key="server-main-end_to_end_minutes").set_value(15.0)
    app.button(key="save-main").click().run()

    assert before == 0
    assert "block the number" in app.number_input(key="server-main-end_to_end_minutes").help
    assert core.settings.saved().servers["main"].end_to_end_minutes == 15
    assert core.settings.current().servers[0].end_to_end_minutes == 15


def test_an_end_to_end_check_that_would_ask_too_often_is_refused_in_words(core: FakeCore) -> None:
    app = open_settings(core)

    app.number_input(key="server-main-end_to_end_minutes").set_value(1.0)
    app.button(key="save-main").click().run()

    assert "main, End-to-end check: must be 0 (off), or 5 to 1440 minutes" in shown(app)
    assert core.settings.current().servers[0].end_to_end_minutes == 0


def test_self_healing_is_off_and_can_be_switched_on(core: FakeCore) -> None:
    app = open_settings(core)
    before = app.toggle(key="server-main-self_healing").value

    app.toggle(key="server-main-self_healing").set_value(True)
    app.button(key="save-main").click().run()

    assert before is False
    assert core.settings.saved().servers["main"].self_healing is True
    assert core.settings.current().servers[0].self_healing is True


def test_a_gateway_that_does_not_offer_the_check_says_so(core: FakeCore) -> None:
    core.shows(session("sales"), end_to_end_offered=False)

    app = open_page("settings")

    assert "This gateway does not support this check" in shown(app)


def cards(app: AppTest) -> dict[str, bool]:
    """Whether each gateway's card is open, by its title."""
    return {one.label: one.proto.expanded for one in app.expander if one.label.startswith("Gateway")}


def test_the_card_of_an_only_gateway_is_open_and_tells_its_state(core: FakeCore) -> None:
    assert cards(open_settings(core)) == {"Gateway main · 0 of 1 connected": True}


def test_cards_of_several_gateways_are_collapsed_except_the_one_that_a_link_names(core: FakeCore) -> None:
    change = core.settings.saved().with_server("porto", url="http://127.0.0.1:9", enabled=False)
    core.settings.save(change, expected_revision=0, actor="rui")
    core.shows(session("sales", "disconnected", ever_connected=True), up=False)

    assert cards(open_page("settings")) == {
        "Gateway main · Gateway unreachable": False,
        "Gateway porto · paused": False,
    }
    assert cards(open_page("settings", server="porto")) == {
        "Gateway porto · paused": True,
        "Gateway main · Gateway unreachable": False,
    }
