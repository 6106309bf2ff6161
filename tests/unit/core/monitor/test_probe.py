"""Errors become values where the gateway is asked."""

from __future__ import annotations

import pytest
from watched_gateway import FakeClient

from core.exceptions import (
    ConnectError,
    RequestTimeoutError,
    ResponseError,
    SecretKeyRejectedError,
    WppconnectError,
)
from core.models import SessionState
from core.monitor.probe import QUICK_CHECK_SECONDS, PageCheck, list_gateway, probe_gateway, probe_session
from tests.fakes import FakeClock


@pytest.fixture
def client() -> FakeClient:
    return FakeClient("sales")


def probe(client: FakeClient, check: PageCheck = PageCheck.QUICK):
    return probe_session(client, "sales", now=FakeClock(), page_check=check)


class TestSession:
    def test_a_connected_one_is_asked_for_its_page(self, client: FakeClient) -> None:
        seen = probe(client)

        assert (seen.state, seen.page_answers, seen.version) == (SessionState.CONNECTED, True, "2.10.4")

    @pytest.mark.parametrize(
        "state", [one for one in SessionState if one != SessionState.CONNECTED], ids=lambda state: state.value
    )
    def test_no_other_state_is_asked_for_its_page(self, client: FakeClient, state: SessionState) -> None:
        client.pages["sales"].state = state

        seen = probe(client, PageCheck.PATIENT)

        assert (seen.state, seen.page_answers, client.calls.total()) == (state, None, 1)

    def test_a_listed_one_is_asked_for_its_page_alone(self, client: FakeClient) -> None:
        seen = probe(client, PageCheck.ONLY)

        assert (seen.state, seen.page_answers) == (SessionState.CONNECTED, True)
        assert (seen.has_session_object, client.calls.total()) == (True, 1)

    @pytest.mark.parametrize(
        ("state", "answers"),
        [(SessionState.CLOSED, None), (SessionState.CONNECTED, False)],
        ids=["closed meanwhile", "its browser died"],
    )
    def test_a_page_that_denies_the_list_is_asked_for_its_state(
        self, client: FakeClient, state: SessionState, answers: bool | None
    ) -> None:
        client.pages["sales"].state, client.pages["sales"].answers = state, False

        seen = probe(client, PageCheck.ONLY)

        assert (seen.state, seen.page_answers) == (state, answers)

    def test_an_unlink_between_its_two_requests_is_no_dead_browser(self, client: FakeClient) -> None:
        page = client.pages["sales"]

        def unlink(*_: object, **__: object) -> bool:
            page.state = SessionState.CLOSED
            return False

        client.check_connection = unlink  # type: ignore[method-assign]

        seen = probe(client)

        assert (seen.state, seen.page_answers, seen.page_unproved) == (SessionState.CLOSED, None, False)

    def test_a_listed_page_that_is_slow_is_neither_good_nor_frozen(self, client: FakeClient) -> None:
        client.pages["sales"].answers_after_seconds = QUICK_CHECK_SECONDS + 1

        seen = probe(client, PageCheck.ONLY)

        assert (seen.page_answers, seen.page_timed_out, seen.page_unproved) == (None, False, True)

    def test_a_page_may_be_left_alone(self, client: FakeClient) -> None:
        seen = probe(client, PageCheck.SKIP)

        assert (seen.page_answers, seen.page_timed_out, client.calls.total()) == (None, False, 1)

    @pytest.mark.parametrize(
        ("check", "timed_out"),
        [(PageCheck.QUICK, False), (PageCheck.PATIENT, True)],
        ids=["quick", "patient"],
    )
    def test_only_a_page_that_had_its_whole_time_is_called_frozen(
        self, client: FakeClient, check: PageCheck, timed_out: bool
    ) -> None:
        client.pages["sales"].answers_after_seconds = 60.0

        seen = probe(client, check)

        assert (seen.page_answers, seen.page_timed_out, seen.problem) == (None, timed_out, None)

    def test_a_quick_check_has_a_budget_of_its_own(self, client: FakeClient) -> None:
        client.pages["sales"].answers_after_seconds = QUICK_CHECK_SECONDS + 1

        assert probe(client, PageCheck.QUICK).page_answers is None
        assert probe(client, PageCheck.PATIENT).page_answers is True

    @pytest.mark.parametrize("error", [ConnectError("no"), RequestTimeoutError("late"), ResponseError("odd")])
    def test_an_error_becomes_a_value_with_its_class_and_words(
        self, client: FakeClient, error: Exception
    ) -> None:
        client.pages["sales"].error = error

        seen = probe(client)

        assert seen.problem is not None
        assert (seen.problem.kind, seen.problem.message) == (type(error).__name__, str(error))
        assert seen.state is None

    def test_a_connection_that_fails_once_is_tried_again(self, client: FakeClient) -> None:
        client.pages["sales"].errors = [ConnectError("the name cannot be resolved")]

        seen = probe(client)

        assert (seen.problem, seen.page_answers) == (None, True)

    def test_a_live_qr_code_is(self, client: FakeClient) -> None:
        client.pages["sales"].state = SessionState.QRCODE
        client.pages["sales"].urlcode = "2@live"

        assert probe(client).qr_payload == "2@live"


class TestGateway:
    def test_its_health_tells_its_uptime(self, client: FakeClient) -> None:
        seen = probe_gateway(client, now=FakeClock())

        assert (seen.up, seen.uptime_seconds, seen.problem) == (True, 1000.0, None)

    def test_no_answer_means_that_it_is_down(self, client: FakeClient) -> None:
        client.health_error = ConnectError("refused")

        seen = probe_gateway(client, now=FakeClock())

        assert seen.problem is not None
        assert (seen.up, seen.problem.kind) == (False, "ConnectError")

    @pytest.mark.parametrize("error", [ConnectError("no"), RequestTimeoutError("late"), ResponseError("odd")])
    def test_one_answer_that_fails_is_asked_for_again(
        self, client: FakeClient, error: WppconnectError
    ) -> None:
        client.health_errors = [error]

        seen = probe_gateway(client, now=FakeClock())

        assert (seen.up, seen.problem, client.calls["health"]) == (True, None, 2)

    def test_two_in_a_row_mean_that_it_is_down(self, client: FakeClient) -> None:
        client.health_errors = [RequestTimeoutError("late"), ConnectError("refused")]

        seen = probe_gateway(client, now=FakeClock())

        assert seen.problem is not None
        assert (seen.up, seen.problem.kind, client.calls["health"]) == (False, "ConnectError", 2)


class TestListing:
    def test_an_answer_proves_the_secret_key(self, client: FakeClient) -> None:
        seen = list_gateway(client, now=FakeClock())

        assert (seen.secret_key_valid, seen.problem) == (True, None)

    def test_a_refusal_disproves_it(self, client: FakeClient) -> None:
        client.listing_error = SecretKeyRejectedError("wrong", status_code=400)

        assert list_gateway(client, now=FakeClock()).secret_key_valid is False

    def test_any_other_error_says_nothing_about_it(self, client: FakeClient) -> None:
        client.listing_error = ConnectError("refused")

        assert list_gateway(client, now=FakeClock()).secret_key_valid is None

    def test_a_list_of_another_shape_says_nothing_about_it(self, client: FakeClient) -> None:
        client.known = None

        seen = list_gateway(client, now=FakeClock())

        assert (seen.secret_key_valid, seen.problem) == (None, None)

    def test_a_public_default_that_could_not_be_tried_keeps_nothing_else_from_being_known(
        self, client: FakeClient
    ) -> None:
        client.default_secret_error = ResponseError("odd")

        seen = list_gateway(client, now=FakeClock())

        assert (seen.secret_key_valid, seen.default_secret) == (True, None)
