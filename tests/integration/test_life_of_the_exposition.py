"""What /metrics says after each thing that befalls exporter and gateway, in full.

Our own watcher probes on clocks that only jump. OPS_TEST_GOLDEN=write takes a change that is meant over.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from watched_gateway import Probing, probing, server_settings

from core.models import SessionState, Snapshot
from core.settings.values import Timeouts
from exporter.exposition import Exposition, Format
from exporter.own_metrics import OwnMetrics
from tests.meta.source import ROOT
from tests.support.golden import golden_text

GOLDEN = ROOT / "tests" / "data" / "exposition" / "life"


def lose_support(main: Probing) -> None:
    """Unlink a session's phone."""
    main.client.pages["support"].state = SessionState.CLOSED
    main.advance(10)


def restart_exporter(main: Probing) -> None:
    """Lose a session, and let a process take over that comes a minute later."""
    lose_support(main)
    main.clock.advance(60)
    main.begin("exporter[2]")
    main.advance(1)


def restart_gateway(main: Probing) -> None:
    """Let the gateway come back with every browser still starting."""
    main.client.uptime_seconds = 1.0
    for page in main.client.pages.values():
        page.state = SessionState.INITIALIZING
    main.advance(10)


def set_clock_back(main: Probing) -> None:
    """Set the wall clock back by an hour, which no clock that measures notices."""
    main.clock.advance(-3600)
    main.advance(10)


def set_clock_on(main: Probing) -> None:
    """Set it on by an hour."""
    main.clock.advance(3600)
    main.advance(10)


def change_sessions(*names: str) -> Callable[[Probing], None]:
    """Take over other sessions, as after a change of the settings."""

    def change(main: Probing) -> None:
        main.server = server_settings(*names, end_to_end_minutes=0)
        main.begin("exporter[1]")
        main.advance(6)

    return change


LIFE: dict[str, Callable[[Probing], None]] = {
    "session_lost": lose_support,
    "exporter_restarted": restart_exporter,
    "gateway_restarted": restart_gateway,
    "clock_set_back": set_clock_back,
    "clock_set_on": set_clock_on,
    "session_removed": change_sessions("sales"),
    "session_added": change_sessions("sales", "support", "hotline"),
}


@pytest.fixture
def main(tmp_path: Path) -> Probing:
    """A gateway that has been watched for a minute; it knows a third session that is not configured yet."""
    running = probing(tmp_path, "sales", "support", "hotline", holder="exporter[1]")
    change_sessions("sales", "support")(running)
    running.advance(60)
    return running


def exposition(main: Probing) -> str:
    """Return what a scrape of now is answered."""
    latest = main.watcher.latest
    assert latest is not None
    now = main.clock()
    snapshot = Snapshot(taken_at=now, settings_revision=1, servers=(latest,))
    own = OwnMetrics("1", python="3", proc="/nowhere", now=main.clock)
    return Exposition(own).body(snapshot, now, Timeouts(), Format.TEXT).decode()


@pytest.mark.parametrize("event", LIFE)
def test_exposition_after(event: str, main: Probing) -> None:
    LIFE[event](main)

    text = exposition(main)
    assert text == golden_text(GOLDEN / f"{event}.prom", text)


def test_every_golden_file_is_compared() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(LIFE)
