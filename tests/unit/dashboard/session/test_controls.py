"""What the menu of a session's page offers."""

from __future__ import annotations

import pytest
from page_world import ended, operation, session

from core.models import Reason, SessionSnapshot, Verdict
from core.operation_status import OperationStatus
from dashboard.session.controls import Control, controls

ALL = {Control.RESTART, Control.CLOSE, Control.LOG_OUT, Control.PAUSE}
PAUSE = {Control.PAUSE}


@pytest.mark.parametrize(
    ("seen", "running", "offered"),
    [
        pytest.param(session(verdict="connected"), None, ALL, id="connected"),
        pytest.param(session(verdict="unresponsive"), None, ALL, id="not responding"),
        pytest.param(session(verdict="stuck"), None, ALL - {Control.LOG_OUT}, id="stuck"),
        pytest.param(
            session(ever_connected=True), None, {Control.RESTART, Control.PAUSE}, id="closed, may come back"
        ),
        pytest.param(session(ever_connected=False), None, PAUSE, id="never paired"),
        pytest.param(
            session(ever_connected=True, reason=Reason.LOGGED_OUT_BY_OPERATOR), None, PAUSE, id="logged out"
        ),
        pytest.param(session(verdict="paused", enabled=False), ended("logged_out"), set(), id="after logout"),
        pytest.param(session(verdict="waiting_for_qr"), None, PAUSE, id="waits for a phone"),
        pytest.param(session(verdict="starting"), None, PAUSE, id="starting"),
        pytest.param(session(verdict="unreachable"), None, PAUSE, id="gateway away"),
        pytest.param(session(verdict="unauthorized"), None, PAUSE, id="refused"),
        pytest.param(session(verdict="connected"), operation(kind="logout"), PAUSE, id="under way"),
    ],
)
def test_the_menu_offers_what_makes_sense(
    seen: SessionSnapshot, running: OperationStatus | None, offered: set[Control]
) -> None:
    assert controls(seen, running) == offered


def test_every_verdict_has_a_menu() -> None:
    assert all(isinstance(controls(session(verdict=one), None), frozenset) for one in Verdict)
