"""Each call of the client as it goes over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from gateway_calls import STRONG, MakeTransport
from pydantic import SecretStr
from requests.exceptions import ConnectionError as LostConnection
from requests.exceptions import ReadTimeout

from core.client import GatewayClient, StartOptions
from core.contract.token_format import TokenKind, parse_token
from core.exceptions import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    NotAGatewayError,
    RequestTimeoutError,
    SecretKeyRejectedError,
    ServerFailureError,
    SessionDisconnectedError,
    WppconnectError,
)
from core.messages import Message
from core.settings.values import ServerSettings, SessionSettings, Timeouts
from core.tokens.cache import TokenCache
from tests.fakes import MemoryStore

URL = "http://gateway:21465"
CLOSED = {"status": True, "message": "Session successfully closed"}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client(tmp_path: Path, make_transport: MakeTransport) -> GatewayClient:
    server = ServerSettings(
        name="main", url=URL, secret_key=SecretStr(STRONG), sessions=(SessionSettings(name="sales"),)
    )
    transport = make_transport(URL)
    tokens = TokenCache(
        server, transport=transport, store=MemoryStore(), lock_directory=tmp_path, timeouts=Timeouts()
    )
    tokens.manager.is_offered = False
    return GatewayClient(server, transport=transport, tokens=tokens, timeouts=Timeouts())


SESSION_CALLS: dict[str, tuple[str, str, Callable[[GatewayClient], object], Any]] = {
    "read_status": ("GET", "status-session", lambda c: c.read_status("sales"), {"status": "CLOSED"}),
    "check_connection": (
        "GET",
        "check-connection-session",
        lambda c: c.check_connection("sales"),
        {"status": True, "message": "Connected"},
    ),
    "read_qr_picture": ("GET", "qrcode-session", lambda c: c.read_qr_picture("sales"), {"status": None}),
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


def test_health_needs_no_token(client: GatewayClient, wire: responses.RequestsMock) -> None:
    wire.get(f"{URL}/healthz", json={"uptime": 12.5, "message": "OK", "timestamp": 1})

    assert client.read_health().uptime_seconds == 12.5
    assert "Authorization" not in wire.calls[0].request.headers


NO_TOKEN = {"message": "Token is not present. Check your header and try again"}
INFO = {"protocol": 1, "serverVersion": "2.11.0", "features": []}


@pytest.mark.parametrize("hidden", [404, 403, 200, 302], ids=["404", "403", "another page", "redirect"])
@pytest.mark.parametrize(
    ("api", "manager"), [((401, NO_TOKEN), None), ((404, {}), (200, INFO))], ids=["its 401", "its manager"]
)
def test_a_gateway_whose_health_is_hidden_is_there_and_its_uptime_unknown(
    client: GatewayClient,
    wire: responses.RequestsMock,
    hidden: int,
    api: tuple[int, Any],
    manager: tuple[int, Any] | None,
) -> None:
    wire.get(f"{URL}/healthz", body="<html>", status=hidden, content_type="text/html")
    wire.get(f"{URL}/api/wppconnect-ops/check-connection-session", status=api[0], json=api[1])
    for status, body in [manager] if manager else []:
        wire.get(f"{URL}/api/manager/info", status=status, json=body)

    assert client.read_health().uptime_seconds is None
    assert not any("Authorization" in call.request.headers for call in wire.calls)


HEALTH = {"uptime": 12.5, "message": "OK", "timestamp": 1}
API = f"{URL}/api/wppconnect-ops/check-connection-session"


@pytest.mark.parametrize(
    "api",
    [
        pytest.param({"status": 401, "json": NO_TOKEN}, id="its 401"),
        pytest.param({"status": 404, "body": "404 page not found"}, id="a proxy without a route"),
        pytest.param({"status": 404, "json": {"message": "no route"}}, id="an API gateway"),
        pytest.param({"status": 403, "body": "<html>"}, id="a firewall"),
        pytest.param({"status": 200, "body": "<form><input type=password>"}, id="a sign-in page"),
        pytest.param({"status": 302, "headers": {"Location": "https://sso.example.org"}}, id="a redirect"),
        pytest.param({"status": 502}, id="a proxy without the gateway"),
        pytest.param({"body": LostConnection()}, id="a lost connection"),
        pytest.param({"body": ReadTimeout()}, id="silence"),
    ],
)
def test_a_gateway_whose_api_proves_nothing_is_there_by_its_health(
    client: GatewayClient, wire: responses.RequestsMock, api: dict[str, Any]
) -> None:
    wire.get(f"{URL}/healthz", json=HEALTH)
    wire.get(API, **api)

    for _ in range(3):
        assert client.read_health().uptime_seconds == 12.5

    assert sum(call.request.url == f"{URL}/healthz" for call in wire.calls) == 3
    assert sum(call.request.url == API for call in wire.calls) <= 2, "asked at each health check"


@pytest.mark.parametrize(
    ("api", "says"),
    [
        pytest.param({"json": HEALTH}, Message.of("gateway.not_json", status=200), id="every path alike"),
        pytest.param(
            {"status": 404, "body": f"<pre>Cannot GET {API.removeprefix(URL)}</pre>"},
            Message.of("gateway.not_express", status=404),
            id="Express",
        ),
        pytest.param(
            {"status": 404, "body": f"<pre>Cannot GET /base{API.removeprefix(URL)}</pre>"},
            Message.of("gateway.not_express", status=404),
            id="Express behind a path",
        ),
        pytest.param(
            {"status": 404, "json": {"message": f"Cannot GET {API.removeprefix(URL)}", "statusCode": 404}},
            Message.of("gateway.not_json", status=404),
            id="Nest",
        ),
    ],
)
def test_healthz_of_a_program_without_the_api_is_no_gateways(
    client: GatewayClient, wire: responses.RequestsMock, api: dict[str, Any], says: Message
) -> None:
    wire.get(f"{URL}/healthz", json=HEALTH)
    wire.get(API, **api)
    wire.get(f"{URL}/api/manager/info", **api)

    for _ in range(2):
        with pytest.raises(NotAGatewayError) as caught:
            client.read_health()

    assert caught.value.explanation == says


def test_a_release_without_the_older_routes_is_proved_by_its_manager(
    client: GatewayClient, wire: responses.RequestsMock
) -> None:
    wire.get(f"{URL}/healthz", json=HEALTH)
    wire.get(API, status=404, body=f"Cannot GET {API.removeprefix(URL)}")
    wire.get(f"{URL}/api/manager/info", json=INFO)

    assert client.read_health().uptime_seconds == 12.5


def test_what_takes_a_gateways_place_is_looked_at_anew(
    client: GatewayClient, wire: responses.RequestsMock
) -> None:
    for answer in ({"json": HEALTH}, {"status": 502}, {"json": HEALTH}):
        wire.get(f"{URL}/healthz", **answer)
    for answer in ({"status": 401, "json": NO_TOKEN}, {"json": HEALTH}):
        wire.get(API, **answer)
    wire.get(f"{URL}/api/manager/info", json=HEALTH)

    assert client.read_health().uptime_seconds == 12.5
    for failure in (ConnectError, NotAGatewayError):
        with pytest.raises(failure):
            client.read_health()


def test_what_proves_nothing_is_no_gateway(client: GatewayClient, wire: responses.RequestsMock) -> None:
    for route in ("healthz", "api/wppconnect-ops/check-connection-session", "api/manager/info"):
        wire.get(f"{URL}/{route}", status=404, body="404 page not found", content_type="text/plain")

    with pytest.raises(NotAGatewayError) as caught:
        client.read_health()

    assert caught.value.explanation == Message.of("gateway.not_routed", status=404)


def test_a_proxy_that_reaches_nobody_is_asked_no_more(
    client: GatewayClient, wire: responses.RequestsMock
) -> None:
    wire.get(f"{URL}/healthz", status=521)

    with pytest.raises(ConnectError):
        client.read_health()

    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, {}), (500, {}), (200, {"status": "UP"}), (401, NO_TOKEN), (400, {"message": "x"})],
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

    assert client.read_status("sales").word == "CLOSED"


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
