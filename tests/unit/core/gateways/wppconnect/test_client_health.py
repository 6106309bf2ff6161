"""What the client takes for a gateway, by its health and by its API."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from gateway_calls import URL
from requests.exceptions import ConnectionError as LostConnection
from requests.exceptions import ReadTimeout

from core.exceptions import ConnectError, NotAGatewayError
from core.gateways.wppconnect.client import GatewayClient
from core.messages import Message

NO_TOKEN = {"message": "Token is not present. Check your header and try again"}
INFO = {"protocol": 1, "serverVersion": "2.11.0", "features": []}
HEALTH = {"uptime": 12.5, "message": "OK", "timestamp": 1}
API = f"{URL}/api/wppconnect-ops/check-connection-session"


def test_health_needs_no_token(client: GatewayClient, wire: responses.RequestsMock) -> None:
    wire.get(f"{URL}/healthz", json={"uptime": 12.5, "message": "OK", "timestamp": 1})

    assert client.read_health().uptime_seconds == 12.5
    assert "Authorization" not in wire.calls[0].request.headers


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
