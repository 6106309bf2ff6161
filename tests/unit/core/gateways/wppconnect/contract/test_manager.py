"""What the manager protocol's answers mean, and what they must not do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.gateways.wppconnect.contract import manager
from core.models import SessionState
from core.transport import Answer


def answer(status: int, body: Any, *, rate_limit: str = "") -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, "application/json", content, "ask", None, rate_limit)


def listed(*rows: Any) -> dict[str, Any]:
    return {"sessions": list(rows)}


@pytest.mark.parametrize(
    ("given", "states"),
    [
        pytest.param(answer(200, listed()), {}, id="none"),
        pytest.param(
            answer(200, listed({"session": "a", "status": "QRCODE"}, {"session": "b", "status": "CLOSED"})),
            {"a": SessionState.QRCODE, "b": SessionState.CLOSED},
            id="two",
        ),
        pytest.param(
            answer(200, listed({"session": "a", "status": "WEIRD"})), {"a": SessionState.UNKNOWN}, id="odd"
        ),
        pytest.param(answer(200, listed({"session": "a"})), {"a": SessionState.UNKNOWN}, id="no status"),
        pytest.param(answer(200, listed({"session": 1, "status": "CLOSED"})), None, id="no name"),
        pytest.param(answer(200, listed("a")), None, id="names alone"),
        pytest.param(answer(200, {"response": ["a"]}), None, id="another list"),
        pytest.param(answer(200, listed(*[{"session": "a"}] * 10_001)), None, id="too many"),
        pytest.param(answer(404, listed()), None, id="not offered"),
        pytest.param(answer(200, b"<html>"), None, id="no JSON"),
    ],
)
def test_states_are_a_list_or_unknown(given: Answer, states: dict[str, SessionState] | None) -> None:
    found = manager.parse_states(given)

    assert (None if found is None else dict(found.states)) == states


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0.0),
        ("limit=60, remaining=45, reset=60", 0.0),
        ("limit=60, remaining=9, reset=42", 42.0),
        ("limit=60, remaining=0, reset=999999", 60.0),
        ("nonsense", 0.0),
    ],
)
def test_the_rest_of_the_limit_is_left_to_others(header: str, seconds: float) -> None:
    found = manager.parse_states(answer(200, listed(), rate_limit=header))

    assert found is not None
    assert found.pause_seconds == seconds


@pytest.mark.parametrize(
    ("given", "version"),
    [
        (answer(200, {"protocol": 1, "serverVersion": "2.11.0", "features": []}), "2.11.0"),
        (answer(200, {"protocol": 1, "serverVersion": "2.1\u001b[0m", "features": []}), "2.1?[0m"),
        (answer(404, {"protocol": 1, "serverVersion": "2.11.0", "features": []}), None),
        (answer(200, {"version": "2.11.0"}), None),
    ],
)
def test_the_release_is_told_by_the_protocol_alone(given: Answer, version: str | None) -> None:
    assert manager.parse_version(given) == version


@pytest.mark.parametrize(
    ("secret", "fits"),
    [
        ("a-secret", True),
        ("with a blank", True),
        (" before", False),
        ("chave-ção", False),
        ("a\nb", False),
        ("", False),
    ],
)
def test_a_secret_key_goes_into_a_header_only_as_it_is(secret: str, fits: bool) -> None:
    assert manager.fits_header(secret) is fits


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (answer(401, {"message": "Unauthorized"}), True),
        (answer(401, {"error": "Check that the Session and Token are correct"}), False),
        (answer(401, b"<html>"), False),
        (answer(403, {"message": "Unauthorized"}), False),
    ],
)
def test_only_its_own_refusal_counts(given: Answer, refused: bool) -> None:
    assert manager.is_unauthorized(given) is refused
