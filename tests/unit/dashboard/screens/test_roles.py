"""What each role is shown, sent and allowed to do."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from page_world import FakeCore, FakeSignIns, ago, open_page, operation, qr, server, session, shown
from streamlit.testing.v1 import AppTest

from dashboard.auth.users import Role, User

LIVE = "2@the-live-payload"
CODE = "ABCD1234"
ADMINISTRATION = {"Settings", "Sync", "Users"}


@pytest.fixture
def viewer(sign_ins: FakeSignIns) -> None:
    sign_ins.user = User(name="rui", role=Role.VIEWER)


@pytest.fixture
def operator(sign_ins: FakeSignIns) -> None:
    sign_ins.user = User(name="eva", role=Role.OPERATOR)


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


def sent(app: AppTest) -> str:
    """Return all that went to the browser, also what stands encoded in it."""
    drawn = "\n".join(str(node.proto) for node in nodes(app._tree))
    pictures = [part.split('"')[0] for part in shown(app).split("base64,")[1:]]
    return shown(app) + drawn + "".join(base64.b64decode(one).decode() for one in pictures)


def nodes(block: Any) -> Iterator[Any]:
    for node in block.children.values():
        yield node
        if hasattr(node, "children"):
            yield from nodes(node)


@pytest.mark.parametrize(
    ("role", "is_shown"), [(Role.VIEWER, False), (Role.OPERATOR, False), (Role.ADMINISTRATOR, True)]
)
def test_the_navigation_shows_what_the_role_may_open(
    core: FakeCore, sign_ins: FakeSignIns, role: Role, is_shown: bool
) -> None:
    sign_ins.user = User(name="rui", role=role)
    core.shows(session("sales", "connected"))

    links = {one.proto.label for one in open_page("session", server="main", session="sales").get("page_link")}

    assert {"Sessions", "Incidents", "Alerts", "Activity"} <= links
    assert links & ADMINISTRATION == (ADMINISTRATION if is_shown else set())


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize("page", ["sessions", "session"])
def test_a_live_qr_code_is_not_sent_to_a_viewers_browser(core: FakeCore, page: str) -> None:
    core.shows(session("sales", "waiting_for_qr", qr=qr(LIVE)))
    core.operations.statuses["main", "sales"] = operation(step="waiting_for_scan", step_until=ago(seconds=-9))

    app = open_page(page, server="main", session="sales")

    assert not app.exception
    assert "Waiting for a scan" in shown(app)
    assert "base64," not in shown(app)
    assert LIVE not in sent(app)


@pytest.mark.usefixtures("operator")
def test_an_operator_is_sent_the_live_qr_code(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_qr", qr=qr(LIVE)))

    app = open_page("session", server="main", session="sales")

    assert "QR code that links a phone to sales" in shown(app)
    assert "base64," in shown(app)


@pytest.mark.parametrize(
    ("role", "is_sent"), [(Role.VIEWER, False), (Role.OPERATOR, True), (Role.ADMINISTRATOR, True)]
)
def test_a_pairing_code_is_sent_to_operators_only(
    core: FakeCore, sign_ins: FakeSignIns, role: Role, is_sent: bool
) -> None:
    sign_ins.user = User(name="rui", role=role)
    core.shows(session("sales", "waiting_for_code"))
    core.operations.statuses["main", "sales"] = operation(
        mode="code", step="waiting_for_code_entry", pairing_code=CODE
    )

    app = open_page("session", server="main", session="sales")

    assert (" ".join(CODE) in sent(app)) is is_sent
    assert (CODE[:4] in sent(app)) is is_sent


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize(
    "verdict", ["disconnected", "stuck", "unresponsive", "paused", "unauthorized", "unreachable", "connected"]
)
def test_a_viewer_is_offered_nothing_to_do(core: FakeCore, verdict: str) -> None:
    core.shows(session("sales", verdict, last_connected=ago(days=1)))

    assert keys(open_page("sessions")) == {"open-main-sales"}
    assert keys(open_page("session", server="main", session="sales")) <= {"done-main-sales"}


@pytest.mark.usefixtures("viewer")
def test_a_viewer_is_told_who_can_help(core: FakeCore) -> None:
    core.shows(session("sales", "disconnected"))

    assert "Only an operator can do this." in shown(open_page("session", server="main", session="sales"))


@pytest.mark.usefixtures("operator")
def test_an_operator_pairs_but_is_not_led_to_the_settings(core: FakeCore) -> None:
    core.shows(session("sales", "disconnected"), session("support", "unauthorized"))

    expected = {"repair-main-sales", "open-main-support", "pause-gateway-main", "select"}
    assert keys(open_page("sessions")) == expected


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_the_settings_are_for_administrators(core: FakeCore, sign_ins: FakeSignIns, role: Role) -> None:
    sign_ins.user = User(name="rui", role=role)
    core.monitor.servers = (server(session("sales")),)

    app = open_page("settings")

    assert "This page is for the role administrator" in shown(app)
    assert f"you are signed in as rui with the role {role}" in shown(app)
    assert keys(app) == set()
    assert len(app.text_input) == 0


def test_a_click_that_was_offered_before_the_role_was_lowered_does_nothing(
    core: FakeCore, sign_ins: FakeSignIns
) -> None:
    core.shows(session("sales", "disconnected"))
    app = open_page("session", server="main", session="sales")

    sign_ins.user = User(name="ana", role=Role.VIEWER)
    app.button(key="repair-main-sales").click().run()

    assert core.operations.calls == []


def test_settings_that_were_open_when_the_role_was_lowered_are_not_saved(
    core: FakeCore, sign_ins: FakeSignIns
) -> None:
    core.shows(session("sales"))
    app = open_page("settings")

    sign_ins.user = User(name="ana", role=Role.OPERATOR)
    app.text_input(key="server-main-url").set_value("http://127.0.0.1:1")
    app.button(key="save-main").click().run()

    assert core.settings.current().servers[0].url == "http://127.0.0.1:21465"


@pytest.mark.parametrize(("role", "is_drawn"), [(Role.VIEWER, False), (Role.OPERATOR, True)])
def test_acknowledging_is_offered_beside_the_state_to_who_may(
    core: FakeCore, sign_ins: FakeSignIns, role: Role, is_drawn: bool
) -> None:
    saved = core.settings.saved().with_program(alertmanager_url="http://127.0.0.1:9093")
    core.settings.save(saved, expected_revision=0, actor="ana")
    sign_ins.user = User(name="rui", role=role)
    core.shows(session("sales", "disconnected"))

    app = open_page("session", server="main", session="sales")

    assert ("acknowledge-main-sales" in {button.key for button in app.button}) == is_drawn
