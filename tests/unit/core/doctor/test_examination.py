"""What the doctor reads beside the gateway's answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.doctor.examination import expired_attempts
from core.models import HistoryEntry

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def transitions(*told: tuple[int, str, str]) -> list[HistoryEntry]:
    """Transitions at seconds after noon, given oldest first and returned newest first."""
    entries = [
        HistoryEntry(at=NOON + timedelta(seconds=at), kind="transition", data={"to": to, "reason": reason})
        for at, to, reason in told
    ]
    return entries[::-1]


def test_attempts_are_measured_from_the_code_to_its_expiry_newest_first() -> None:
    found = expired_attempts(
        transitions(
            (0, "starting", "none"),
            (5, "waiting_for_qr", "none"),
            (60, "disconnected", "code_expired"),
            (70, "starting", "none"),
            (75, "waiting_for_code", "none"),
            (95, "disconnected", "code_expired"),
        )
    )

    assert found == (timedelta(seconds=20), timedelta(seconds=55))


def test_attempts_before_the_latest_connection_do_not_count() -> None:
    found = expired_attempts(
        transitions(
            (0, "waiting_for_qr", "none"),
            (60, "disconnected", "code_expired"),
            (90, "connected", "none"),
            (95, "waiting_for_qr", "none"),
        )
    )

    assert found == ()


def test_a_code_that_was_closed_or_is_still_on_is_no_expired_attempt() -> None:
    found = expired_attempts(
        transitions(
            (0, "waiting_for_qr", "none"),
            (9, "disconnected", "closed_by_operator"),
            (20, "waiting_for_qr", ""),
        )
    )

    assert found == ()
