"""A gateway that does not answer is one problem in the list, with its sessions folded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from page_world import APP, ENVIRONMENT, NOW, FakeCore, FakeSignIns, open_page, server, session, shown
from streamlit.testing.v1 import AppTest

from core.models import SessionSnapshot
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from dashboard.auth.users import Role, User

LOST = [session(f"branch-{number:02}", "unreachable") for number in range(13)]
CONNECTED = [session(f"shop-{number:02}", "connected", server="porto") for number in range(30)]


def down(core: FakeCore, *more: SessionSnapshot) -> None:
    core.monitor.servers = (server(*LOST, up=False), server(*more, server="porto"))


def keys(app: AppTest, beginning: str) -> list[str]:
    return [str(button.key) for button in app.button if str(button.key).startswith(beginning)]


def test_it_has_one_card_with_one_main_action(core: FakeCore) -> None:
    down(core, session("lost", "disconnected", server="porto"))

    app = open_page()
    text = shown(app)

    assert keys(app, "fold-") == ["fold-settings-main"]
    assert [key for key in keys(app, "") if "branch-" in key] == []
    assert text.count("The gateway main does not answer.") == 1
    assert "13 sessions" in text
    assert "0 of 14 connected" in text
    assert [one.label for one in app.expander if "13" in one.label] == ["Show the 13 sessions"]


def test_in_maintenance_it_is_one_quiet_card_without_actions(core: FakeCore) -> None:
    until: dict[str, Any] = {"maintenance_until": NOW + timedelta(hours=2)}
    lost = [one.model_copy(update=until) for one in LOST]
    core.monitor.servers = (server(*lost, up=False, **until), server(*CONNECTED[:2], server="porto"))

    app = open_page()
    text = shown(app)

    assert keys(app, "fold-") == keys(app, "address-") == []
    assert text.count("The gateway main does not answer.") == 1
    assert text.count("Maintenance until") == 1
    assert "ops-fold-quiet" in text
    assert [one.label for one in app.expander if "13" in one.label] == ["Show the 13 sessions"]


def test_a_search_still_finds_each_of_its_sessions(core: FakeCore) -> None:
    down(core, *CONNECTED)

    app = open_page(find="branch-07")

    assert [key for key in keys(app, "") if "branch-" in key] == ["address-main-branch-07"]
    assert shown(app).count("The gateway main does not answer.") == 1


def test_its_sessions_count_on_the_pages_of_the_list(core: FakeCore) -> None:
    down(core, *CONNECTED)

    first, second = (AppTest.from_file(str(APP), default_timeout=60) for _ in range(2))
    second.query_params["page"] = "2"

    assert "1 to 37 of 43" in shown(first.run())
    assert "38 to 43 of 43" in shown(second.run(timeout=60))


def test_each_of_its_sessions_can_be_selected(core: FakeCore) -> None:
    down(core, *CONNECTED)
    app = open_page()

    app.button(key="select").click().run()

    assert len([box for box in app.checkbox if "branch-" in str(box.key)]) == len(LOST)
    assert keys(app, "open-main-")[0] == "open-main-branch-00"
    assert keys(app, "address-") == []


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (Role.ADMINISTRATOR, ["fold-settings-main"]),
        (Role.OPERATOR, ["fold-doctor-main"]),
        (Role.VIEWER, []),
    ],
)
def test_its_main_action_fits_the_role(
    core: FakeCore, sign_ins: FakeSignIns, role: Role, actions: list[str]
) -> None:
    sign_ins.user = User(name="bea", role=role)
    down(core)

    assert keys(open_page(), "fold-") == actions


def test_an_operator_examines_it_on_the_page_of_one_of_its_sessions(
    core: FakeCore, sign_ins: FakeSignIns
) -> None:
    sign_ins.user = User(name="bea", role=Role.OPERATOR)
    down(core)
    app = open_page()

    app.button(key="fold-doctor-main").click().run()

    assert dict(app.query_params) == {"server": "main", "session": "branch-00"}


def test_it_is_acknowledged_as_a_whole(core: FakeCore) -> None:
    environment = ENVIRONMENT | {"ALERTMANAGER_URL": "http://127.0.0.1:9"}
    core.settings = SettingsSource(load_environment(environment), core.store)
    down(core)

    assert keys(open_page(), "acknowledge-") == ["acknowledge-main-"]
