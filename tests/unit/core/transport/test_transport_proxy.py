"""Through a proxy that wants a name and password: the gateway in clear, and over TLS in a tunnel."""

from __future__ import annotations

import base64
import socket
import ssl
import threading

import pytest

from core.exceptions import ConnectError
from core.transport import Transport
from tests.loopback import Loopback, Peer, Script, answering, http_answer
from tests.support.certificates import Pair, make_pair

LOGIN = base64.b64encode(b"user:s3cret").decode().encode()


def tunnelling(peer: Peer) -> None:
    """Let in who has the password, and pass bytes on until one side closes."""
    request = peer.read_request()
    if b"Proxy-Authorization: Basic " + LOGIN not in request:
        peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return
    host, port = request.split(b" ")[1].rsplit(b":", 1)
    with socket.create_connection((host.decode(), int(port))) as gateway:
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_copy, args=(gateway, peer.sock), daemon=True)
        back.start()
        _copy(peer.sock, gateway)
        back.join(60)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def over_tls(pair: Pair, answer: bytes) -> Script:
    """Answer every request of a connection that begins with a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

    def script(peer: Peer) -> None:
        with context.wrap_socket(peer.sock, server_side=True) as sock:
            answering(answer)(Peer(sock, threading.Event()))

    return script


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("tls"), "gateway")


def transport_through(proxy: Loopback, gateway_url: str, login: str = "user:s3cret@") -> Transport:
    address = proxy.url.replace("http://", f"http://{login}")
    return Transport(gateway_url, connect_timeout_seconds=2, proxy=address, user_agent="tests")


def ask(transport: Transport) -> int:
    answer = transport.request("GET", "/healthz", path={}, operation="ask", timeout_seconds=5)
    return answer.status_code


def test_a_gateway_in_clear() -> None:
    with Loopback(answering(http_answer())) as proxy:
        transport = transport_through(proxy, "http://gateway.invalid:21465")
        assert ask(transport) == 200
        transport.close()

    assert b"Proxy-Authorization: Basic " + LOGIN in proxy.requests[0]


def test_a_gateway_over_tls_in_a_tunnel_that_is_kept_open(
    monkeypatch: pytest.MonkeyPatch, pair: Pair
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair.certificate))
    with Loopback(over_tls(pair, http_answer())) as gateway, Loopback(tunnelling) as proxy:
        transport = transport_through(proxy, gateway.url.replace("http:", "https:"))
        assert [ask(transport) for _ in range(3)] == [200, 200, 200]
        transport.close()

    assert proxy.connections == 1


def test_a_wrong_password_names_the_setting_and_no_password() -> None:
    with Loopback(tunnelling) as proxy:
        transport = transport_through(proxy, "https://gateway.invalid", "user:wr0ng@")
        with pytest.raises(ConnectError) as caught:
            ask(transport)
        transport.close()

    assert caught.value.explanation.id == "transport.proxy_refuses"
    assert "wr0ng" not in str(caught.value) + repr(vars(caught.value))
