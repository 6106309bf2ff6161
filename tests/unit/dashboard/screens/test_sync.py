"""The page "Sync", on a real store; what the sync agent does is done by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from page_world import FakeCore, FakeSignIns, open_page, shown
from streamlit.testing.v1 import AppTest
from sync_page import ENV, Agent, plan

from core.messages import Message
from core.models import HistoryEntry
from core.sync.change_requests import (
    ChangeKind,
    RequestState,
)
from core.sync.plan import ContainerAction, ContainerChange
from core.sync.progress import Done, StepEvent, StepState
from core.sync.targets import State
from dashboard import state
from dashboard.auth.users import Role, User
from tests.support.sync import API_KEY


def minutes_ago(minutes: int) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


@pytest.fixture
def agent(core: FakeCore) -> Agent:
    """An agent on the pages' store."""
    return Agent(core)


def open_sync(locale: str = "en-GB") -> AppTest:
    """Open the page."""
    return open_page("sync", locale=locale)


def keys(app: AppTest) -> set[str]:
    """Return the keys of the buttons that can be pressed."""
    return {str(button.key) for button in app.button if not button.disabled}


def test_page_says_how_to_begin_where_nothing_is_set_up(core: FakeCore) -> None:
    app = open_sync()

    assert "Nothing is set up yet." in shown(app)
    assert keys(app) == set()


def test_page_says_that_the_agent_is_not_running_and_offers_nothing(agent: Agent) -> None:
    agent.tells()
    agent.beats(ago_seconds=60)

    app = open_sync()

    assert "The sync agent is not running." in shown(app)
    assert keys(app) == set()


def test_state_of_every_target_is_told_with_its_reason_and_since_when(agent: Agent) -> None:
    at = datetime.now(UTC).replace(hour=10, minute=42)
    why = Message.of("files.no_line", file=".env", key="X", line="X=")
    agent.tells(State.KEY_MISSING, why, since={ENV: at})

    app = open_sync("pt-PT")

    assert ENV in shown(app)
    assert "Falta a chave desde 10:42" in shown(app)
    assert "nenhuma linha de .env define X; acrescente a linha X=" in shown(app)
    assert "1 por sincronizar" in shown(app)


def test_texts_of_another_release_are_left_out_not_shown_by_their_ids(agent: Agent) -> None:
    unknown = Message.of("propagation.no_line", file=".env")
    change = ContainerChange(
        container="api", action=ContainerAction.REFUSED, why=unknown, notes=(unknown, Message.plain("known"))
    )
    agent.tells(State.KEY_MISSING, unknown, plan=plan(State.KEY_MISSING, unknown, containers=(change,)))
    agent.requests.place(ChangeKind.APPLY, actor="rui")
    agent.moves(RequestState.DONE, result=Done(code="applied", at=datetime.now(UTC), notes=(unknown,)))

    app = open_sync()

    assert ENV in shown(app)
    assert "Known." in shown(app)
    assert "propagation." not in shown(app)


def test_wrong_sync_file_is_told(agent: Agent) -> None:
    agent.tells(problem="sync.yml: targets[0].file: is not set; set it", plan=None)

    assert "sync.yml: targets[0].file: is not set; set it" in shown(open_sync())


def test_new_key_is_planned_first_and_carried_out_when_its_plan_is_approved(agent: Agent) -> None:
    agent.tells()
    app = open_sync()
    app.button(key="sync-generate-api_key").click().run()
    assert "The sync agent is making the plan" in shown(app)
    assert (agent.request().state, agent.request().generate) == (RequestState.ASKED, (API_KEY,))

    container = ContainerChange(
        container="leguas_wppconnect",
        action=ContainerAction.RECREATE,
        why="It is recreated through the Docker Engine.",
        down_seconds=11.4,
        sessions=("main/sales",),
    )
    agent.moves(RequestState.PLANNED, plan=plan(State.WILL_CHANGE, containers=(container,)))
    app.run()
    told = shown(app)
    assert "A new API key is created; the current one stops working." in told
    assert "Written: leguas/.env." in told
    assert "leguas_wppconnect is down for about 11 s." in told
    assert "Its sessions disconnect meanwhile and are expected to reconnect: sales." in told

    app.button(key="sync-approve").click().run()
    assert (agent.request().state, agent.request().approved_by) == (RequestState.APPROVED, "ana")


def test_progress_and_result_stay_until_the_next_order(agent: Agent) -> None:
    agent.tells()
    request = agent.requests.place(ChangeKind.APPLY, actor="rui", generate=(API_KEY,))
    agent.moves(RequestState.RUNNING)
    agent.requests.add_step(request.id, StepEvent(step="write", subject="/srv/.env", state=StepState.DONE))
    agent.requests.add_step(request.id, StepEvent(step="recreate", subject="leguas_wppconnect"))
    app = open_sync()
    assert "The sync agent is working" in shown(app)
    assert "Write /srv/.env" in shown(app)
    assert "Recreate leguas_wppconnect" in shown(app)
    assert "sync-generate-api_key" not in keys(app)

    done = Done(code="applied", at=datetime.now(UTC), lost_sessions=("main/sales",))
    agent.moves(RequestState.DONE, result=done)
    app.run()

    assert "Done, but some sessions have not reconnected." in shown(app)
    assert "sales was connected before and has not reconnected." in shown(app)
    assert "sync-generate-api_key" in keys(app)
    app.button(key="sync-pair-main/sales").click().run()
    assert "sales" in app.query_params["session"]


def test_failure_says_why(agent: Agent) -> None:
    agent.tells()
    agent.requests.place(ChangeKind.APPLY, actor="ana")
    agent.moves(
        RequestState.FAILED,
        note=Message.of("changes.command_ended", label="django", code=3, words="it said nothing"),
    )

    assert "O comando django terminou com o código 3" in shown(open_sync("pt-BR"))


def test_what_is_wrong_can_be_left_out(agent: Agent) -> None:
    agent.tells()
    agent.requests.place(ChangeKind.APPLY, actor="ana", generate=(API_KEY,))
    missing = plan(State.FILE_MISSING, Message.of("files.file_missing", path="x"))
    agent.moves(RequestState.PLANNED, plan=missing)
    app = open_sync()
    assert "sync-approve" not in keys(app)
    assert "Nothing is written until this is resolved." in shown(app)

    app.checkbox(key=f"sync-leave-{ENV}").check()
    app.button(key="sync-again").click().run()

    request = agent.request()
    assert (request.state, request.leave_out, request.generate) == (RequestState.ASKED, (ENV,), (API_KEY,))


def test_of_two_administrators_the_second_is_told(agent: Agent) -> None:
    agent.tells()
    app = open_sync()
    agent.requests.place(ChangeKind.APPLY, actor="rui")

    app.button(key="sync-generate-api_key").click().run()

    assert "Another change was started first" in shown(app)
    assert agent.request().actor == "rui"


def test_plan_that_was_replaced_is_not_approved_by_an_old_click(agent: Agent) -> None:
    agent.tells()
    agent.requests.place(ChangeKind.APPLY, actor="rui")
    agent.moves(RequestState.PLANNED, plan=plan(State.WILL_CHANGE))
    app = open_sync()
    agent.moves(RequestState.PLANNED, plan=plan(State.WILL_CHANGE, digest="digest-2"))

    app.button(key="sync-approve").click().run()

    assert agent.request().state is RequestState.PLANNED


@pytest.mark.parametrize(
    ("key", "kind", "field", "value"),
    [
        ("sync-restore-20261125T104200Z-abcdef", ChangeKind.RESTORE, "backup", "20261125T104200Z-abcdef"),
        ("sync-restart-leguas_wppconnect", ChangeKind.RESTART, "container", "leguas_wppconnect"),
        ("sync-apply", ChangeKind.APPLY, "generate", ()),
    ],
)
def test_every_offer_leads_to_an_order(
    agent: Agent, key: str, kind: ChangeKind, field: str, value: object
) -> None:
    container = ContainerChange(container="leguas_wppconnect", action=ContainerAction.NOTHING)
    agent.tells(plan=plan(State.WILL_CHANGE, containers=(container,)))
    app = open_sync()

    app.button(key=key).click().run()

    request = agent.request()
    assert (request.kind, getattr(request, field), request.actor) == (kind, value, "ana")


@pytest.mark.parametrize(
    "key",
    [
        "sync-generate-api_key",
        "sync-apply",
        "sync-restart-leguas_wppconnect",
        "sync-restore-20261125T104200Z-abcdef",
    ],
)
def test_nothing_is_asked_of_the_agent_before_the_reader_has_confirmed(
    agent: Agent, sign_ins: FakeSignIns, key: str
) -> None:
    container = ContainerChange(container="leguas_wppconnect", action=ContainerAction.NOTHING)
    agent.tells(plan=plan(State.WILL_CHANGE, containers=(container,)))
    sign_ins.has_to_confirm = True
    app = open_sync()

    app.button(key=key).click().run()

    assert agent.requests.current() is None
    assert "Nothing was changed. Confirm your identity" in shown(app)
    # Confirmed in another tab.
    sign_ins.has_to_confirm = False
    app.button(key=key).click().run()
    assert agent.request().actor == "ana"


@pytest.mark.parametrize(
    ("key", "state"),
    [("sync-approve", RequestState.APPROVED), ("sync-withdraw", RequestState.WITHDRAWN)],
)
def test_nothing_is_decided_on_a_plan_before_the_reader_has_confirmed(
    agent: Agent, sign_ins: FakeSignIns, key: str, state: RequestState
) -> None:
    agent.tells()
    agent.requests.place(ChangeKind.APPLY, actor="rui")
    agent.moves(RequestState.PLANNED, plan=plan(State.WILL_CHANGE))
    sign_ins.has_to_confirm = True
    app = open_sync()

    app.button(key=key).click().run()

    assert agent.request().state is RequestState.PLANNED
    sign_ins.has_to_confirm = False
    app.button(key=key).click().run()
    assert agent.request().state is state


def test_order_can_be_withdrawn(agent: Agent) -> None:
    agent.tells()
    agent.requests.place(ChangeKind.APPLY, actor="ana")
    app = open_sync()

    app.button(key="sync-withdraw").click().run()

    assert agent.request().state is RequestState.WITHDRAWN
    assert "Withdrawn. Nothing was changed." in shown(app)


def test_history_tells_changes_and_drift(core: FakeCore, agent: Agent) -> None:
    agent.tells()
    now = datetime.now(UTC)
    core.history.append(
        HistoryEntry(
            at=now,
            kind="sync",
            actor="ana",
            data={"operation": "apply", "outcome": "applied", "files": "leguas/.env", "containers": ""},
        ),
        HistoryEntry(
            at=now, kind="sync", data={"operation": "drift", "target": ENV, "outcome": "will_change"}
        ),
        HistoryEntry(at=now, kind="sync", actor="ana", data={"operation": "recover", "outcome": "undone"}),
    )
    open_sync()
    state.background().wait("sync-history", 60)
    app = open_sync()

    told = shown(app)
    assert "Keys distributed (leguas/.env)" in told
    assert f"{ENV} is not in sync any more" in told
    assert "Interrupted change repaired: undone" in told


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_page_is_for_administrators_only(agent: Agent, sign_ins: FakeSignIns, role: Role) -> None:
    agent.tells()
    sign_ins.user = User(name="rui", role=role)

    app = open_sync()

    assert "This page is for the role administrator" in shown(app)
    assert ENV not in shown(app)


def test_click_of_who_is_no_administrator_any_more_does_nothing(agent: Agent, sign_ins: FakeSignIns) -> None:
    def demote(sign_ins: FakeSignIns) -> None:
        sign_ins.user = User(name="ana", role=Role.OPERATOR)

    agent.tells()
    app = open_sync()
    # By another process: only what is read anew knows it.
    sign_ins.changed_elsewhere = demote

    app.button(key="sync-generate-api_key").click().run()

    assert agent.requests.current() is None


@pytest.mark.parametrize(
    ("beat", "told"),
    [
        pytest.param(
            {"checked_at": minutes_ago(30), "problem": "the engine does not answer"},
            ["The files could not be read since", "The sync agent says: the engine does not answer"],
            id="it says why",
        ),
        pytest.param(
            {"checked_at": minutes_ago(30)},
            ["The files could not be read since", "See the log of the sync agent."],
            id="it hangs in a look",
        ),
        pytest.param(
            {"checked_at": None, "problem": "the engine does not answer"},
            ["The files cannot be read. What is shown here is outdated.", "the engine does not answer"],
            id="since it was started",
        ),
    ],
)
def test_what_could_not_be_looked_at_for_long_is_said_to_be_old(
    agent: Agent, beat: dict[str, object], told: list[str]
) -> None:
    agent.tells()
    agent.beats(**beat)

    text = shown(open_page("sync"))

    assert [one for one in told if one not in text] == []


def test_what_was_looked_at_just_now_is_not_called_old(agent: Agent) -> None:
    agent.tells()

    assert "be read. What" not in shown(open_page("sync"))
