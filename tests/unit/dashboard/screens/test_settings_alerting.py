"""Where Alertmanager is, on the settings page."""

from __future__ import annotations

from page_world import FakeCore, open_page, shown


def test_its_address_is_saved_and_shown_without_its_password(core: FakeCore) -> None:
    app = open_page("settings")

    app.text_input(key="alertmanager-url").set_value("http://me:s3cret-pass@alerts:9093/")
    app.button(key="save-alertmanager").click().run()

    saved = core.settings.current().alertmanager
    again = open_page("settings")
    assert saved is not None
    assert saved.url.get_secret_value() == "http://me:s3cret-pass@alerts:9093"
    assert again.text_input(key="alertmanager-url").value == "http://alerts:9093"
    assert "s3cret-pass" not in shown(again)


def test_a_token_is_added_without_touching_the_address(core: FakeCore) -> None:
    saved = core.settings.saved().with_program(alertmanager_url="http://me:s3cret-pass@alerts")
    core.settings.save(saved, expected_revision=0, actor="ana")
    app = open_page("settings")

    app.text_input(key="alertmanager-bearer_token").set_value("t0ken")
    app.button(key="save-alertmanager").click().run()

    found = core.settings.current().alertmanager
    assert found is not None
    assert found.url.get_secret_value() == "http://me:s3cret-pass@alerts"
    assert found.authorization == "Bearer t0ken"


def test_an_empty_address_means_none(core: FakeCore) -> None:
    saved = core.settings.saved().with_program(alertmanager_url="http://alerts")
    core.settings.save(saved, expected_revision=0, actor="ana")
    app = open_page("settings")

    app.text_input(key="alertmanager-url").set_value("")
    app.button(key="save-alertmanager").click().run()

    assert core.settings.current().alertmanager is None


def test_a_wrong_address_is_refused_with_the_remedy(core: FakeCore) -> None:
    app = open_page("settings")

    app.text_input(key="alertmanager-url").set_value("alerts:9093")
    app.button(key="save-alertmanager").click().run()

    assert "s address: has no scheme; add http:// (or https://) in front" in shown(app)
    assert core.settings.current().alertmanager is None
