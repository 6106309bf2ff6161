"""What becomes of a session whose code was shown: the start-up race, a used code, and a gateway's restart."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from core.gateways.registry import kind_of
from core.linking_events import LinkingEvent, LinkingEvents, read_events, write_event
from core.models import Observation, Reason, SessionSnapshot, SessionState, Verdict
from core.reasons import Loss
from core.verdict import Circumstances, advance
from tests.fakes import MemoryStore

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
QR, CODE, CLOSED = SessionState.QRCODE, SessionState.PHONECODE, SessionState.CLOSED
STARTING, CONNECTED = SessionState.INITIALIZING, SessionState.CONNECTED
WAITING_QR, WAITING_CODE = (Verdict.WAITING_FOR_QR, Reason.NONE), (Verdict.WAITING_FOR_CODE, Reason.NONE)
EXPIRED = (Verdict.DISCONNECTED, Reason.CODE_EXPIRED)
NOT_COMPLETED = (Verdict.DISCONNECTED, Reason.LINK_NOT_COMPLETED)
SCANNED, USED = (Verdict.LINKING, Reason.CODE_SCANNED), (Verdict.LINKING, Reason.CODE_USED)
FROZEN = (Verdict.UNRESPONSIVE, Reason.PAGE_NOT_ANSWERING)


def moment(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def shown(**fields: Any) -> SessionSnapshot:
    known = {"server": "main", "session": "sales", "enabled": True, "verdict": Verdict.UNKNOWN, "since": T0}
    return SessionSnapshot(**(known | fields))


def follow(*looks: tuple[float, SessionState, str | None], **circumstances: Any) -> SessionSnapshot:
    """Let a session be seen at these seconds in these states with these codes.

    `page`: what the page of a shown code says; None: nothing in time. `used_at`: when the webhook says so.
    """
    session = circumstances.pop("before", shown())
    page = circumstances.pop("page", False)
    held = circumstances.pop("held", True)
    used_at = circumstances.pop("used_at", None)
    for seconds, state, qr_payload in looks:
        at = moment(seconds)
        seen = Observation(
            started_at=at,
            observed_at=at,
            state=state,
            qr_payload=qr_payload,
            has_session_object=held,
            page_answers=True if state == CONNECTED else page if state == QR else None,
            page_timed_out=state == QR and page is None,
        )
        if used_at is not None and seconds >= used_at:
            events = LinkingEvents(used_at=moment(used_at))
            circumstances["linking_events"] = partial(copy, events)
        known = Circumstances(at, timedelta(minutes=1), kind_of().session_times, **circumstances)
        session = advance(session, seen, known)
    return session


@pytest.mark.parametrize(
    ("looks", "concluded"),
    [
        pytest.param([(0, QR, "a"), (2, CLOSED, "a")], WAITING_QR, id="closed over its first code"),
        pytest.param(
            [(0, QR, "a"), (2, CLOSED, "a"), (59, CLOSED, "a")], WAITING_QR, id="for its whole life"
        ),
        pytest.param([(0, QR, "a"), (2, CLOSED, "a"), (60, CLOSED, "a")], EXPIRED, id="no longer than it"),
        pytest.param([(0, QR, "a"), (2, CLOSED, "a"), (61, QR, "b")], WAITING_QR, id="the next rotation"),
        pytest.param([(0, QR, "a"), (2, CLOSED, "b")], EXPIRED, id="another code than was shown"),
        pytest.param([(0, QR, "a"), (2, CLOSED, None)], EXPIRED, id="no code with it"),
        pytest.param([(0, QR, "a"), (20, CLOSED, "a")], EXPIRED, id="too late for the race"),
        pytest.param([(0, QR, "a"), (61, QR, "b"), (63, CLOSED, "b")], EXPIRED, id="not its first code"),
        pytest.param(
            [(0, QR, "a"), (2, CLOSED, "a"), (3, STARTING, "a")],
            (Verdict.STARTING, Reason.NONE),
            id="another state is another word",
        ),
        pytest.param([(0, CODE, None), (2, CLOSED, None)], WAITING_CODE, id="closed over a pairing code"),
        pytest.param(
            [(0, CODE, None), (2, CLOSED, None), (59, CLOSED, None)], WAITING_CODE, id="for a minute"
        ),
        pytest.param([(0, CODE, None), (2, CLOSED, None), (60, CLOSED, None)], EXPIRED, id="no longer"),
        pytest.param([(0, CODE, None), (60, CLOSED, None)], EXPIRED, id="a pairing code that ran out"),
    ],
)
def test_closed_over_a_live_code_is_a_race_of_the_start(
    looks: list[tuple[float, SessionState, str | None]], concluded: tuple[Verdict, Reason]
) -> None:
    session = follow(*looks)

    assert (session.verdict, session.reason) == concluded
    assert (session.qr is not None) is (session.verdict == Verdict.WAITING_FOR_QR)


@pytest.mark.parametrize(
    ("state", "code", "ended_at", "verdict"),
    [
        pytest.param(QR, "a", 1, Verdict.DISCONNECTED, id="browser of the QR code is gone"),
        pytest.param(CODE, None, 1, Verdict.DISCONNECTED, id="browser of the pairing code is gone"),
        pytest.param(QR, "a", -5, Verdict.WAITING_FOR_QR, id="an earlier browser says nothing"),
    ],
)
def test_the_webhook_proves_a_code_dead(
    state: SessionState, code: str | None, ended_at: float, verdict: Verdict
) -> None:
    events = LinkingEvents(ended_at=moment(ended_at))

    session = follow((0, state, code), (2, CLOSED, code), linking_events=lambda: events)

    assert session.verdict == verdict


def test_a_session_that_the_gateway_forgot_is_closed_at_once() -> None:
    session = follow((0, QR, "a"), before=shown())
    session = follow((2, CLOSED, "a"), before=session, held=False)

    assert (session.verdict, session.reason) == EXPIRED


@pytest.mark.parametrize(
    ("looks", "used_at", "concluded"),
    [
        pytest.param([(0, QR, "a"), (60, CLOSED, "a")], None, EXPIRED, id="unused"),
        pytest.param(
            [(0, QR, "a"), (71, QR, "a"), (185, CLOSED, "a")], None, NOT_COMPLETED, id="never renewed"
        ),
        pytest.param([(0, QR, "a"), (65, QR, "a"), (69, CLOSED, "a")], None, EXPIRED, id="a little late"),
        pytest.param(
            [(0, QR, "a"), (60, QR, "b"), (91, QR, "b"), (240, CLOSED, "b")],
            None,
            NOT_COMPLETED,
            id="a later code",
        ),
        pytest.param(
            [(0, QR, "a"), (60, QR, "b"), (80, QR, "c"), (100, CLOSED, "c")],
            None,
            EXPIRED,
            id="a longer attempt in which nothing was used",
        ),
        pytest.param([(0, QR, "a"), (30, CLOSED, "a")], 20, NOT_COMPLETED, id="the webhook says so"),
        pytest.param(
            [(0, QR, "a"), (2, CLOSED, "a"), (60, CLOSED, "a")], 20, NOT_COMPLETED, id="in the race"
        ),
        pytest.param([(0, CODE, None), (60, CLOSED, None)], 20, NOT_COMPLETED, id="a pairing code"),
        pytest.param([(0, QR, "a"), (60, CLOSED, "a")], -20, EXPIRED, id="an earlier attempt's"),
    ],
)
def test_what_was_used_is_not_called_unused(
    looks: list[tuple[float, SessionState, str | None]],
    used_at: float | None,
    concluded: tuple[Verdict, Reason],
) -> None:
    session = follow(*looks, used_at=used_at)

    assert (session.verdict, session.reason) == concluded


@pytest.mark.parametrize(
    ("looks", "page", "used_at", "concluded"),
    [
        pytest.param([(0, QR, "a"), (69, QR, "a")], False, None, WAITING_QR, id="about to be renewed"),
        pytest.param([(0, QR, "a"), (71, QR, "a")], False, None, USED, id="never renewed"),
        pytest.param([(0, QR, "a"), (71, QR, "a")], None, None, FROZEN, id="never renewed by a frozen page"),
        pytest.param([(0, QR, "a"), (71, QR, "a"), (90, CLOSED, "a")], None, None, EXPIRED, id="frozen page"),
        pytest.param([(0, QR, "a"), (71, QR, "a")], True, None, WAITING_QR, id="about to be connected"),
        pytest.param([(0, QR, "a"), (60, CLOSED, "a")], False, None, EXPIRED, id="default auto-close"),
        pytest.param([(0, QR, "a"), (20, CLOSED, "a")], False, None, EXPIRED, id="short auto-close"),
        pytest.param(
            [(0, QR, "a"), (71, QR, "a"), (120, CLOSED, "a")], False, None, NOT_COMPLETED, id="long"
        ),
        pytest.param(
            [(0, QR, "a"), (60, QR, "b"), (80, QR, "c"), (300, CLOSED, "c")],
            False,
            None,
            EXPIRED,
            id="exhausted codes",
        ),
        pytest.param([(0, QR, "a"), (71, QR, "a"), (80, QR, "b")], False, None, WAITING_QR, id="a new code"),
        pytest.param([(0, QR, "a"), (71, QR, "a"), (250, QR, "a")], False, None, USED, id="within the limit"),
        pytest.param(
            [(0, QR, "a"), (71, QR, "a"), (251, QR, "a")], False, None, NOT_COMPLETED, id="past the limit"
        ),
        pytest.param(
            [(0, QR, "a"), (71, QR, "a"), (251, QR, "a"), (400, QR, "a")],
            False,
            None,
            NOT_COMPLETED,
            id="a gateway that never closes",
        ),
        pytest.param(
            [(0, QR, "a"), (71, QR, "a"), (251, QR, "a"), (400, QR, "b")],
            False,
            None,
            WAITING_QR,
            id="a new code past the limit",
        ),
        pytest.param([(0, QR, "a"), (25, QR, "a")], False, 20, SCANNED, id="the webhook says so"),
        pytest.param([(0, QR, "a"), (25, QR, "a"), (30, QR, "a")], False, 20, SCANNED, id="and it stays"),
        pytest.param([(0, QR, "a"), (25, QR, "a")], None, 20, SCANNED, id="proof needs no page"),
        pytest.param([(0, QR, "a"), (25, QR, "a"), (60, CLOSED, "a")], False, 20, NOT_COMPLETED, id="failed"),
        pytest.param([(0, CODE, None), (25, CODE, None)], False, 20, SCANNED, id="pairing code"),
        pytest.param(
            [(0, CODE, None), (25, CODE, None), (205, CODE, None)], False, 20, NOT_COMPLETED, id="its limit"
        ),
        pytest.param(
            [(0, CODE, None), (300, CODE, None)], False, None, WAITING_CODE, id="pairing code alone"
        ),
        pytest.param(
            [(0, QR, "a"), (2, CLOSED, "a"), (30, CLOSED, "a")], False, 20, SCANNED, id="in the race"
        ),
        pytest.param(
            [(0, QR, "a"), (2, CLOSED, "a"), (30, CLOSED, "a"), (90, CLOSED, "a")],
            False,
            20,
            SCANNED,
            id="in the race, past the code's life",
        ),
        pytest.param([(0, QR, "a"), (25, QR, "a")], False, -20, WAITING_QR, id="an earlier attempt's event"),
    ],
)
def test_a_used_code_is_a_link_that_is_being_made(
    looks: list[tuple[float, SessionState, str | None]],
    page: bool | None,
    used_at: float | None,
    concluded: tuple[Verdict, Reason],
) -> None:
    session = follow(*looks, page=page, used_at=used_at)

    assert (session.verdict, session.reason) == concluded


def test_a_link_that_fails_in_an_outage_is_what_keeps_it_going() -> None:
    lost = shown(
        verdict=Verdict.DISCONNECTED,
        state=CLOSED,
        ever_connected=True,
        lost_at=moment(-60),
        lost_reason=Reason.CLOSED_ON_GATEWAY,
    )

    session = follow((0, QR, "a"), (71, QR, "a"), (120, CLOSED, "a"), before=lost)

    assert (session.lost_reason, session.lost_at) == (Reason.LINK_NOT_COMPLETED, moment(-60))


@pytest.mark.parametrize(
    ("looks", "reason", "loss"),
    [
        pytest.param([(1, CLOSED, None)], Reason.GATEWAY_RESTARTED, Loss.GATEWAY, id="not back since"),
        pytest.param([(1, STARTING, None)], Reason.GATEWAY_RESTARTED, Loss.GATEWAY, id="starting again"),
        pytest.param(
            [(5, CONNECTED, None), (30, CLOSED, None)],
            Reason.CLOSED_ON_GATEWAY,
            Loss.CLOSED,
            id="unlinked after it was back",
        ),
        pytest.param(
            [(5, CONNECTED, None), (30, STARTING, None)],
            Reason.NONE,
            Loss.OTHER,
            id="started by somebody after it was back",
        ),
    ],
)
def test_a_restart_explains_only_what_it_did(
    looks: list[tuple[float, SessionState, str | None]], reason: Reason, loss: Loss
) -> None:
    before = shown(verdict=Verdict.CONNECTED, state=CONNECTED, ever_connected=True, last_connected=moment(-3))

    session = follow(*looks, before=before, gateway_restarted_at=moment(0), gateway_up=True)

    assert (session.lost_reason, Loss.of(session.lost_reason)) == (reason, loss)


def test_a_reason_of_a_later_release_leaves_the_snapshot_readable() -> None:
    written = shown(reason=Reason.CODE_EXPIRED).model_dump(mode="json") | {"reason": "of_a_later_release"}

    assert SessionSnapshot.model_validate(written).reason == Reason.NONE


def test_events_are_kept_by_kind_and_a_code_goes_with_its_browser() -> None:
    store = MemoryStore()
    write_event(store, "main", "sales", LinkingEvent.CODE, at=moment(1), code="ABCD1234")
    shown_code = read_events(store, "main", "sales").code_since(moment(0))

    write_event(store, "main", "sales", LinkingEvent.ENDED, at=moment(2))

    after = read_events(store, "main", "sales")
    assert shown_code == "ABCD1234"
    assert after.code_since(moment(0)) is None
    assert after.has_ended(moment(2))
    assert not after.was_used(moment(0))
    assert "ABCD1234" not in repr(LinkingEvents(pairing_code="ABCD1234"))
