"""What a gateway's answers about itself do: left alone, hidden, another server's, with another secret key."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest
from watched_gateway import FakeClient, Probing, probing, server_settings

from core.exceptions import (
    AuthenticationError,
    ConnectError,
    NotAGatewayError,
    RetryLaterError,
    SecretKeyRejectedError,
    WppconnectError,
)
from core.messages import Message
from core.models import ServerSnapshot, Verdict

LEFT_ALONE = Message.of("transport.left_alone", seconds=30)
LIMITED = RetryLaterError(LEFT_ALONE, retry_after_seconds=30.0)
STRANGER = NotAGatewayError(Message.of("gateway.not_routed", status=404))


def gateway(main: Probing) -> ServerSnapshot:
    found = main.exchange.read("main")
    assert found is not None
    return found


def connected(directory: Path) -> Probing:
    main = probing(directory, "sales")
    main.advance(6)
    assert main.session().verdict == Verdict.CONNECTED
    return main


def test_return_from_an_outage_costs_the_gateway_no_more_than_a_start(tmp_path: Path) -> None:
    main = probing(tmp_path, *(f"session-{number}" for number in range(40)))
    main.advance(5)
    at_start = main.client.calls.copy()
    main.client.health_error = ConnectError("refused")
    main.advance(600, tick=1)
    main.client.health_error = None
    main.client.calls.clear()

    main.advance(5)

    assert gateway(main).up
    assert main.client.calls["status session-0"] > 0
    assert main.client.calls - at_start == Counter()


class TestLeftAlone:
    def test_a_limit_is_no_verdict_on_a_session(self, tmp_path: Path) -> None:
        main = connected(tmp_path)
        main.client.pages["sales"].error = main.client.health_error = LIMITED

        main.advance(55)

        assert main.session().verdict == Verdict.CONNECTED
        assert (gateway(main).up, gateway(main).hold_off_seconds) == (True, 30.0)
        assert gateway(main).probe_failures == {}

    def test_one_that_lasts_leaves_nothing_known(self, tmp_path: Path) -> None:
        main = connected(tmp_path)
        main.client.pages["sales"].error = main.client.health_error = LIMITED

        main.advance(120)

        assert main.session().verdict == Verdict.UNKNOWN
        assert gateway(main).up is False
        assert gateway(main).problem
        assert gateway(main).problem.explanation == LEFT_ALONE

    def test_after_it_everything_is_asked_again(self, tmp_path: Path) -> None:
        main = connected(tmp_path)
        main.client.pages["sales"].error = main.client.health_error = LIMITED
        main.advance(30)
        main.client.pages["sales"].error = main.client.health_error = None

        main.advance(60)

        assert (gateway(main).up, gateway(main).hold_off_seconds) == (True, 0.0)
        assert main.session().verdict == Verdict.CONNECTED

    def test_a_single_look_takes_it_for_down(self, tmp_path: Path) -> None:
        main = probing(tmp_path, "sales")
        main.client.health_error = LIMITED

        assert main.watcher.probe_once().up is False


class TestNoGateway:
    def test_its_sessions_are_unreachable_and_nothing_is_known_of_secrets(self, tmp_path: Path) -> None:
        main = connected(tmp_path)
        main.client.health_error = STRANGER

        main.advance(6)

        found = gateway(main)
        assert (found.up, found.secret_key_valid, found.default_secret) == (False, None, None)
        assert found.problem
        assert found.problem.explanation == STRANGER.explanation
        assert main.session().verdict == Verdict.UNREACHABLE

    def test_the_log_says_what_it_is_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        main = connected(tmp_path)
        main.client.health_error = STRANGER
        main.advance(20)
        main.client.health_error = ConnectError(Message("transport.refused"))
        main.advance(20)
        main.client.health_error = None
        main.advance(20)

        said = [one.getMessage() for one in caplog.records if one.getMessage().startswith("gateway_")]
        assert [line.split()[0] for line in said] == ["gateway_down", "gateway_down", "gateway_up"]
        assert str(STRANGER) in said[0]


class TestHiddenHealth:
    def test_its_uptime_is_unknown_and_its_start_is_not_forgotten(self, tmp_path: Path) -> None:
        main = connected(tmp_path)
        main.client.uptime_seconds = None

        main.advance(6)

        found = gateway(main)
        assert (found.up, found.uptime_seconds, found.restarts) == (True, None, 0)
        assert found.started_at is not None

    @pytest.mark.parametrize(
        ("uptime_seconds", "restarts"),
        [pytest.param(5.0, 1, id="a new start"), pytest.param(1100.0, 0, id="none")],
    )
    def test_a_restart_behind_it_is_noticed_afterwards(
        self, tmp_path: Path, uptime_seconds: float, restarts: int
    ) -> None:
        main = connected(tmp_path)
        main.client.uptime_seconds = None
        main.advance(100)
        main.client.uptime_seconds = uptime_seconds

        main.advance(6)

        assert gateway(main).restarts == restarts


class TestSecrets:
    def test_a_restart_has_both_tried_at_once(self, tmp_path: Path) -> None:
        main = connected(tmp_path)
        main.client.default_is_accepted, main.client.uptime_seconds = True, 1.0
        main.client.listing_error = SecretKeyRejectedError("wrong", status_code=400)

        main.advance(6)

        assert (gateway(main).secret_key_valid, gateway(main).default_secret) == (False, True)
        assert main.client.tokens.pauses_ended == 1

    @pytest.mark.parametrize(
        "error",
        [
            pytest.param(SecretKeyRejectedError("wrong", status_code=400), id="the key"),
            pytest.param(AuthenticationError("wrong", status_code=401), id="a token"),
        ],
    )
    def test_a_refusal_has_both_tried_at_once_and_not_again_while_it_lasts(
        self, tmp_path: Path, error: WppconnectError
    ) -> None:
        main = connected(tmp_path)
        main.client.calls.clear()
        main.client.default_is_accepted = True
        main.client.listing_error = SecretKeyRejectedError("wrong", status_code=400)
        main.client.pages["sales"].error = error

        main.advance(30)

        assert (gateway(main).secret_key_valid, gateway(main).default_secret) == (False, True)
        assert main.client.calls["listing"] == 1

    def test_a_token_that_is_accepted_again_has_them_tried_again(self, tmp_path: Path) -> None:
        main = connected(tmp_path)
        main.client.listing_error = SecretKeyRejectedError("wrong", status_code=400)
        main.client.pages["sales"].error = main.client.listing_error
        main.advance(6)
        main.client.listing_error = main.client.pages["sales"].error = None

        main.advance(6)

        assert gateway(main).secret_key_valid is True

    def test_a_gateway_that_is_back_may_have_another_key(self, tmp_path: Path) -> None:
        main = connected(tmp_path)
        main.client.health_error = ConnectError(Message("transport.refused"))
        main.advance(6)
        main.client.health_error = None
        main.client.listing_error = SecretKeyRejectedError("wrong", status_code=400)

        main.advance(6)

        assert gateway(main).secret_key_valid is False

    def test_without_a_key_nothing_is_tried(self, tmp_path: Path) -> None:
        client = FakeClient("sales")
        main = Probing(tmp_path, server_settings("sales", secret_key=None, token="$2b$04$x"), client)
        main.advance(6)
        client.uptime_seconds = 1.0

        main.advance(6)

        assert (client.calls["listing"], client.tokens.pauses_ended) == (0, 0)
