"""The gateway's answers, read as the contract says; bodies as recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from gateway_answers import TOKEN, answer

from core.exceptions import (
    ResponseError,
)
from core.gateways.protocol import SessionStatus
from core.gateways.wppconnect.contract.answers import (
    Device,
    parse_closed,
    parse_connected,
    parse_device,
    parse_generated,
    parse_names,
    parse_number_check,
    parse_own_number,
    parse_pairing_code,
    parse_status,
)
from core.models import SessionState
from core.transport import Answer


@pytest.mark.parametrize(
    ("body", "names"),
    [
        pytest.param({"response": ["b", "a"]}, ("b", "a"), id="names"),
        pytest.param({"response": []}, (), id="none"),
        pytest.param({}, None, id="missing"),
        pytest.param({"response": None}, None, id="null"),
        pytest.param({"response": {"a": 1}}, None, id="object"),
        pytest.param({"response": ["a", 1]}, None, id="not only strings"),
    ],
)
def test_names(body: dict[str, Any], names: tuple[str, ...] | None) -> None:
    assert parse_names(answer(body)) == names


def status(
    state: SessionState,
    *,
    qr_payload: str | None = None,
    has_session_object: bool = True,
    version: str | None = "2.10.4",
) -> SessionStatus:
    return SessionStatus(state, qr_payload, has_session_object, version)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            {"status": "CLOSED", "qrcode": None},
            status(SessionState.CLOSED, has_session_object=False, version=None),
            id="never started",
        ),
        pytest.param(
            {"status": "CLOSED", "qrcode": None, "version": "2.10.4"},
            status(SessionState.CLOSED),
            id="closed by itself",
        ),
        pytest.param(
            {"status": "QRCODE", "qrcode": "data:", "urlcode": "2@x", "version": "2.10.4"},
            status(SessionState.QRCODE, qr_payload="2@x"),
            id="waiting for a scan",
        ),
        pytest.param(
            {
                "status": "CONNECTED",
                "qrcode": "data:",
                "urlcode": "2@x",
                "version": "2.10.4",
                "session": "sales",
            },
            status(SessionState.CONNECTED),
            id="connected with a dead code",
        ),
        pytest.param(
            {"status": "QRCODE", "qrcode": "data:"},
            status(SessionState.QRCODE, version=None),
            id="release without a version",
        ),
        pytest.param(
            {"status": "CONNECTED", "qrcode": None, "urlcode": None, "version": "2.11.0"},
            replace(status(SessionState.CONNECTED, version="2.11.0"), has_browser=False),
            id="an engine without a browser",
        ),
        pytest.param(
            {"status": "SLEEPING", "version": "3.0.0"},
            status(SessionState.UNKNOWN, version="3.0.0"),
            id="unknown word",
        ),
        pytest.param({"status": None, "version": "2.10.4"}, status(SessionState.UNKNOWN), id="null status"),
        pytest.param(
            {}, status(SessionState.UNKNOWN, has_session_object=False, version=None), id="no status"
        ),
        pytest.param(
            {"status": True, "urlcode": 7, "version": 2},
            status(SessionState.UNKNOWN, has_session_object=False, version=None),
            id="odd types",
        ),
        pytest.param(
            {"status": "connected", "version": "2.10.4"},
            status(SessionState.UNKNOWN),
            id="another spelling is not connected",
        ),
    ],
)
def test_status(body: dict[str, Any], expected: SessionStatus) -> None:
    assert parse_status(answer(body)) == expected


def test_a_health_check_in_a_statuss_place_is_unreadable() -> None:
    with pytest.raises(ResponseError):
        parse_status(answer({"uptime": 12.5, "message": "OK", "timestamp": 1772366400000}))


@pytest.mark.parametrize(("word", "connected"), [(True, True), (False, False)])
def test_connected(word: bool, connected: bool) -> None:
    assert parse_connected(answer({"status": word, "message": "Connected"})) is connected


@pytest.mark.parametrize("word", ["Connected", "true", 1, None])
def test_connected_is_a_boolean_or_unreadable(word: object) -> None:
    with pytest.raises(ResponseError):
        parse_connected(answer({"status": word}))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            {"status": "CLOSED", "qrcode": None, "session": ""},
            None,
            id="started from nothing",
        ),
        pytest.param(
            {"status": None, "qrcode": None, "version": "2.10.4"},
            None,
            id="started after a close",
        ),
        pytest.param(
            {"status": "INITIALIZING", "qrcode": None, "version": "2.10.4"},
            None,
            id="was starting",
        ),
        pytest.param(
            {"status": "phoneCode", "phone": "5511999999999", "phoneCode": "4FBTXABX", "session": "sales"},
            "4FBTXABX",
            id="pairing code",
        ),
        pytest.param(
            {"status": "qrcode", "qrcode": "iVBOR", "urlcode": "2@x", "session": "sales"},
            None,
            id="waited for a QR code",
        ),
        pytest.param(
            {"status": "PHONECODE", "qrcode": None, "version": "2.10.4"},
            None,
            id="was waiting for a code",
        ),
        pytest.param({"status": "odd", "phoneCode": "4FBTXABX"}, None, id="unknown word"),
    ],
)
def test_pairing_code(body: dict[str, Any], expected: str | None) -> None:
    assert parse_pairing_code(answer(body)) == expected


@pytest.mark.parametrize(
    ("given", "closed"),
    [
        pytest.param(answer({"status": True, "message": "Session successfully closed"}), True, id="closed"),
        pytest.param(answer({"status": False, "message": "Error closing session"}, 500), False, id="500"),
        pytest.param(answer({"status": False}), False, id="200 that says no"),
    ],
)
def test_closed(given: Answer, closed: bool) -> None:
    assert parse_closed(given) is closed


def test_device() -> None:
    body = {
        "status": "success",
        "response": {
            "id": {"_serialized": "5511900000000@c.us"},
            "pushname": "Simulated",
            "platform": "android",
            "phone": {},
            "phoneNumber": "5511900000000@c.us",
        },
        "mapper": "device",
    }

    assert parse_device(answer(body)) == Device("android", "Simulated", "5511900000000")
    del body["response"]["phoneNumber"]  # type: ignore[attr-defined]
    assert parse_device(answer(body)) == Device("android", "Simulated", "5511900000000")
    assert parse_device(answer({"response": {}})) == Device(None, None, None)


@pytest.mark.parametrize(
    ("told", "number"),
    [
        pytest.param("5511900000000@c.us", "5511900000000", id="a number"),
        pytest.param("165332417282214@lid", None, id="another identity"),
        pytest.param("5511900000000", None, id="of no kind"),
        pytest.param("55119/0000000@c.us", None, id="not digits"),
        pytest.param("@c.us", None, id="empty"),
        pytest.param({"user": "5511900000000"}, None, id="no text"),
    ],
)
def test_own_number(told: object, number: str | None) -> None:
    assert parse_own_number(answer({"status": "success", "response": told, "mapper": "device"})) == number


@pytest.mark.parametrize("exists", [True, False])
def test_number_check(exists: bool) -> None:
    body = {"status": "success", "response": {"id": "55119000000000@c.us", "numberExists": exists}}

    assert parse_number_check(answer(body)) is exists


@pytest.mark.parametrize("response", [None, [], "yes", {}, {"numberExists": "yes"}])
def test_number_check_that_tells_nothing(response: object) -> None:
    with pytest.raises(ResponseError, match="whether the number exists"):
        parse_number_check(answer({"status": "success", "response": response}))


@pytest.mark.parametrize("token", [TOKEN, TOKEN.replace("_", "/")])
def test_generated_token(token: str) -> None:
    assert parse_generated(answer({"status": "success", "token": token}, 201)) == TOKEN


@pytest.mark.parametrize("body", [{}, {"token": None}, {"token": "x"}])
def test_generated_without_a_token(body: dict[str, Any]) -> None:
    with pytest.raises(ResponseError, match="holds no token"):
        parse_generated(answer(body, 201))


@pytest.mark.parametrize(
    ("value", "private"),
    [
        pytest.param(status(SessionState.QRCODE, qr_payload="2@payload"), "2@payload", id="QR payload"),
        pytest.param(Device("android", "Ana", "5511900000000"), "5511900000000", id="phone number"),
        pytest.param(Device("android", "Ana", "5511900000000"), "Ana", id="name"),
    ],
)
def test_repr_hides_what_is_private(value: object, private: str) -> None:
    assert private not in repr(value)
