"""Which panel the session page shows."""

from __future__ import annotations

import pytest
from page_world import NOW, ago, ended, operation, qr, session

from core.models import SessionSnapshot
from core.operation_status import OperationStatus
from dashboard.panel import Panel, choose

WAITING = session(verdict="waiting_for_qr", qr=qr())
LONG_CONNECTED = session(verdict="connected", since=ago(hours=1))


@pytest.mark.parametrize(
    ("seen", "done", "panel"),
    [
        pytest.param(WAITING, None, Panel.QR, id="somebody else's code is shown"),
        pytest.param(WAITING, operation(step="waiting_for_scan"), Panel.QR, id="our code is shown"),
        pytest.param(WAITING, operation(mode="code"), Panel.PROGRESS, id="a code was asked for, not a QR"),
        pytest.param(WAITING, operation(step="verifying"), Panel.PROGRESS, id="the phone has scanned"),
        pytest.param(
            session(verdict="waiting_for_code"),
            operation(mode="code", pairing_code="K7WM2QXA"),
            Panel.CODE,
            id="a pairing code is shown",
        ),
        pytest.param(
            session(verdict="disconnected"),
            operation(mode="code", pairing_code="K7WM2QXA"),
            Panel.CODE,
            id="a pairing code survives the gateway's wrong CLOSED",
        ),
        pytest.param(session(), operation(), Panel.PROGRESS, id="work goes on"),
        pytest.param(session(), operation(interrupted=True), Panel.OFFER_PAIRING, id="work broke off"),
        pytest.param(session(), None, Panel.OFFER_PAIRING, id="disconnected"),
        pytest.param(session(), ended("code_expired"), Panel.OFFER_PAIRING, id="expired"),
        pytest.param(
            session(), ended("needs_webhook_confirmation"), Panel.CONFIRM_WEBHOOK, id="a decision is needed"
        ),
        pytest.param(
            session(verdict="connected", since=ago(seconds=5)), None, Panel.SUCCESS, id="just came back"
        ),
        pytest.param(LONG_CONNECTED, None, Panel.CONNECTED, id="long connected"),
        pytest.param(LONG_CONNECTED, ended("already_connected"), Panel.SUCCESS, id="was connected already"),
        pytest.param(
            LONG_CONNECTED, ended("close_unverified", kind="close"), Panel.CONNECTED, id="a close that failed"
        ),
        pytest.param(session(verdict="stuck"), None, Panel.OFFER_RESTART, id="stuck"),
        pytest.param(session(verdict="paused"), None, Panel.PAUSED, id="paused"),
        pytest.param(session(verdict="unknown"), None, Panel.WAITING, id="unknown"),
    ],
)
def test_the_panel_follows_from_snapshot_and_operation(
    seen: SessionSnapshot, done: OperationStatus | None, panel: Panel
) -> None:
    assert choose(seen, done, NOW) == panel


def test_an_old_success_is_not_celebrated_again() -> None:
    old = ended("connected").model_copy(update={"finished_at": ago(minutes=10)})

    assert choose(LONG_CONNECTED, old, NOW) == Panel.CONNECTED
