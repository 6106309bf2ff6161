"""The list of sessions."""

from __future__ import annotations

from html import escape

import pytest
from page_world import NOW, FakeCore, FakeSignIns, ago, open_page, qr, session, shown
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core.messages import Message
from core.models import Problem, SessionSnapshot
from dashboard import state


def row_buttons(app: AppTest) -> list[Button]:
    """The buttons of the rows."""
    return [button for button in app.button if "-main-" in str(button.key)]


def test_problems_stand_first(core: FakeCore) -> None:
    core.shows(
        session("zebra", "disconnected"), session("alpha", "connected"), session("beta", "unresponsive")
    )

    app = open_page()

    keys = [button.key for button in row_buttons(app)]
    assert keys == ["repair-main-zebra", "restart-main-beta", "open-main-alpha"]


@pytest.mark.parametrize(
    ("verdict", "fields", "label", "key"),
    [
        pytest.param("connected", {}, "Open sales", "open-main-sales", id="connected is opened"),
        pytest.param(
            "disconnected", {}, "Re-pair sales", "repair-main-sales", id="disconnected is re-paired"
        ),
        pytest.param(
            "disconnected", {"ever_connected": False}, "Pair sales", "repair-main-sales", id="new is paired"
        ),
        pytest.param("stuck", {}, "Restart sales", "restart-main-sales", id="stuck is restarted"),
        pytest.param("unresponsive", {}, "Restart sales", "restart-main-sales", id="dead is restarted"),
        pytest.param("paused", {}, "Resume sales", "resume-main-sales", id="paused is resumed"),
        pytest.param("unauthorized", {}, "Check the secret key", "secret-main-sales", id="refused: secret"),
        pytest.param("unreachable", {}, "Check the address", "address-main-sales", id="unreachable: address"),
        pytest.param(
            "waiting_for_qr", {"qr": qr()}, "Show the QR code of sales", "open-main-sales", id="QR is shown"
        ),
    ],
)
def test_each_verdict_has_the_one_button_that_fits(
    core: FakeCore, verdict: str, fields: dict[str, object], label: str, key: str
) -> None:
    core.shows(session("sales", verdict, **fields))

    app = open_page()

    assert [(button.label, button.key) for button in row_buttons(app)] == [(label, key)]


def test_a_card_tells_verdict_since_when_why_and_last_connection_in_words(core: FakeCore) -> None:
    core.shows(session("sales", reason="gateway_restarted", last_connected=ago(minutes=40)))

    text = shown(open_page())

    assert "Disconnected" in text
    assert "for 12 min" in text
    assert "The gateway was restarted." in text
    assert "Last connected 13:20" in text
    assert "23 Nov 2026 13:48:00" in text


def test_re_pair_begins_the_pairing_and_opens_the_session(core: FakeCore) -> None:
    core.shows(session("sales"))
    app = open_page()

    app.button(key="repair-main-sales").click().run()

    assert core.operations.calls == [("pair", "main", "sales", {"actor": "ana"})]
    assert dict(app.query_params) == {"server": "main", "session": "sales"}


def test_resume_is_saved_for_all_processes(core: FakeCore) -> None:
    core.shows(session("sales", "paused"))
    app = open_page()

    app.button(key="resume-main-sales").click().run()

    saved = core.settings.saved().servers["main"].sessions["sales"]
    assert saved.enabled is True


def test_an_unreachable_gateway_is_named_with_the_next_step(core: FakeCore) -> None:
    refused = Message("transport.refused")
    problem = Problem(kind="ConnectError", message="nobody listens", at=NOW, explanation=refused)
    core.shows(session("sales", "unreachable"), up=False, problem=problem)

    text = shown(open_page())

    assert "The gateway main does not answer." in text
    assert escape(str(refused)) in text
    assert "nobody listens" not in text


def test_what_an_earlier_release_published_of_it_is_shown(core: FakeCore) -> None:
    problem = Problem(kind="ConnectError", message="nobody listens", at=NOW)
    core.shows(session("sales", "unreachable"), up=False, problem=problem)

    assert "No connection." in shown(open_page())


def test_what_answers_in_a_gateways_place_is_named(core: FakeCore) -> None:
    message = Message.of("gateway.not_routed", status=404)
    problem = Problem(kind="NotAGatewayError", message="x", at=NOW, explanation=message)
    core.shows(session("sales", "unreachable"), up=False, problem=problem)

    text = shown(open_page())

    assert "Something other than WPPConnect Server answers at the address of the gateway main." in text
    assert escape(str(message)) in text


@pytest.mark.parametrize("page", ["sessions", "session", "settings"])
def test_a_gateway_that_is_open_to_everybody_is_warned_of_on_every_page(core: FakeCore, page: str) -> None:
    core.shows(session("sales", "connected"), default_secret=True)

    text = shown(open_page(page, server="main", session="sales"))

    assert text.count("The gateway main accepts the public default secret.") == 1


def test_one_that_is_not_is_not(core: FakeCore) -> None:
    core.shows(session("sales", "connected"), default_secret=False)

    assert "public default" not in shown(open_page())


def test_a_refused_secret_key_is_told_with_the_image_that_ignores_it(core: FakeCore) -> None:
    core.shows(session("sales", "unauthorized"), secret_key_valid=False)

    text = shown(open_page())

    assert "The gateway main does not accept the secret key." in text
    assert "--secretKey" in text


@pytest.mark.parametrize(("seconds", "is_told"), [(12.0, True), (5.4, False)], ids=["twice", "a little"])
def test_who_probes_and_a_stretched_interval_are_told(core: FakeCore, seconds: float, is_told: bool) -> None:
    core.shows(session("sales", "connected"), interval_seconds=seconds, interval_reason="token_cost")

    text = shown(open_page())

    assert f"main: checked every {int(seconds)} s by the exporter." in text
    assert ("The configured interval is 5 s" in text) is is_told


def test_a_gateway_that_lists_its_states_is_told_to_be_slow_about_pages_alone(core: FakeCore) -> None:
    core.shows(
        session("sales", "connected"),
        interval_seconds=174.0,
        interval_reason="token_cost",
        capabilities=("all_states",),
        secret_key_valid=True,
    )

    assert "list of states is read every 5 s; the WhatsApp page" in shown(open_page())


def test_an_interval_that_is_stretched_for_our_own_processor_is_explained(core: FakeCore) -> None:
    core.shows(session("sales", "connected"), interval_seconds=16.0, interval_reason="own_processor")

    text = shown(open_page())

    assert "checked every 16 s by the exporter" in text
    assert "take this program more than one processor core" in text


def test_without_a_gateway_the_page_says_what_to_do(core: FakeCore) -> None:
    app = open_page()

    assert "No gateway is set up yet." in shown(app)
    assert [button.label for button in app.button] == ["Add a gateway"]


def test_names_from_the_gateway_are_escaped(core: FakeCore) -> None:
    problem = Problem(kind="ConnectError", message="<script>alert(1)</script>", at=NOW)
    core.shows(session("sales", "unreachable"), up=False, problem=problem)

    assert "<script>" not in shown(open_page())


def test_only_the_way_back_in_is_drawn_for_who_is_not_signed_in(
    core: FakeCore, sign_ins: FakeSignIns
) -> None:
    core.shows(session("sales"))
    sign_ins.user = None

    app = open_page()

    assert "You are signed out." in shown(app)
    # The same address again: the gate leads to the sign-in, and from there back to it.
    assert 'href=""' in shown(app)
    assert "sales" not in shown(app)
    assert not app.button
    assert not app.exception


def test_the_page_speaks_the_browsers_language(core: FakeCore) -> None:
    core.shows(session("sales", reason="closed_on_gateway"))

    portugal, brazil = shown(open_page(locale="pt-PT")), shown(open_page(locale="pt-BR"))

    assert "Removida no telemóvel" in portugal
    assert "Removida no celular" in brazil


def test_a_broken_file_of_the_store_is_told_with_its_remedy(core: FakeCore) -> None:
    core.shows(session("sales", "connected"))
    core.store.update("users", "ana", {"role": "viewer"}, expected_version=0)
    (core.directory / "users.json").write_text("garbage")
    core.store.read("users", "ana")
    state.background().run("notices", lambda: core.store.notices)
    state.background().wait("notices", 60)

    text = shown(open_page())

    assert "users.json could not be read and was set aside" in text
    assert "restore a backup" in text


@pytest.mark.parametrize(
    ("sessions", "title"),
    [
        pytest.param([session("sales", "connected")], "Sessions", id="all is well"),
        pytest.param(
            [session("sales", "unresponsive"), session("support"), session("shop", "starting")],
            "(2) Sessions",
            id="problems are counted",
        ),
    ],
)
def test_title_of_the_tab_counts_the_problems(
    core: FakeCore, sessions: list[SessionSnapshot], title: str
) -> None:
    core.shows(*sessions)

    assert f'data-ops-tab="{title}"' in shown(open_page())


def test_title_of_a_sessions_tab_tells_its_state(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_qr", qr=qr()))

    page = shown(open_page("session", server="main", session="sales"))

    assert 'data-ops-tab="sales: waiting for a scan"' in page
