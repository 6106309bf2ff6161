"""Answers that no honest gateway gives: none of them may stop the probing, or the process that probes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.gateways.wppconnect.contract.answers import (
    LONGEST_TEXT,
    MOST_NAMES,
    parse_names,
    parse_pairing_code,
    parse_status,
    refusal,
)
from core.gateways.wppconnect.contract.identity import proven_health
from core.gateways.wppconnect.contract.session_names import session_name_problem
from core.models import SessionState
from core.settings.fields import parse_server_name
from core.transport import Answer


def answer(body: Any, status_code: int = 200) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status_code, "application/json", data, "ask the gateway", "sales")


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e400", "-1e400", "NaN", "-1", "1e300"])
def test_an_uptime_that_is_no_time_proves_nothing(number: str) -> None:
    body = f'{{"uptime": {number}, "message": "OK", "timestamp": 1}}'
    assert proven_health(answer(body.encode())) is None


@pytest.mark.parametrize("filler", ["a", "/", "1", "$2b$", "2@", "(", " 1"])
def test_huge_words_are_left_out_at_once(filler: str) -> None:
    # A search that goes back and forth in two million characters would outlast the test's time.
    error = refusal(answer({"message": filler * (2_000_000 // len(filler))}, 500))

    assert error.server_message == ""


@pytest.mark.parametrize("text", ["x" * (LONGEST_TEXT + 1), "é" * LONGEST_TEXT])
def test_huge_texts_count_as_not_told(text: str) -> None:
    found = parse_status(answer({"status": "QRCODE", "urlcode": text, "version": text}))

    assert (found.qr_payload, found.version) == (None, None)


def test_half_surrogates_become_text_that_can_be_stored() -> None:
    found = parse_status(answer(b'{"status": "\\ud800", "version": "\\udfff"}'))
    waiting = parse_status(answer(b'{"status": "QRCODE", "urlcode": "2@\\ud800"}'))
    code = parse_pairing_code(answer(b'{"status": "phoneCode", "phoneCode": "\\ud800"}'))
    refused = refusal(answer(b'{"message": "\\ud800"}', 500))
    names = parse_names(answer(b'{"response": ["\\ud800"]}'))

    assert [found.state, waiting.qr_payload, found.version] == [SessionState.UNKNOWN, "2@?", "?"]
    assert (code, refused.server_message, names) == ("?", "?", ("?",))


def test_signs_that_command_a_terminal_or_turn_a_line_are_replaced() -> None:
    found = parse_status(answer({"status": "\x1b[2J", "version": "1\u202e2\x9b"}))
    refused = refusal(answer({"message": "no\x1b]0;x\x07"}, 500))

    assert [found.version, refused.server_message] == ["1?2?", "no?]0;x?"]


def test_endless_lists_of_names_are_unknown() -> None:
    assert parse_names(answer({"response": ["a"] * (MOST_NAMES + 1)})) is None


def test_endless_names_are_cut_and_stay_unusable() -> None:
    names = parse_names(answer({"response": ["a" * 1_000_000]}))

    assert names is not None
    assert len(names[0]) == 100
    assert session_name_problem(names[0])


@pytest.mark.parametrize("name", ["sales\n", "sales\r\n", "\nsales", "sales\x00", "sales\u2028"])
def test_names_with_line_ends_are_refused(name: str) -> None:
    assert session_name_problem(name)
    with pytest.raises(ValueError, match="1 to 40 letters"):
        parse_server_name(name)
