"""Each call of the client as it goes over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import responses
from gateway_calls import STRONG, URL
from requests.exceptions import ReadTimeout

from core.exceptions import (
    AuthenticationError,
    ConfigurationError,
    RequestTimeoutError,
    SecretKeyRejectedError,
    ServerFailureError,
    SessionDisconnectedError,
    WppconnectError,
)
from core.gateways.wppconnect.client import GatewayClient, StartOptions
from core.gateways.wppconnect.contract.token_format import TokenKind, parse_token
from core.models import SessionState

CLOSED = {"status": True, "message": "Session successfully closed"}


SESSION_CALLS: dict[str, tuple[str, str, Callable[[GatewayClient], object], Any]] = {
    "read_status": ("GET", "status-session", lambda c: c.read_status("sales"), {"status": "CLOSED"}),
    "check_connection": (
        "GET",
        "check-connection-session",
        lambda c: c.check_connection("sales"),
        {"status": True, "message": "Connected"},
    ),
    "read_device": ("GET", "host-device", lambda c: c.read_device("sales"), {"response": {}}),
    "read_own_number": (
        "GET",
        "get-phone-number",
        lambda c: c.read_own_number("sales"),
        {"response": "5511900000000@c.us"},
    ),
    "check_number": (
        "GET",
        "check-number-status/55119000000000",
        lambda c: c.check_number("sales", "55119000000000"),
        {"status": "success", "response": {"numberExists": False}},
    ),
    "start_session": (
        "POST",
        "start-session",
        lambda c: c.start_session("sales", None),
        {"status": "CLOSED", "qrcode": None},
    ),
    "close_session": ("POST", "close-session", lambda c: c.close_session("sales"), CLOSED),
    "logout_session": ("POST", "logout-session", lambda c: c.logout_session("sales"), CLOSED),
}

each_session_call = pytest.mark.parametrize(
    ("method", "route", "call", "body"), SESSION_CALLS.values(), ids=SESSION_CALLS.keys()
)


@each_session_call
def test_a_session_call_carries_its_token(
    client: GatewayClient,
    wire: responses.RequestsMock,
    method: str,
    route: str,
    call: Callable[[GatewayClient], object],
    body: Any,
) -> None:
    wire.add(method, f"{URL}/api/sales/{route}", json=body)

    call(client)

    scheme, token = wire.calls[0].request.headers["Authorization"].split(" ")
    assert scheme == "Bearer"
    assert parse_token(token).kind is TokenKind.BCRYPT


@each_session_call
def test_a_refused_token_is_renewed_once(
    client: GatewayClient,
    wire: responses.RequestsMock,
    method: str,
    route: str,
    call: Callable[[GatewayClient], object],
    body: Any,
) -> None:
    wire.add(method, f"{URL}/api/sales/{route}", json={"error": "Check"}, status=401)
    wire.add(method, f"{URL}/api/sales/{route}", json=body)
    generated = client.tokens.token("support")
    wire.post(f"{URL}/api/sales/{STRONG}/generate-token", json={"token": generated}, status=201)

    call(client)

    assert wire.calls[2].request.headers["Authorization"] == f"Bearer {generated}"


@each_session_call
def test_a_token_refused_twice_is_an_authentication_error(
    client: GatewayClient,
    wire: responses.RequestsMock,
    method: str,
    route: str,
    call: Callable[[GatewayClient], object],
    body: Any,
) -> None:
    wire.add(method, f"{URL}/api/sales/{route}", json={"error": "Check that they are correct"}, status=401)
    generated = client.tokens.token("support")
    wire.post(f"{URL}/api/sales/{STRONG}/generate-token", json={"token": generated}, status=201)

    with pytest.raises(AuthenticationError, match="Check that they are correct") as caught:
        call(client)

    assert len(wire.calls) == 3
    assert caught.value.session == "sales"
    assert caught.value.operation


@each_session_call
def test_a_page_of_html_is_an_error_of_ours(
    client: GatewayClient,
    wire: responses.RequestsMock,
    method: str,
    route: str,
    call: Callable[[GatewayClient], object],
    body: Any,
) -> None:
    wire.add(
        method, f"{URL}/api/sales/{route}", body="<pre>Error</pre>", content_type="text/html", status=500
    )

    with pytest.raises(ServerFailureError) as caught:
        call(client)

    assert caught.value.session == "sales"


@each_session_call
def test_no_answer_is_an_error_of_ours(
    client: GatewayClient,
    wire: responses.RequestsMock,
    method: str,
    route: str,
    call: Callable[[GatewayClient], object],
    body: Any,
) -> None:
    wire.add(method, f"{URL}/api/sales/{route}", body=ReadTimeout())

    with pytest.raises(RequestTimeoutError) as caught:
        call(client)

    assert caught.value.session == "sales"


@pytest.mark.parametrize("name", ["a/b", "..", "", "length", "a:b", "x" * 72])
def test_a_bad_name_is_never_sent(client: GatewayClient, name: str) -> None:
    with pytest.raises(ConfigurationError, match="session name") as caught:
        client.read_status(name)
    assert (caught.value.operation, caught.value.session) == ("read the session's status", name)


def test_a_get_says_nothing_about_content(client: GatewayClient, wire: responses.RequestsMock) -> None:
    wire.get(f"{URL}/api/sales/status-session", json={"status": "CLOSED"})

    client.read_status("sales")

    request = wire.calls[0].request
    assert request.body is None
    assert "Content-Type" not in request.headers


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, {}), (500, {}), (200, {"status": "UP"}), (401, {"message": "No token"}), (400, {"message": "x"})],
)
def test_an_error_proves_nothing_about_a_secret(
    client: GatewayClient, wire: responses.RequestsMock, status: int, body: Any
) -> None:
    wire.get(f"{URL}/api/some-key/show-all-sessions", status=status, json=body)

    with pytest.raises(WppconnectError):
        client.accepts_secret("some-key")


def test_the_sessions_are_listed_with_the_secret(client: GatewayClient, wire: responses.RequestsMock) -> None:
    wire.get(f"{URL}/api/{STRONG}/show-all-sessions", json={"response": ["sales", "../odd"]})

    assert client.list_sessions() == ("sales", "../odd")


def test_a_wrong_secret_is_told_when_listing(client: GatewayClient, wire: responses.RequestsMock) -> None:
    wire.get(f"{URL}/api/{STRONG}/show-all-sessions", json={"response": False}, status=400)

    with pytest.raises(SecretKeyRejectedError) as caught:
        client.list_sessions()

    assert STRONG not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "body"),
    [
        pytest.param(None, {}, id="nothing keeps what was saved"),
        pytest.param(StartOptions(), {"waitQrCode": False}, id="a complete set without a webhook"),
        pytest.param(
            StartOptions(webhook="https://crm.example/hook"),
            {"waitQrCode": False, "webhook": "https://crm.example/hook"},
            id="with a webhook",
        ),
        pytest.param(
            StartOptions(webhook="", phone="+351 912-345-678", wait=True),
            {"waitQrCode": True, "phone": "351912345678"},
            id="by pairing code",
        ),
    ],
)
def test_start_sends_nothing_or_the_complete_set(
    client: GatewayClient, wire: responses.RequestsMock, options: StartOptions | None, body: dict[str, Any]
) -> None:
    wire.post(f"{URL}/api/sales/start-session", json={"status": "CLOSED"})

    client.start_session("sales", options)

    assert json.loads(wire.calls[0].request.body) == body


def test_close_and_logout_send_no_body(client: GatewayClient, wire: responses.RequestsMock) -> None:
    wire.post(f"{URL}/api/sales/close-session", json=CLOSED)
    wire.post(f"{URL}/api/sales/logout-session", json=CLOSED)

    client.close_session("sales")
    client.logout_session("sales")

    assert [call.request.body for call in wire.calls] == [None, None]


def test_500_on_close_says_that_it_must_be_verified(
    client: GatewayClient, wire: responses.RequestsMock
) -> None:
    body = {"status": False, "message": "Error closing session", "error": {"level": "error"}}
    wire.post(f"{URL}/api/sales/close-session", json=body, status=500)

    assert client.close_session("sales") is False


def test_404_on_logout_says_that_nothing_was_unlinked(
    client: GatewayClient, wire: responses.RequestsMock
) -> None:
    wire.post(
        f"{URL}/api/sales/logout-session", json={"response": None, "status": "Disconnected"}, status=404
    )

    with pytest.raises(SessionDisconnectedError):
        client.logout_session("sales")


def test_no_error_of_a_number_check_repeats_the_number(
    client: GatewayClient, wire: responses.RequestsMock
) -> None:
    route = f"{URL}/api/sales/check-number-status/55119000000000"
    wire.get(route, status=500, json={"status": "error", "message": f"Error on {route}"})
    wire.get(route, body=ReadTimeout(f"no answer from {route}"))

    for kind in (ServerFailureError, RequestTimeoutError):
        with pytest.raises(kind) as caught:
            client.check_number("sales", "55119000000000")
        assert "55119" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


def test_the_values_given_to_a_start_do_not_show(client: GatewayClient) -> None:
    shown = repr(StartOptions(webhook="https://crm.example/hook?key=1", phone="351912345678"))

    assert "crm.example" not in shown
    assert "351912345678" not in shown


def test_a_closed_client_answers_with_an_error_of_ours(client: GatewayClient) -> None:
    client.close()

    with pytest.raises(WppconnectError) as caught:
        client.read_health()

    assert caught.value.explanation.id == "transport.closed_here"


@pytest.mark.parametrize("status", [404, 429], ids=["exchanged for an older release", "limit used up"])
def test_the_older_routes_stand_in_for_the_manager_protocol(
    client: GatewayClient, wire: responses.RequestsMock, status: int
) -> None:
    wire.get(f"{URL}/api/sales/status-session", json={"error": "Check"}, status=401)
    wire.get(f"{URL}/api/sales/status-session", json={"status": "CLOSED"})
    generated = client.tokens.token("support")
    client.manager.is_offered = True
    wire.post(f"{URL}/api/manager/sessions/sales/token", json={}, status=status)
    wire.post(f"{URL}/api/sales/{STRONG}/generate-token", json={"token": generated}, status=201)

    assert client.read_status("sales").state is SessionState.CLOSED


def test_a_secret_key_is_tried_in_a_header_where_that_is_offered(
    client: GatewayClient, wire: responses.RequestsMock
) -> None:
    client.manager.is_offered = None
    info = {"protocol": 1, "serverVersion": "2.11.0", "features": []}
    wire.get(f"{URL}/api/manager/info", json=info)
    wire.get(f"{URL}/api/manager/sessions", json={"message": "Unauthorized"}, status=401)
    wire.get(f"{URL}/api/manager/sessions", json={"sessions": []})

    assert [client.accepts_secret("one"), client.accepts_secret("other")] == [False, True]
    assert not any("one" in str(call.request.url) or "other" in str(call.request.url) for call in wire.calls)
