"""States of all sessions with one call, where the manager protocol is offered (contract, section 12)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from watched_gateway import SERVER, Probing, probing

from core.exceptions import (
    ConnectError,
    RetryLaterError,
    SecretKeyRejectedError,
    ServerFailureError,
    WppconnectError,
)
from core.messages import Message
from core.models import SessionState, Snapshot, Verdict
from core.uptime.records import TrackRecords, Window

NEW = "2.11.0"
LIMITED = RetryLaterError(Message.of("transport.left_alone", seconds=40), retry_after_seconds=40.0)
EXPENSIVE = 10
"""Cost of the tokens that a secret key gets which a person made up."""


def speaking(directory: Path, *sessions: str, settled_seconds: float = 6, cost: int = 4) -> Probing:
    main = probing(directory, *sessions)
    main.client.release, main.client.tokens.token_cost = NEW, cost
    main.advance(settled_seconds)
    return main


def test_an_unlink_among_300_sessions_with_expensive_tokens_is_seen_within_seven_seconds(
    tmp_path: Path,
) -> None:
    names = [f"s{number}" for number in range(300)]
    main = speaking(tmp_path, *names, settled_seconds=30, cost=EXPENSIVE)
    assert main.published().interval_seconds == pytest.approx(174)

    main.client.pages["s170"].state = SessionState.CLOSED
    main.advance(7)

    assert main.session("s170").verdict == Verdict.DISCONNECTED


def test_a_frozen_page_is_seen_within_a_round_that_checks_pages_alone(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(60)]
    main = speaking(tmp_path, *names, settled_seconds=45, cost=EXPENSIVE)
    round_seconds = main.published().interval_seconds
    main.client.calls.clear()

    main.client.pages["s40"].answers_after_seconds = 60.0
    main.advance(round_seconds + 1)

    assert round_seconds == pytest.approx(34.8)
    assert main.session("s40").verdict == Verdict.UNRESPONSIVE
    assert {name for name in names if main.client.calls[f"status {name}"]} == {"s40"}


def test_a_session_that_is_watched_is_asked_for_its_state(tmp_path: Path) -> None:
    main = speaking(tmp_path, "sales", settled_seconds=20)
    main.exchange.ask_attention("main", "sales", main.clock() + timedelta(minutes=1))
    main.client.calls.clear()

    main.advance(30)

    assert main.client.calls["status sales"] == pytest.approx(30, abs=4)


def test_the_older_routes_take_an_interval_for_that(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(60)]
    main = probing(tmp_path, *names)
    main.client.tokens.token_cost = EXPENSIVE
    main.advance(10)

    main.client.pages["s40"].state = SessionState.CLOSED
    main.advance(30)

    assert main.session("s40").verdict == Verdict.CONNECTED


@pytest.mark.parametrize("watched", [False, True], ids=["alone", "somebody looks"])
def test_the_limit_is_shared(tmp_path: Path, watched: bool) -> None:
    main = speaking(tmp_path, "sales")
    main.exchange.ask_attention("main", "sales", main.clock() + timedelta(minutes=2 * watched))
    main.client.calls.clear()

    main.advance(60)

    assert 10 <= main.client.calls["states"] <= 15
    assert main.client.calls["release"] == 0


def test_nothing_else_lists_the_sessions_and_the_release_needs_none(tmp_path: Path) -> None:
    main = speaking(tmp_path)

    main.advance(120)

    assert main.client.calls["listing"] == 0
    found = main.published()
    assert ("remove" in found.capabilities, found.version, found.secret_key_valid) == (True, NEW, True)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(LIMITED, id="too many requests"),
        pytest.param(ServerFailureError("unable to list sessions", status_code=500), id="it fails"),
    ],
)
def test_the_older_routes_go_on_without_a_gap(tmp_path: Path, error: WppconnectError) -> None:
    main = speaking(tmp_path, "sales")
    main.client.manager_error = error
    main.advance(5)
    main.client.calls.clear()

    main.client.pages["sales"].state = SessionState.CLOSED
    main.advance(30)

    assert main.session().verdict == Verdict.DISCONNECTED
    assert main.client.calls["status sales"] >= 6
    asked_while_limited = main.client.calls["states"] if error is LIMITED else 0
    assert asked_while_limited == 0
    main.client.manager_error = None
    main.advance(45)
    assert main.client.calls["states"] > 0


def test_the_last_of_the_limit_is_left_to_others(tmp_path: Path) -> None:
    main = speaking(tmp_path, "sales")
    main.client.states_pause_seconds = 50.0
    main.advance(6)
    main.client.calls.clear()

    main.advance(40)

    assert main.client.calls["states"] == 0


def test_an_older_release_is_asked_for_it_once_in_ten_minutes(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")

    main.advance(500)

    assert (main.client.calls["release"], main.client.calls["states"]) == (1, 0)
    assert main.client.calls["listing"] == 9
    assert "remove" not in main.published().capabilities


@pytest.mark.parametrize("away_seconds", [0, 20], ids=["between two health checks", "twenty seconds"])
def test_a_change_of_generation_loses_no_minute_and_makes_no_wrong_verdict(
    tmp_path: Path, away_seconds: int
) -> None:
    names = [f"s{number}" for number in range(60)]
    main = probing(tmp_path, *names)
    main.client.tokens.token_cost = EXPENSIVE
    main.advance(60)
    rounds, offered = [main.published().interval_seconds], ["remove" in main.published().capabilities]

    for release in (NEW, None, NEW):
        main.client.health_error = ConnectError("refused") if away_seconds else None
        main.advance(away_seconds)
        main.client.health_error, main.client.release, main.client.uptime_seconds = None, release, 1.0
        main.advance(60)
        main.client.uptime_seconds = 1000.0
        main.advance(60)
        rounds.append(main.published().interval_seconds)
        offered.append("remove" in main.published().capabilities)

    assert offered == [False, True, False, True]
    assert rounds == pytest.approx([69.6, 34.8, 69.6, 34.8])
    assert main.history.read(kinds=["monitoring"]) == []
    snapshot = Snapshot(taken_at=main.clock(), settings_revision=1, servers=(main.published(),))
    records = TrackRecords(main.history).read(snapshot)
    for name in names:
        after = {verdict for _, verdict in main.transitions(name)}
        assert after == {"connected"} | ({"unreachable"} if away_seconds else set())
        day = records[SERVER, name].uptimes[Window.DAY]
        assert day.measured_seconds == pytest.approx(60 + 3 * (away_seconds + 120), abs=3)
        assert day.measured_seconds - day.connected_seconds <= 3 * (away_seconds + 6) * bool(away_seconds)


def test_a_refused_secret_key_is_told(tmp_path: Path) -> None:
    main = speaking(tmp_path, "sales")

    main.client.manager_error = SecretKeyRejectedError("refused", status_code=401)
    main.advance(6)

    assert main.published().secret_key_valid is False
