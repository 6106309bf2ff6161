"""`wppconnect-ops healthy sync`: the agent's sign of life, as its container's health check reads it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from cli.healthcheck import SIGN_OF_LIFE, SIGN_SECONDS
from cli.main import main
from core.clock import now
from core.store import FileStore
from core.sync.agent_status import STALE_SECONDS, AgentStatus, Heartbeat


def beat(directory: Path) -> Path:
    """Give a sign of life as the agent does; returns where it stands."""
    board = AgentStatus(FileStore(directory / "store"), directory)
    board.beat(Heartbeat(at=now(), program="wppconnect-ops sync agent[1]"))
    return directory / SIGN_OF_LIFE


def test_it_is_healthy_while_it_gives_signs_of_life(tmp_path: Path) -> None:
    beat(tmp_path)

    assert main(["healthy", "sync"], {"WPPCONNECT_DATA_DIR": str(tmp_path)}) == 0


def test_it_is_not_when_the_last_sign_is_old(tmp_path: Path) -> None:
    old = time.time() - STALE_SECONDS - 1
    os.utime(beat(tmp_path), (old, old))

    assert main(["healthy", "sync"], {"WPPCONNECT_DATA_DIR": str(tmp_path)}) == 1
    assert SIGN_SECONDS == STALE_SECONDS


def test_it_is_not_before_the_first_sign(tmp_path: Path) -> None:
    assert main(["healthy", "sync"], {"WPPCONNECT_DATA_DIR": str(tmp_path)}) == 1
