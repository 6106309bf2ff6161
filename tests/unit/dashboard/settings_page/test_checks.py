"""What the settings page asks a gateway."""

from __future__ import annotations

from datetime import timedelta

import pytest
from page_world import NOW, FakeCore
from watched_gateway import FakeClient

from core.doctor.diagnosis import Check, CheckResult, Diagnosis, Result
from core.exceptions import RequestTimeoutError, SecretKeyRejectedError, SettingProblem
from core.messages import Message
from core.models import SessionState
from dashboard.settings_page import checks


def test_new_sessions_are_found_with_their_states_and_nothing_is_saved(core: FakeCore) -> None:
    client = FakeClient("sales", "new-one", "closed", "silent", "a:b")
    client.pages["closed"].state = SessionState.CLOSED
    client.pages["silent"].error = RequestTimeoutError("no answer in time")
    core.client = lambda server: client

    found = checks.discover(core, "main")

    states = {"new-one": SessionState.CONNECTED, "closed": SessionState.CLOSED, "silent": None}
    assert found == checks.Discovery(found=states, odd=("a:b",))
    assert core.settings.current().revision == 0


def test_states_that_one_call_lists_are_not_asked_for_one_by_one(core: FakeCore) -> None:
    client = FakeClient("sales", "new-one")
    client.release = "2.10.17"
    core.client = lambda server: client

    found = checks.discover(core, "main")

    assert found.found == {"new-one": SessionState.CONNECTED}
    assert client.calls["status new-one"] == 0


def test_a_list_of_unknown_shape_is_not_taken_for_no_sessions(core: FakeCore) -> None:
    client = FakeClient()
    client.known = None
    core.client = lambda server: client

    assert checks.discover(core, "main") == checks.Discovery(problem="unreadable")


def test_a_refused_secret_key_is_told(core: FakeCore) -> None:
    client = FakeClient()
    client.listing_error = SecretKeyRejectedError("the secret key is not the gateway's", status_code=400)
    core.client = lambda server: client

    found = checks.discover(core, "main")

    assert found.problem == "SecretKeyRejectedError"


def test_a_gateway_that_tells_thousands_of_names_does_not_fill_the_page(core: FakeCore) -> None:
    many = tuple(f"name-{number}" for number in range(5000))
    core.client = lambda server: FakeClient(*many, *many, *(f"<{one}>" for one in many))

    found = checks.discover(core, "main")

    assert tuple(found.found) == many[: checks.MOST_OFFERED]
    assert found.more == len(many) - checks.MOST_OFFERED
    assert len(found.odd) == checks.MOST_ODD_SHOWN


def test_an_answer_holds_for_two_minutes_of_an_unchanged_gateway(core: FakeCore) -> None:
    server = core.settings.current().server("main")
    assert server is not None
    diagnosis = Diagnosis(server="main", session=None, began_at=NOW)
    asked = checks.Asked(diagnosis, "ana", NOW, checks.without_sessions(server), up=True)
    moved = server.model_copy(update={"url": "http://10.0.0.9:21465"})

    assert asked.holds(server, up=True, now=NOW + timedelta(seconds=119))
    assert not asked.holds(server, up=True, now=NOW + timedelta(seconds=121))
    assert not asked.holds(server, up=False, now=NOW)
    assert not asked.holds(moved, up=True, now=NOW)
    assert not asked.holds(None, up=True, now=NOW)


def test_answer_about_typed_values_goes_on_holding_once_they_are_saved(core: FakeCore) -> None:
    server = core.settings.current().server("main")
    assert server is not None
    typed = server.model_copy(update={"url": "http://10.0.0.9:21465"})
    diagnosis = Diagnosis(server="main", session=None, began_at=NOW)
    before, tested = map(checks.without_sessions, (server, typed))
    asked = checks.Asked(diagnosis, "ana", NOW, before, up=True, tested=tested)

    assert (asked.holds(server, up=True, now=NOW), asked.is_of_saved(server)) == (True, False)
    assert (asked.holds(typed, up=None, now=NOW), asked.is_of_saved(typed)) == (True, True)
    assert not asked.holds(server.model_copy(update={"url": "http://10.0.0.1:1"}), up=True, now=NOW)


def test_a_choice_of_sessions_stays_for_longer(core: FakeCore) -> None:
    server = core.settings.current().server("main")
    asked = checks.Asked(checks.Discovery(), "ana", NOW, checks.without_sessions(server), up=True)

    assert asked.holds(server, up=True, now=NOW + timedelta(minutes=14))


PASSED, FAILED, SKIPPED = Result.PASSED, Result.FAILED, Result.SKIPPED


@pytest.mark.parametrize(
    ("results", "is_usable"),
    [
        ({Check.REACHABLE: PASSED, Check.SECRET_ACCEPTED: PASSED}, True),
        ({Check.REACHABLE: PASSED, Check.SECRET_ACCEPTED: PASSED, Check.DEFAULT_REFUSED: FAILED}, True),
        ({Check.REACHABLE: PASSED, Check.SECRET_ACCEPTED: PASSED, Check.VERSION: FAILED}, True),
        ({Check.REACHABLE: PASSED, Check.SECRET_ACCEPTED: FAILED}, False),
        ({Check.REACHABLE: PASSED, Check.SECRET_ACCEPTED: SKIPPED}, False),
        ({Check.REACHABLE: FAILED}, False),
        ({}, False),
    ],
)
def test_gateway_is_usable_if_it_answers_and_accepts_the_key(
    results: dict[Check, Result], is_usable: bool
) -> None:
    answers = tuple(CheckResult(check=check, result=result) for check, result in results.items())
    diagnosis = Diagnosis(server="main", session=None, began_at=NOW, results=answers)

    assert checks.is_usable(diagnosis) is is_usable


def test_gateway_whose_name_is_taken_meanwhile_is_not_overwritten(core: FakeCore) -> None:
    new = checks.NewServer("main", "http://10.0.0.9:21465", "its-secret")
    trial = checks.Trial(new, Diagnosis(server="main", session=None, began_at=NOW), NOW)

    found = checks.save_tested(core.settings, trial, actor="ana", may_save=lambda: True)

    [problem] = found.problems
    assert isinstance(problem, SettingProblem)
    assert problem.text == Message("setting.server_exists")
    assert not found.is_saved
    assert core.settings.current().revision == 0
