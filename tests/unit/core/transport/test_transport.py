"""Requests to a gateway: what is sent, and what comes back."""

from __future__ import annotations

import json
import time

import pytest
import responses
from gateway_calls import MakeTransport, get, post

from core.exceptions import ResponseError, TransportError
from core.messages import Message
from core.transport import Transport
from core.transport.transport import MAX_BODY_BYTES
from tests.loopback import (
    Loopback,
    Peer,
    Script,
    answering,
    dripping_headers,
    http_answer,
    huge,
)

BUDGET_SECONDS = 0.3
SLACK_SECONDS = 60


@pytest.mark.parametrize(
    ("answer", "status_code"),
    [
        pytest.param(http_answer(b"{}", status="401 Unauthorized"), 401, id="401"),
        pytest.param(http_answer(b"{}", status="500 Internal Server Error"), 500, id="500"),
        pytest.param(b"HTTP/1.1 431 \r\nConnection: close\r\n\r\n", 431, id="empty 431"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, id="empty 204"),
        pytest.param(b"HTTP/1.1 304 Not Modified\r\n\r\n", 304, id="empty 304"),
    ],
)
def test_a_refusal_is_an_answer(make_transport: MakeTransport, answer: bytes, status_code: int) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer)

    with Loopback(script) as server:
        assert get(make_transport(server.url)).status_code == status_code


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http_answer(b"<html>", content_type="text/html"), id="HTML"),
        pytest.param(http_answer(b"{broken"), id="broken JSON"),
        pytest.param(http_answer(b""), id="nothing"),
        pytest.param(http_answer(b"\xff\xfe"), id="no text"),
        pytest.param(http_answer(b"[" * 100_000), id="nested too deep"),
    ],
)
def test_what_is_not_json_cannot_be_read_as_such(make_transport: MakeTransport, answer: bytes) -> None:
    with Loopback(answering(answer)) as server:
        got = get(make_transport(server.url))

    with pytest.raises(ResponseError) as caught:
        got.json()
    assert (caught.value.operation, caught.value.session) == ("list the sessions", "sales")
    assert caught.value.__context__ is None


def test_a_redirect_is_not_followed(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as elsewhere:
        moved = http_answer(b"", status="302 Found", headers=f"Location: {elsewhere.url}/\r\n")
        with Loopback(answering(moved)) as server, pytest.raises(ResponseError) as caught:
            get(make_transport(server.url))
    assert caught.value.explanation == Message.of("transport.redirected", status=302)
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(huge, id="without an end"),
        pytest.param(answering(http_answer(b"x" * (MAX_BODY_BYTES + 1))), id="one byte too much"),
    ],
)
def test_an_answer_that_is_too_large_is_dropped(make_transport: MakeTransport, script: Script) -> None:
    with Loopback(script) as server, pytest.raises(ResponseError) as caught:
        get(make_transport(server.url))
    assert caught.value.explanation.id == "transport.too_large"


def test_the_largest_allowed_answer_is_read(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer(b"x" * MAX_BODY_BYTES))) as server:
        assert len(get(make_transport(server.url)).body) == MAX_BODY_BYTES


def test_compressed_answers_are_not_asked_for(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        get(make_transport(server.url))
    assert b"accept-encoding: identity" in server.requests[0].lower()


def test_repr_hides_the_body(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer(b'{"phoneCode":"4FBTXABX"}'))) as server:
        assert "4FBTXABX" not in repr(get(make_transport(server.url)))


def test_every_segment_is_encoded(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        get(make_transport(server.url))
    assert server.requests[0].startswith(
        b"GET /api/s3cret%2Fwith%3Fodd%23signs/show-all-sessions HTTP/1.1\r\n"
    )


@pytest.mark.parametrize(("segment", "sent"), [(".", b"%2E"), ("..", b"%2E%2E"), ("ação", b"a%C3%A7%C3%A3o")])
def test_segments_that_clients_collapse_are_kept(
    make_transport: MakeTransport, segment: str, sent: bytes
) -> None:
    with Loopback(answering(http_answer())) as server:
        make_transport(server.url).request(
            "GET", "/api/{name}/x", path={"name": segment}, operation="ask", timeout_seconds=5
        )
    assert server.requests[0].startswith(b"GET /api/" + sent + b"/x HTTP/1.1\r\n")


def test_a_path_in_the_base_address_is_kept(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        make_transport(f"{server.url}/wpp/").request(
            "GET", "/healthz", path={}, operation="ask", timeout_seconds=5
        )
    assert server.requests[0].startswith(b"GET /wpp/healthz HTTP/1.1\r\n")


def test_a_get_has_neither_body_nor_content_type_nor_conditions(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer(headers='ETag: W/"1"\r\n'))) as server:
        transport = make_transport(server.url)
        get(transport)
        get(transport)

    head, _, body = server.requests[1].lower().partition(b"\r\n\r\n")
    assert body == b""
    assert b"content-type" not in head
    assert b"content-length" not in head
    assert b"if-none-match" not in head
    assert b"authorization: bearer t0ken" in head


def test_a_post_carries_json(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        post(make_transport(server.url))

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert json.loads(body) == {"waitQrCode": False}


def test_a_post_without_a_body_says_so(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        make_transport(server.url).request("POST", "/close", path={}, operation="close", timeout_seconds=5)

    assert b"content-length: 0" in server.requests[0].lower()
    assert b"content-type" not in server.requests[0].lower()


def test_proxies_of_the_environment_are_not_used(
    make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Loopback(answering(http_answer())) as server:
        assert get(make_transport(server.url)).status_code == 200


def test_a_configured_proxy_gets_the_whole_address() -> None:
    with Loopback(answering(http_answer())) as proxy:
        transport = Transport(
            "http://gateway.invalid:21465", connect_timeout_seconds=1, proxy=proxy.url, user_agent="tests"
        )
        transport.request("GET", "/healthz", path={}, operation="ask", timeout_seconds=5)
        transport.close()
    assert proxy.requests[0].startswith(b"GET http://gateway.invalid:21465/healthz HTTP/1.1\r\n")


def test_a_tunnel_that_the_proxy_drips_ends_with_the_budget() -> None:
    with Loopback(dripping_headers) as proxy:
        transport = Transport(
            "https://gateway.invalid", connect_timeout_seconds=1, proxy=proxy.url, user_agent="tests"
        )
        began = time.monotonic()
        with pytest.raises(TransportError):
            get(transport, BUDGET_SECONDS)
        took = time.monotonic() - began
        transport.close()
    assert took < BUDGET_SECONDS + SLACK_SECONDS


@responses.activate
def test_it_is_sent_through_the_adapter_of_requests(make_transport: MakeTransport) -> None:
    responses.get("http://gateway:21465/healthz", json={"uptime": 1})

    answer = make_transport("http://gateway:21465").request(
        "GET", "/healthz", path={}, operation="ask", timeout_seconds=5
    )

    assert answer.json() == {"uptime": 1}
