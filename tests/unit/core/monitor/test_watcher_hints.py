"""Hints: somebody has reason to believe that a session changed, and it is probed though it is not due."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from watched_gateway import SERVER, FakeClient, Probing, server_settings

from core.clock import now
from core.exceptions import ConnectError
from core.models import SessionState, Verdict
from core.monitor.monitor import Monitor
from core.store import History, OneMachine
from tests.fakes import MemoryStore
from tests.support.settings_world import make_source


@pytest.fixture
def main(tmp_path: Path) -> Probing:
    """Two sessions, probed lately and not due for a long time."""
    names = ("sales", "support")
    probing = Probing(tmp_path, server_settings(*names), FakeClient(*names), interval_seconds=60)
    probing.advance(61)
    probing.client.calls.clear()
    return probing


def test_hinted_session_is_probed_at_once_and_the_others_are_not(main: Probing) -> None:
    main.client.pages["sales"].state = SessionState.CLOSED

    main.watcher.hint("sales")
    main.advance(0.1)

    assert main.session().verdict == Verdict.DISCONNECTED
    assert (main.client.calls["status sales"], main.client.calls["status support"]) == (1, 0)


def test_what_a_hint_found_is_published_although_nothing_changed(main: Probing) -> None:
    before = main.session().observed_at
    assert before is not None

    main.watcher.hint("sales")
    main.advance(0.1)

    observed_at = main.session().observed_at
    assert observed_at is not None
    assert observed_at > before


def test_many_hints_before_the_probe_are_one(main: Probing) -> None:
    for _ in range(100):
        main.watcher.hint("sales")
    main.advance(1)

    assert main.client.calls["status sales"] == 1


def test_the_interval_goes_on_after_a_hint(main: Probing) -> None:
    main.watcher.hint("sales")
    main.advance(30)

    assert main.client.calls["status sales"] == 1


def test_hint_at_a_session_that_is_not_probed_is_ignored(main: Probing) -> None:
    main.watcher.hint("stranger")
    main.advance(1)

    assert main.client.calls["status sales"] == 0


def test_hint_while_the_gateway_is_down_looks_for_the_gateway(main: Probing) -> None:
    main.client.health_error = ConnectError("nobody listens")
    main.advance(61)
    main.client.health_error = None
    main.client.calls.clear()

    main.watcher.hint("sales")
    main.advance(0.5)

    assert main.client.calls["health"] == 1
    assert main.client.calls["status sales"] >= 1


def test_attention_that_somebody_asks_for_anew_is_a_hint(main: Probing) -> None:
    main.exchange.ask_attention(SERVER, "sales", main.clock() + timedelta(seconds=0.6))
    main.advance(0.6)

    assert main.client.calls["status sales"] == 1


@pytest.mark.parametrize("watched_seconds", [0, 60], ids=["unwatched", "watched by the page"])
def test_hint_for_another_process_is_attention_asked_anew(tmp_path: Path, watched_seconds: float) -> None:
    coordination = OneMachine(tmp_path)
    exchange = coordination.exchange
    monitor = Monitor(
        make_source(MemoryStore()),
        coordination=coordination,
        history=History(tmp_path / "history"),
        lock_directory=tmp_path / "locks",
        client=lambda _server, _settings: pytest.fail("it does not probe"),
        holder="tests[1]",
    )
    known = now() + timedelta(seconds=watched_seconds)
    exchange.ask_attention(SERVER, "sales", known)

    monitor.hint(SERVER, "sales")

    assert exchange.attention(SERVER)["sales"] > known
