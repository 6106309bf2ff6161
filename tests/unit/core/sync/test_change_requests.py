"""One order at a time; two administrators at once: one wins, the other is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.store import FileStore
from core.sync.change_requests import (
    ChangeKind,
    ChangeRequest,
    ChangeRequests,
    RequestState,
    RequestTakenError,
)
from core.sync.plan import Plan
from core.sync.progress import StepEvent, StepState
from tests.support.sync import MOMENT


@pytest.fixture
def change_requests(tmp_path: Path) -> ChangeRequests:
    """A desk on a store of its own."""
    return ChangeRequests(FileStore(tmp_path), clock=lambda: MOMENT)


def planned(change_requests: ChangeRequests, digest: str) -> ChangeRequest:
    """Place an order and plan it, as the agent does."""
    request = change_requests.place(ChangeKind.APPLY, actor="ana")
    plan = Plan(made_at=MOMENT, digest=digest)
    return change_requests.change(
        request.id, lambda one: one.model_copy(update={"state": RequestState.PLANNED, "plan": plan})
    )


def test_order_is_seen_by_everybody_until_the_next_one(change_requests: ChangeRequests) -> None:
    request = change_requests.place(ChangeKind.RESTORE, actor="ana", backup="b-1")

    assert change_requests.current() == request
    assert (request.state, request.backup, request.actor) == (RequestState.ASKED, "b-1", "ana")


def test_second_order_is_refused_while_the_first_is_under_way(change_requests: ChangeRequests) -> None:
    change_requests.place(ChangeKind.APPLY, actor="ana")

    with pytest.raises(RequestTakenError, match=r"ana has .* asked since 2026-11-25T10:42:00Z"):
        change_requests.place(ChangeKind.APPLY, actor="rui")


def test_of_two_administrators_at_once_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    def place(name: str) -> str:
        try:
            return ChangeRequests(FileStore(tmp_path)).place(ChangeKind.APPLY, actor=name).actor
        except RequestTakenError as error:
            return error.message

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(place, ["ana", "rui"]), key=len)

    assert said[0] in ("ana", "rui")
    assert said[1].startswith(f"{said[0]} has a change request in the state asked since")


def test_plan_is_approved_once_and_only_as_it_was_seen(change_requests: ChangeRequests) -> None:
    request = planned(change_requests, "digest-1")

    with pytest.raises(RequestTakenError):
        change_requests.approve(request.id, "digest-0", actor="ana")
    approved = change_requests.approve(request.id, "digest-1", actor="ana")
    with pytest.raises(RequestTakenError, match=r"ana has .* approved since"):
        change_requests.approve(request.id, "digest-1", actor="rui")

    assert (approved.state, approved.approved_by) == (RequestState.APPROVED, "ana")


def test_order_can_be_withdrawn_until_it_is_approved(change_requests: ChangeRequests) -> None:
    request = planned(change_requests, "digest-1")
    assert change_requests.withdraw(request.id, actor="rui").state is RequestState.WITHDRAWN

    second = planned(change_requests, "digest-2")
    change_requests.approve(second.id, "digest-2", actor="ana")
    with pytest.raises(RequestTakenError):
        change_requests.withdraw(second.id, actor="rui")


def test_order_that_was_replaced_is_not_changed(change_requests: ChangeRequests) -> None:
    first = planned(change_requests, "digest-1")
    change_requests.withdraw(first.id, actor="ana")
    second = change_requests.place(ChangeKind.APPLY, actor="rui")

    with pytest.raises(RequestTakenError, match=r"rui has .* asked since"):
        change_requests.approve(first.id, "digest-1", actor="ana")
    assert change_requests.current() == second


def test_step_goes_on_in_its_place(change_requests: ChangeRequests) -> None:
    request = change_requests.place(ChangeKind.APPLY, actor="ana")
    for event in (
        StepEvent(step="write", subject=".env"),
        StepEvent(step="recreate", subject="wpp"),
        StepEvent(step="write", subject=".env", state=StepState.DONE),
    ):
        request = change_requests.add_step(request.id, event)

    assert [(one.step, one.subject, one.state) for one in request.steps] == [
        ("write", ".env", StepState.DONE),
        ("recreate", "wpp", StepState.RUNNING),
    ]
