"""What cannot be read, and what is refused, is an error of ours that shows nothing private."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gateway_answers import HTML, TOKEN, answer

from core.exceptions import (
    ApiError,
    AuthenticationError,
    ConnectError,
    NotOfferedError,
    RequestRejectedError,
    RequestTimeoutError,
    ResponseError,
    SecretKeyRejectedError,
    ServerFailureError,
    SessionDisconnectedError,
    TransportError,
)
from core.gateways.wppconnect.contract.answers import (
    is_secret_acceptance,
    is_secret_refusal,
    is_token_refusal,
    parse_closed,
    parse_connected,
    parse_device,
    parse_generated,
    parse_names,
    parse_pairing_code,
    parse_status,
    refusal,
)
from core.transport import Answer

ALL_PARSERS = [
    parse_names,
    parse_status,
    parse_connected,
    parse_pairing_code,
    parse_closed,
    parse_device,
    parse_generated,
]


@pytest.mark.parametrize("parse", ALL_PARSERS)
@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(answer(b"<!DOCTYPE html>", content_type=HTML), id="HTML"),
        pytest.param(answer(b"", content_type=""), id="nothing"),
        pytest.param(answer(b"{"), id="half of JSON"),
    ],
)
def test_what_is_not_json_cannot_be_read(parse: Callable[[Answer], object], odd: Answer) -> None:
    with pytest.raises(ResponseError) as caught:
        parse(odd)
    assert (caught.value.operation, caught.value.session) == ("ask the gateway", "sales")


@pytest.mark.parametrize("parse", ALL_PARSERS)
@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_json_that_is_no_object_cannot_be_read(parse: Callable[[Answer], object], body: object) -> None:
    with pytest.raises(ResponseError):
        parse(answer(body))


@pytest.mark.parametrize("parse", ALL_PARSERS)
@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        pytest.param(answer({"error": "x"}, 401), AuthenticationError, id="401"),
        pytest.param(answer({"response": False}, 400), SecretKeyRejectedError, id="400 for the secret"),
        pytest.param(answer(b"<pre>", 400, HTML), RequestRejectedError, id="400 for the request"),
        pytest.param(answer(b"", 431, ""), RequestRejectedError, id="empty 431"),
        pytest.param(answer(b"<pre>", 500, HTML), ServerFailureError, id="500"),
        pytest.param(answer({"status": "not_supported"}, 501), NotOfferedError, id="501 of an engine"),
        pytest.param(answer(b"<pre>", 501, HTML), ServerFailureError, id="501 of something else"),
    ],
)
def test_a_refusal_is_an_error(
    parse: Callable[[Answer], object], refused: Answer, expected: type[ApiError]
) -> None:
    with pytest.raises(ApiError) as caught:
        parse(refused)
    assert type(caught.value) is expected
    assert caught.value.status_code == refused.status_code
    assert (caught.value.operation, caught.value.session) == ("ask the gateway", "sales")


@pytest.mark.parametrize("parse", ALL_PARSERS)
@pytest.mark.parametrize("body", [b"<pre>Bad Gateway", b'{"status":"error","message":"no upstream"}'])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, ConnectError) for status in (502, 503, 520, 521, 522, 523, 525, 526, 527, 530)),
        *((status, RequestTimeoutError) for status in (504, 524)),
    ],
)
def test_a_proxy_that_gets_no_answer_tells_that_the_gateway_is_away(
    parse: Callable[[Answer], object], status: int, expected: type[TransportError], body: bytes
) -> None:
    with pytest.raises(expected) as caught:
        parse(answer(body, status))
    assert caught.value.explanation.arguments == {"status": status}
    assert (caught.value.operation, caught.value.session) == ("ask the gateway", "sales")


@pytest.mark.parametrize("parse", [parse_connected, parse_status, parse_pairing_code, parse_device])
def test_404_with_json_means_that_the_session_is_not_live(parse: Callable[[Answer], object]) -> None:
    body = {"response": None, "status": "Disconnected", "message": "A sessão do WhatsApp não está ativa."}
    with pytest.raises(SessionDisconnectedError, match="não está ativa"):
        parse(answer(body, 404))


def test_404_with_html_means_that_there_is_no_such_route() -> None:
    with pytest.raises(RequestRejectedError):
        parse_device(answer(b"<pre>Cannot GET /api/sales/host-device</pre>", 404, HTML))


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param({"message": "Token is not present."}, "Token is not present.", id="message"),
        pytest.param({"error": "Check that"}, "Check that", id="error"),
        pytest.param({"message": "call +351 912 345 678 now"}, "call *** now", id="phone number"),
        pytest.param({"message": f"bad {TOKEN}"}, "bad ***", id="token"),
        pytest.param({"message": "Cannot GET /wpp/api/s3cret/x"}, "Cannot GET ***", id="path with a secret"),
        pytest.param({"message": "two\nlines"}, "two lines", id="two lines"),
        pytest.param({"message": "x" * 1000}, "x" * 160, id="very long"),
        pytest.param({"message": {"odd": 1}}, "", id="no text"),
    ],
)
def test_the_gateways_words_are_shown_without_what_is_private(body: dict[str, Any], shown: str) -> None:
    error = refusal(answer(body, 500))

    assert error.server_message == shown
    assert shown in str(error)


def test_the_words_of_a_page_are_not_shown() -> None:
    error = refusal(answer(b"<pre>Cannot POST /api/sales/s3cret/generate-token</pre>", 404, HTML))

    assert "s3cret" not in str(error) + error.server_message


@pytest.mark.parametrize(
    ("given", "is_refusal"),
    [
        pytest.param(
            answer({"response": False, "message": "The SECRET_KEY is incorrect"}, 400), True, id="as sent"
        ),
        pytest.param(
            answer({"response": False, "message": "A chave está errada"}, 400), True, id="other words"
        ),
        pytest.param(answer({"response": "error"}, 400), False, id="another 400"),
        pytest.param(answer({"response": False}, 200), False, id="200"),
        pytest.param(answer(b"<pre>SECRET_KEY is incorrect", 400, HTML), False, id="a page"),
    ],
)
def test_a_wrong_secret_shows_in_status_and_structure(given: Answer, is_refusal: bool) -> None:
    assert is_secret_refusal(given) is is_refusal


@pytest.mark.parametrize(
    ("given", "is_acceptance"),
    [
        pytest.param(answer({"response": ["sales"]}), True, id="names"),
        pytest.param(answer({"response": []}), True, id="no names yet"),
        pytest.param(answer({"response": ["sales", 7]}), False, id="not only names"),
        pytest.param(answer({"status": "UP"}), False, id="other JSON"),
        pytest.param(answer({"response": None}), False, id="no list"),
        pytest.param(answer(["sales"]), False, id="a list alone"),
        pytest.param(answer({"response": ["sales"]}, 201), False, id="another status"),
        pytest.param(answer({"response": ["sales"]}, 404), False, id="404"),
        pytest.param(answer(b"<pre>Cannot GET /", 404, HTML), False, id="Express"),
        pytest.param(answer(b"", 200, ""), False, id="nothing"),
    ],
)
def test_only_a_list_of_names_accepts_a_secret(given: Answer, is_acceptance: bool) -> None:
    assert is_secret_acceptance(given) is is_acceptance


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(answer({"error": "Check that"}, 401), AuthenticationError, id="the gateway's"),
        pytest.param(answer({"message": "Token is not"}, 401), AuthenticationError, id="without a token"),
        pytest.param(answer(b"<h1>401", 401, HTML), RequestRejectedError, id="a proxy's page"),
        pytest.param(answer(b"", 401, ""), RequestRejectedError, id="nothing"),
        pytest.param(answer({"detail": "x"}, 401), RequestRejectedError, id="another service's"),
    ],
)
def test_only_the_gateways_own_401_refuses_a_token(given: Answer, kind: type[ApiError]) -> None:
    assert is_token_refusal(given) is (kind is AuthenticationError)
    assert type(refusal(given)) is kind
