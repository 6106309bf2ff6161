"""What proves that a WPPConnect Server answers, and what is said of anything else."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_answers import HTML, answer

from core.exceptions import ResponseError
from core.gateways.protocol import Health
from core.gateways.wppconnect.contract.identity import (
    describe,
    is_manager_info,
    is_own_refusal,
    not_a_gateway,
    proven_health,
)
from core.messages import Message
from core.transport import Answer

HEALTH = {"uptime": 3.37, "message": "OK", "timestamp": 1}


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in HEALTH.items() if name != field}


def test_the_fields_of_healthz_prove_it() -> None:
    assert proven_health(answer(HEALTH)) == Health(uptime_seconds=3.37)


@pytest.mark.parametrize(
    "given",
    [
        *(pytest.param(answer(without(field)), id=f"without {field}") for field in HEALTH),
        pytest.param(answer(HEALTH | {"uptime": True}), id="odd uptime"),
        pytest.param(answer(HEALTH | {"uptime": "3"}), id="uptime in words"),
        pytest.param(answer(HEALTH, 503), id="another status"),
        pytest.param(answer({"status": "UP"}), id="another service"),
        pytest.param(answer([]), id="a list"),
        pytest.param(answer(b"", 200, ""), id="nothing"),
        pytest.param(answer(b"<pre>Cannot GET /healthz", 404, HTML), id="Express"),
    ],
)
def test_less_than_these_fields_proves_nothing(given: Answer) -> None:
    assert proven_health(given) is None


@pytest.mark.parametrize(
    ("body", "status", "is_proof"),
    [
        pytest.param(
            {"message": "Token is not present. Check your header and try again"}, 401, True, id="no token"
        ),
        pytest.param({"error": "Check that the Session and Token are correct"}, 401, True, id="wrong token"),
        pytest.param(
            {"error": "Check that the Session and Token are correct."}, 401, True, id="with a full stop"
        ),
        pytest.param({"message": "Unauthorized"}, 401, False, id="another API"),
        pytest.param({"message": {"odd": 1}}, 401, False, id="no text"),
        pytest.param({"error": "Check that the Session and Token are correct"}, 200, False, id="200"),
        pytest.param(["Check"], 401, False, id="a list"),
    ],
)
def test_the_words_of_its_401_prove_it(body: Any, status: int, is_proof: bool) -> None:
    assert is_own_refusal(answer(body, status)) is is_proof


@pytest.mark.parametrize(
    ("body", "is_proof"),
    [
        pytest.param({"protocol": 1, "serverVersion": "2.11.0", "features": ["x"]}, True, id="as sent"),
        pytest.param({"protocol": 1, "serverVersion": "2.11.0"}, False, id="without features"),
        pytest.param({"protocol": "1", "serverVersion": "2", "features": []}, False, id="odd protocol"),
        pytest.param({"status": "UP"}, False, id="another service"),
    ],
)
def test_the_managers_info_proves_it(body: Any, is_proof: bool) -> None:
    assert is_manager_info(answer(body)) is is_proof


def test_an_answer_that_says_more_than_404_is_told() -> None:
    error = not_a_gateway([answer(b"404 page not found", 404, "text/plain"), answer({"x": 1}, 404)])

    assert error.explanation == Message.of("gateway.not_json", status=404)


def test_a_redirect_is_told_as_one() -> None:
    redirected = ResponseError(Message.of("transport.redirected", status=302), operation="ask")

    assert not_a_gateway([redirected, redirected]).explanation == redirected.explanation


def test_json_in_the_dress_of_a_page_is_no_json() -> None:
    assert describe(answer(b'{"x":1}', 200, HTML)).id == "gateway.not_page"
