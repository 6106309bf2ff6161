from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.pairing_view import PASSKEY, frame
from cli.terminal import BLACK_ON_WHITE, draw_qr
from core.models import QrCode, Reason, SessionSnapshot, Verdict
from core.operation_status import Kind, OperationStatus, Step

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
PAYLOAD = "2@" + "q7Lk3+/=" * 28


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def status(**changes: Any) -> OperationStatus:
    values: dict[str, Any] = {
        "server": "main",
        "session": "sales",
        "kind": Kind.PAIR,
        "actor": "ana",
        "holder": "wppconnect-ops[1]",
        "started_at": NOW,
        "step_since": NOW,
    }
    return OperationStatus(**values | changes)


def waiting_for_scan(life: float = 60) -> SessionSnapshot:
    return SessionSnapshot(
        server="main",
        session="sales",
        enabled=True,
        verdict=Verdict.WAITING_FOR_QR,
        since=NOW,
        qr=QrCode(payload=PAYLOAD, first_seen=NOW, life_seconds=life),
    )


def drawn(
    operation: OperationStatus, seen: SessionSnapshot | None = None, *, at: datetime = NOW
) -> list[str]:
    return frame(operation, seen, at, columns=100, rows=60)


def test_progress_is_told_in_words_with_the_time_left() -> None:
    operation = status(step=Step.WAITING_AFTER_CLOSE, step_until=NOW + seconds(65))

    lines = drawn(operation, at=NOW + seconds(5))

    assert lines == [
        "sales on main",
        "",
        "Waiting for the old browser to end, 60 s left",
        "Ctrl-C leaves.",
    ]


@pytest.mark.parametrize(("life", "left"), [(60, 50), (20, 10)], ids=["first code", "later code"])
def test_live_code_is_drawn_with_the_seconds_that_it_lives(life: float, left: int) -> None:
    lines = drawn(status(step=Step.WAITING_FOR_SCAN), waiting_for_scan(life), at=NOW + seconds(10))

    assert set(draw_qr(PAYLOAD, columns=100, rows=54)) <= set(lines)
    assert f"Code expires in {left} s; the next one appears here automatically." in lines


@pytest.mark.parametrize("life", [60, 20], ids=["first code", "later code"])
def test_attempts_end_stands_beside_a_code_that_another_follows(life: int) -> None:
    operation = status(step=Step.WAITING_FOR_SCAN, step_until=NOW + seconds(70))

    lines = drawn(operation, waiting_for_scan(life), at=NOW + seconds(10))

    left = life - 10
    assert lines[-3:] == [
        f"Code expires in {left} s; the next one appears here automatically.",
        "By default the gateway ends this attempt in 60 s.",
        "Ctrl-C leaves.",
    ]


@pytest.mark.parametrize(
    ("ends", "left"), [(53, 43), (60, 50), (63, 50)], ids=["before the code", "with it", "just after it"]
)
def test_no_next_code_is_promised_when_the_attempt_ends_first(ends: int, left: int) -> None:
    operation = status(step=Step.WAITING_FOR_SCAN, step_until=NOW + seconds(ends))

    lines = drawn(operation, waiting_for_scan(), at=NOW + seconds(10))

    assert lines[-3:] == [
        f"Code expires in {left} s; by default no other follows.",
        f"By default the gateway ends this attempt in {ends - 10} s.",
        "Ctrl-C leaves.",
    ]


@pytest.mark.parametrize("passed", [61, 64, 70], ids=["code over", "attempt nearly over", "attempt over"])
def test_last_code_that_outlived_its_time_promises_no_other(passed: int) -> None:
    operation = status(step=Step.WAITING_FOR_SCAN, step_until=NOW + seconds(64))

    lines = drawn(operation, waiting_for_scan(), at=NOW + seconds(passed))

    assert "Scanned, or expired: wait." in lines


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        pytest.param(1, "Scanned, or expired: wait.", id="shown before the attempt's usual end"),
        pytest.param(0, "Scanned, or about to be renewed: wait.", id="shown at that end"),
        pytest.param(-100, "Scanned, or about to be renewed: wait.", id="shown long after it"),
    ],
)
def test_code_of_a_gateway_that_waits_longer_is_followed_by_another(ended: int, text: str) -> None:
    operation = status(step=Step.WAITING_FOR_SCAN, step_until=NOW + seconds(ended))

    lines = drawn(operation, waiting_for_scan(20), at=NOW + seconds(20))

    assert text in lines


@pytest.mark.parametrize(("life", "left"), [(60, 40), (20, 10)], ids=["first code", "later code"])
def test_code_of_a_gateway_that_waits_longer_lives_on(life: float, left: int) -> None:
    operation = status(step=Step.WAITING_FOR_SCAN, step_until=NOW)

    lines = drawn(operation, waiting_for_scan(life), at=NOW + seconds(life - left))

    assert lines[-2:] == [
        f"Code expires in {left} s; the next one appears here automatically.",
        "Ctrl-C leaves.",
    ]


@pytest.mark.parametrize(
    ("passed", "is_doubted"), [(0, False), (61, False), (194, False), (195, True)], ids=str
)
def test_pairing_code_is_doubted_once_whatsapp_may_have_replaced_it(passed: int, is_doubted: bool) -> None:
    operation = status(
        mode="code",
        step=Step.WAITING_FOR_CODE_ENTRY,
        pairing_code="ABCD1234",
        step_since=NOW,
        code_life_seconds=195,
        step_until=NOW + seconds(60),
    )

    lines = drawn(operation, None, at=NOW + seconds(passed))

    assert "Enter this code:  ABCD-1234" in lines
    assert ("may have replaced this code" in " ".join(lines)) is is_doubted


@pytest.mark.parametrize(("passed", "is_doubted"), [(0, False), (59, False), (60, True)], ids=str)
def test_a_slow_start_is_doubted_after_a_minute(passed: int, is_doubted: bool) -> None:
    operation = status(step=Step.WAITING_FOR_BROWSER, step_since=NOW)

    lines = drawn(operation, None, at=NOW + seconds(passed))

    assert ("launch error" in " ".join(lines)) is is_doubted


def test_end_of_another_step_is_not_taken_for_the_attempts() -> None:
    operation = status(step=Step.WAITING_FOR_CODE_TO_EXPIRE, step_until=NOW + seconds(20))

    lines = drawn(operation, waiting_for_scan(), at=NOW + seconds(10))

    assert not any("attempt" in line for line in lines)


@pytest.mark.parametrize("columns", [30, 64, 80, 200])
@pytest.mark.parametrize("rows", [12, 24, 35, 36, 60])
def test_frame_fits_its_window(columns: int, rows: int) -> None:
    operation = status(step=Step.WAITING_FOR_SCAN, step_until=NOW + seconds(60))

    lines = frame(operation, waiting_for_scan(), NOW, columns=columns, rows=rows)

    is_drawn = any(line.startswith(BLACK_ON_WHITE) for line in lines)
    texts = [line for line in lines if not line.startswith(BLACK_ON_WHITE)]
    assert is_drawn == (columns >= 57 and rows >= 36)
    assert max(map(len, texts)) <= columns
    assert not is_drawn or len(lines) < rows


def test_pairing_code_in_a_narrow_window_breaks_no_word() -> None:
    operation = status(mode="code", step=Step.WAITING_FOR_CODE_ENTRY, pairing_code="ABCD1234")

    lines = frame(operation, None, NOW, columns=40, rows=24)

    assert max(map(len, lines)) <= 40
    assert " ".join(lines).count("Linked devices, Link a device, Link with phone number instead.") == 1
    assert any("ABCD-1234" in line for line in lines)


def test_code_that_outlived_its_time_asks_for_patience() -> None:
    lines = drawn(status(step=Step.WAITING_FOR_SCAN), waiting_for_scan(), at=NOW + seconds(61))

    assert "Scanned, or about to be renewed: wait." in lines


@pytest.mark.parametrize(
    ("reason", "text"),
    [(Reason.CODE_SCANNED, "The code was scanned."), (Reason.CODE_USED, "The code was probably used.")],
)
def test_used_code_gives_way_to_what_whatsapp_does_now(reason: Reason, text: str) -> None:
    seen = waiting_for_scan().model_copy(update={"verdict": Verdict.LINKING, "reason": reason})

    lines = drawn(status(mode="code", pairing_code="ABCD1234", step=Step.WAITING_FOR_CODE_ENTRY), seen)

    assert any(line.startswith(text) for line in lines)
    assert not any(line.startswith(BLACK_ON_WHITE) or "ABCD" in line for line in lines)
    assert " ".join(PASSKEY.split()) in " ".join(" ".join(lines).split())


def test_dead_code_is_not_drawn() -> None:
    dead = waiting_for_scan().model_copy(update={"verdict": Verdict.DISCONNECTED})

    lines = drawn(status(step=Step.STARTING), dead)

    assert lines == ["sales on main", "", "Starting the session", "Ctrl-C leaves."]


def test_pairing_code_is_shown_in_two_halves_and_no_qr_code_beside_it() -> None:
    operation = status(
        mode="code",
        step=Step.WAITING_FOR_CODE_ENTRY,
        pairing_code="ABCD1234",
        step_until=NOW + seconds(40),
    )

    lines = drawn(operation, waiting_for_scan())

    assert lines[3:] == [
        "Enter this code:  ABCD-1234",
        "Waiting for the code to be entered on the phone, 40 s left",
        "Ctrl-C leaves.",
    ]


def test_somebody_elses_action_is_named() -> None:
    lines = drawn(status(kind=Kind.CLOSE, step=Step.CLOSING))

    assert "ana is already working on it (close): Closing the old attempt" in lines
