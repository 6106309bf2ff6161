"""Which panel the session page shows."""

from __future__ import annotations

import pytest
from page_world import NOW, ago, ended, operation, qr, session

from core.models import Outcome, SessionSnapshot
from core.operation_status import OperationStatus
from dashboard.session.panel import Panel, asks_which_phone, begins_by_itself, choose

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
        pytest.param(session(verdict="linking"), operation(), Panel.LINKING, id="the code was used"),
        pytest.param(
            session(verdict="linking"),
            operation(mode="code", pairing_code="K7WM2QXA"),
            Panel.LINKING,
            id="the pairing code was used",
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


OUTAGE = session(lost_at=ago(minutes=12))
EXPIRED = ended("code_expired")
LONG_AGO = EXPIRED.model_copy(
    update={"outcome": Outcome(ok=False, code="code_expired", message="", at=ago(minutes=3))}
)


def begins(
    seen: SessionSnapshot = OUTAGE,
    done: OperationStatus | None = None,
    *,
    arrived: bool = False,
    attempts: int = 0,
) -> bool:
    return begins_by_itself(seen, done, arrived=arrived, attempts=attempts, now=NOW)


@pytest.mark.parametrize("verdict", ["disconnected", "stuck", "unresponsive", "waiting_for_qr"])
def test_the_alerts_link_begins_what_the_outage_needs(verdict: str) -> None:
    assert begins(session(verdict=verdict, lost_at=ago(minutes=12)), arrived=True)


@pytest.mark.parametrize(
    "verdict", ["connected", "linking", "starting", "paused", "unauthorized", "unreachable", "unknown"]
)
def test_the_alerts_link_begins_nothing_where_pairing_would_not_help(verdict: str) -> None:
    assert not begins(session(verdict=verdict, lost_at=ago(minutes=12)), arrived=True)


def test_the_alerts_link_begins_nothing_without_an_outage() -> None:
    assert not begins(session(ever_connected=False, lost_at=None), arrived=True)


def test_no_code_follows_by_itself_where_linking_was_not_completed() -> None:
    seen = session(lost_at=ago(minutes=12), reason="link_not_completed")

    assert not begins(seen, ended("link_not_completed"), arrived=True)
    assert not begins(seen, arrived=True)
    assert not begins(seen, EXPIRED, attempts=1)


def test_nothing_begins_while_somebody_is_at_it() -> None:
    assert not begins(done=operation(), arrived=True, attempts=1)


def test_without_the_alerts_link_nothing_begins() -> None:
    assert not begins()
    assert not begins(done=EXPIRED)


@pytest.mark.parametrize(
    ("done", "again"),
    [
        pytest.param(operation(interrupted=True), True, id="one that broke off"),
        pytest.param(LONG_AGO, True, id="one of long ago"),
        pytest.param(ended("connected"), True, id="one that brought the session back for a minute"),
        pytest.param(EXPIRED, True, id="a code that nobody used"),
        pytest.param(ended("start_failed"), False, id="a failure of just now is told first"),
    ],
)
def test_the_alerts_link_begins_after_an_earlier_operation(done: OperationStatus, again: bool) -> None:
    assert begins(done=done, arrived=True) is again


def test_a_failure_just_before_the_outage_keeps_nobody_from_beginning() -> None:
    failed = ended("start_failed")
    failed = failed.model_copy(
        update={"outcome": Outcome(ok=False, code="start_failed", message="", at=ago(seconds=30))}
    )

    assert begins(session(lost_at=ago(seconds=20)), failed, arrived=True)
    assert not begins(session(lost_at=ago(seconds=40)), failed, arrived=True)


def test_a_code_that_expired_is_followed_by_the_next_until_there_were_five() -> None:
    assert [begins(done=EXPIRED, attempts=attempts) for attempts in (1, 4, 5)] == [True, True, False]


def test_no_code_follows_one_that_expired_long_ago_or_was_typed() -> None:
    assert not begins(done=LONG_AGO, attempts=1)
    assert not begins(done=ended("code_expired", mode="code"), attempts=1)


def test_five_codes_are_enough_for_the_alerts_link_too() -> None:
    assert not begins(arrived=True, attempts=5)


@pytest.mark.parametrize(
    ("panel", "lost", "arrived", "may_be_the_phone", "asks"),
    [
        pytest.param(Panel.OFFER_PAIRING, True, True, True, True, id="an alert's link on a phone"),
        pytest.param(Panel.OFFER_PAIRING, True, True, False, False, id="no phone, or no code can be typed"),
        pytest.param(Panel.OFFER_PAIRING, True, False, True, False, id="no alert's link"),
        pytest.param(Panel.OFFER_PAIRING, False, True, True, False, id="no outage"),
        pytest.param(Panel.QR, True, True, True, False, id="a QR code is shown already"),
        pytest.param(Panel.OFFER_RESTART, True, True, True, False, id="a restart may do"),
    ],
)
def test_an_alerts_link_asks_first_on_a_phone_that_may_be_the_one_to_link(
    panel: Panel, lost: bool, arrived: bool, may_be_the_phone: bool, asks: bool
) -> None:
    shown = session("sales", lost_at=ago(minutes=1) if lost else None)

    assert asks_which_phone(shown, panel, arrived=arrived, may_be_the_phone=may_be_the_phone) is asks
