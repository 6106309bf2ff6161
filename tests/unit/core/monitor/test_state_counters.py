"""What the ledger counts, for metrics that a glance at the present cannot give."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from watched_gateway import FakeClient, ledger_of, server_settings

from core.models import Observation, Problem, ServerSnapshot, SessionState
from core.monitor.probe import GatewayObservation, Listing
from core.monitor.state import GatewayState
from tests.fakes import FakeClock


class Counting:
    """A ledger of one session."""

    def __init__(self, directory: Path, before: ServerSnapshot | None = None) -> None:
        self.clock, self.client = FakeClock(), FakeClient("sales")
        self.state: GatewayState = ledger_of(
            directory, server_settings("sales"), self.client, self.clock, before=before
        )

    def see(self, state: SessionState | None = None, **fields: Any) -> None:
        """Take in a probe that ends now, and let a second pass."""
        now: datetime = self.clock()
        self.state.take_session("sales", Observation(started_at=now, observed_at=now, state=state, **fields))
        self.clock.advance(1)

    def lose_and_recover(self) -> None:
        self.see(SessionState.CONNECTED, page_answers=True)
        self.see(SessionState.CLOSED, has_session_object=False)
        self.see(SessionState.QRCODE, qr_payload="2@a")
        self.see(SessionState.CONNECTED, page_answers=True)


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(tmp_path)


def test_an_outage_is_counted_once_by_what_began_it(counting: Counting) -> None:
    counting.lose_and_recover()

    assert counting.state.snapshot().sessions[0].disconnects == {"closed": 1}


def test_a_recovery_is_counted_by_how_long_the_outage_lasted(counting: Counting) -> None:
    counting.lose_and_recover()

    recovered = counting.state.snapshot().recovery_seconds
    assert recovered is not None
    assert (recovered.buckets[0], recovered.buckets[-1], recovered.sum_seconds) == (1, 1, 2.0)


def test_a_first_pairing_is_neither_an_outage_nor_a_recovery(counting: Counting) -> None:
    counting.see(SessionState.QRCODE, qr_payload="2@a")
    counting.see(SessionState.CONNECTED, page_answers=True)

    after = counting.state.snapshot()
    assert after.sessions[0].disconnects == {}
    assert after.recovery_seconds is not None
    assert after.recovery_seconds.buckets[-1] == 0


def test_a_page_that_stops_answering_is_a_loss_of_the_page(counting: Counting) -> None:
    counting.see(SessionState.CONNECTED, page_answers=True)
    counting.see(SessionState.CONNECTED, page_answers=False)

    assert counting.state.snapshot().sessions[0].disconnects == {"page": 1}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("ConnectError", "connect"),
        ("RequestTimeoutError", "timeout"),
        ("AuthenticationError", "token"),
        ("SecretKeyRejectedError", "secret"),
        ("ResponseError", "answer"),
        ("ServerFailureError", "answer"),
    ],
)
def test_a_failed_probe_is_counted_by_its_reason(counting: Counting, kind: str, reason: str) -> None:
    problem = Problem(kind=kind, message="it failed", at=counting.clock())

    counting.see(problem=problem)
    counting.see(problem=problem)

    assert counting.state.snapshot().probe_failures == {reason: 2}


def test_restarts_of_the_gateway_are_counted(counting: Counting) -> None:
    counting.state.take_gateway(GatewayObservation(up=True, uptime_seconds=50))
    counting.state.take_gateway(GatewayObservation(up=True, uptime_seconds=1))
    counting.state.take_gateway(GatewayObservation(up=True, uptime_seconds=6))

    assert counting.state.snapshot().restarts == 1


def test_an_open_gateway_is_remembered_between_tries(counting: Counting) -> None:
    counting.state.take_listing(Listing(secret_key_valid=True, default_secret=True))
    counting.state.take_listing(Listing(secret_key_valid=True))

    assert counting.state.snapshot().default_secret is True


def test_tokens_obtained_are_told(counting: Counting) -> None:
    counting.client.tokens.renewed = 3

    counting.see(SessionState.CLOSED, has_session_object=False)

    assert counting.state.snapshot().sessions[0].token_renewals == 3


def test_counters_of_outages_outlive_their_prober(counting: Counting, tmp_path: Path) -> None:
    counting.lose_and_recover()

    successor = Counting(tmp_path / "next", before=counting.state.snapshot()).state.snapshot()

    assert successor.sessions[0].disconnects == {"closed": 1}
    assert successor.recovery_seconds is not None
    assert successor.recovery_seconds.buckets[-1] == 1
