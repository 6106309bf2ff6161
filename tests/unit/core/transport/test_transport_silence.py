"""The secret key, the token and the URL show nowhere, whatever goes wrong."""

from __future__ import annotations

import logging
import traceback

import pytest
from gateway_calls import MakeTransport, get

from core.exceptions import ConnectError, TransportError, WppconnectError
from core.transport import Transport
from tests.loopback import (
    SLOW,
    Loopback,
    Peer,
    Script,
    answering,
    closing,
    cut_short,
    http_answer,
    huge,
    resetting,
)

BUDGET_SECONDS = 0.3

"""The secret key, the token and the URL show nowhere."""

SCRIPTS = (*SLOW.values(), closing, resetting, cut_short, huge, answering(b"nonsense\r\n\r\n"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_not_in_errors_tracebacks_or_logs(
    make_transport: MakeTransport, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Loopback(script) as server, pytest.raises(WppconnectError) as caught:
        get(make_transport(server.url), BUDGET_SECONDS)

    error = caught.value
    everything = (
        "".join(traceback.format_exception(error)) + repr(error.args) + repr(vars(error)) + caplog.text
    )
    assert "s3cret" not in everything
    assert "t0ken" not in everything
    assert server.url not in everything
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "GET /api/{secretkey}/show-all-sessions" in str(error)
    assert (error.operation, error.session) == ("list the sessions", "sales")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://no-such-host.invalid", id="unknown name"),
        pytest.param("http://" + "x" * 70 + ".invalid", id="impossible name"),
        pytest.param("ftp://127.0.0.1", id="unknown scheme"),
    ],
)
def test_not_when_the_address_is_useless(
    make_transport: MakeTransport, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConnectError) as caught:
        get(make_transport(url))
    assert "s3cret" not in "".join(traceback.format_exception(caught.value)) + caplog.text
    assert caught.value.__context__ is None


def test_not_when_tls_is_spoken_to_a_plain_port(make_transport: MakeTransport) -> None:
    def plain(peer: Peer) -> None:
        peer.sock.recv(1)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Loopback(plain) as server, pytest.raises(ConnectError) as caught:
        get(make_transport(server.url.replace("http:", "https:")))
    assert caught.value.explanation.id == "transport.http_on_https"
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("proxy", ["socks9://user:s3cret@127.0.0.1:1", "http://user:s3cret@127.0.0.1:1"])
def test_not_when_the_proxy_is_useless(proxy: str) -> None:
    transport = Transport("http://gateway", connect_timeout_seconds=1, proxy=proxy, user_agent="tests")
    with pytest.raises(ConnectError) as caught:
        get(transport)
    transport.close()
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_not_when_a_header_or_segment_cannot_be_sent(make_transport: MakeTransport) -> None:
    with Loopback(answering(http_answer())) as server:
        transport = make_transport(server.url)
        for path, headers in (("s3cret\udc80", {}), ("s", {"Authorization": "Bearer t0ken\nX: y"})):
            with pytest.raises(TransportError) as caught:
                transport.request(
                    "GET", "/{x}", path={"x": path}, operation="ask", timeout_seconds=5, headers=headers
                )
            assert "s3cret" not in str(caught.value)
            assert "t0ken" not in str(caught.value)
            assert caught.value.__context__ is None
