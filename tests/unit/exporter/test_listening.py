from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from core.addresses import address_text
from core.exceptions import ConfigurationError
from core.serving import ConnectionLimits
from exporter.listening import DeadlineProtocol, listen, make_server
from exporter.settings import ExporterEnvironment
from tests.plugins.system_tools import require
from tests.support.certificates import make_pair
from tests.support.waiting import until

HUGE = b"x" * 32_000_000
"""More than the kernel keeps for a connection that nobody reads."""


class Impatient(DeadlineProtocol):
    exchange_seconds = 0.3


async def small_app(scope, receive, send):
    headers = [(b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok\n", "more_body": False})


async def huge_app(scope, receive, send):
    headers = [(b"content-length", str(len(HUGE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": HUGE, "more_body": False})


def read_to_the_end(connection: socket.socket) -> bytes:
    """Read until the other side closes or resets."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def read_answer(connection: socket.socket) -> bytes:
    """Read the small application's whole answer; the connection stays open."""
    received = b""
    while not received.endswith(b"ok\n"):
        received += connection.recv(65536)
    return received


def drip(connection: socket.socket, stop: threading.Event) -> None:
    try:
        while not stop.wait(0.05):
            connection.sendall(b"x")
    except OSError:
        return


@pytest.mark.parametrize(
    "beginning",
    [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: "],
    ids=["nothing", "line", "headers"],
)
def test_client_that_never_finishes_its_request_is_cut_off(serve, beginning):
    address = serve(small_app, Impatient)
    # The server's deadline begins with the connection, which may be accepted long before this thread goes on.
    began = time.monotonic()
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(beginning)
        received = read_to_the_end(connection)

    assert received == b""
    assert time.monotonic() - began > 0.2


def test_client_that_drips_its_headers_is_cut_off(serve):
    stop = threading.Event()
    with socket.create_connection(serve(small_app, Impatient), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        dripping = threading.Thread(target=drip, args=(connection, stop))
        dripping.start()
        received = read_to_the_end(connection)
        stop.set()
        dripping.join()

    assert received == b""


def test_client_that_drips_its_second_request_is_cut_off(serve):
    with socket.create_connection(serve(small_app, Impatient), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        first = read_answer(connection)
        connection.sendall(b"GET / HTTP/1.1\r\n")
        rest = read_to_the_end(connection)

    assert first.startswith(b"HTTP/1.1 200")
    assert rest == b""


def test_client_that_never_reads_its_answer_is_cut_off(serve):
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(serve(huge_app, Impatient))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: not still_accepts(connection), what="the end of the connection")


def still_accepts(connection: socket.socket) -> bool:
    """Tell, without reading, whether the other side has not reset the connection yet."""
    try:
        connection.send(b"\r\n")
    except OSError:
        return False
    return True


def test_idle_connection_outlives_the_deadline_and_serves_again(serve):
    with socket.create_connection(serve(small_app, Impatient), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        first = read_answer(connection)
        connection.settimeout(2 * Impatient.exchange_seconds)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(60)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        second = read_to_the_end(connection)

    assert first.startswith(b"HTTP/1.1 200")
    assert second.endswith(b"ok\n")


def test_answer_may_take_longer_than_the_client(serve, talk):
    async def slow_app(scope, receive, send):
        await asyncio.sleep(2 * Impatient.exchange_seconds)
        await small_app(scope, receive, send)

    answer = talk(serve(slow_app, Impatient), b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    assert answer.endswith(b"ok\n")


def test_client_that_drips_its_body_is_cut_off(serve):
    async def reading_app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass

    stop = threading.Event()
    with socket.create_connection(serve(reading_app, Impatient), timeout=60) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        dripping = threading.Thread(target=drip, args=(connection, stop))
        dripping.start()
        received = read_to_the_end(connection)
        stop.set()
        dripping.join()

    assert received == b""


def test_pipelined_requests_are_all_answered(serve, talk):
    request = b"GET / HTTP/1.1\r\nHost: a\r\n"

    answer = talk(
        serve(small_app, Impatient), (request + b"\r\n") * 2 + request + b"Connection: close\r\n\r\n"
    )

    assert answer.count(b"HTTP/1.1 200") == 3


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["unfinished", "whole, in one packet"])
def test_oversized_headers_are_refused(serve, talk, end):
    answer = talk(serve(small_app), b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + end)

    assert answer.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "before", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["alone", "behind another request"]
)
def test_oversized_headers_are_refused_though_they_come_whole(serve, before):
    lines = b"".join(b"X%d:\r\n" % number for number in range(5000))
    with socket.create_connection(serve(small_app), timeout=60) as connection:
        connection.sendall(before + b"GET / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n")
        received = read_to_the_end(connection)

    assert received.count(b"ok\n") <= before.count(b"GET")


def test_garbage_behind_an_answer_ends_the_connection_and_leaves_no_line_in_the_log(serve, caplog):
    # A server of its own: making one sets the level of uvicorn's log, which others in this process set, too.
    with socket.create_connection(serve(small_app, limit=255), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        read_answer(connection)
        connection.sendall(b"zz\r\n\r\n")

        assert read_to_the_end(connection) == b""
    assert caplog.messages == []


@pytest.fixture(scope="module")
def tls_pair(tmp_path_factory):
    require("openssl")
    return make_pair(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture
def secured(tls_pair):
    """Return a function that serves a small application behind TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls_pair.certificate, tls_pair.key)

    @contextmanager
    def serve(protocol, limits=None):
        with listen(("127.0.0.1", 0)) as listener:
            address = listener.getsockname()
            server = make_server(small_app, protocol, tls=context, limits=limits)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            yield address
            server.should_exit = True
            thread.join(60)

    return serve


@pytest.mark.parametrize("beginning", [b"", b"\x16\x03\x01"], ids=["nothing", "three bytes"])
def test_clients_that_do_not_finish_their_tls_are_cut_off(secured, beginning):
    with secured(Impatient) as address, socket.create_connection(address, timeout=60) as connection:
        connection.sendall(beginning)

        assert read_to_the_end(connection) == b""
        assert ssl.get_server_certificate(address).startswith("-----BEGIN CERTIFICATE")


@pytest.mark.parametrize("beginning", [b"", b"\x16\x03\x01"], ids=["nothing", "three bytes"])
def test_unfinished_tls_of_others_makes_room_for_who_comes(secured, beginning):
    limits = ConnectionLimits(4)
    with secured(DeadlineProtocol, limits) as address, ExitStack() as held:
        for number in range(4):
            connection = held.enter_context(connect(address, f"127.0.0.{2 + number // 3}"))
            connection.sendall(beginning)

        assert ssl.get_server_certificate(address).startswith("-----BEGIN CERTIFICATE")


def connect(address, source):
    return socket.create_connection(address, timeout=60, source_address=(source, 0))


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 20_000]
)
def test_garbage_ends_the_connection(serve, garbage):
    with socket.create_connection(serve(small_app, Impatient), timeout=60) as connection:
        connection.sendall(garbage)
        received = read_to_the_end(connection)

    assert received == b"" or received.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


REMEDY = "; choose another with EXPORTER_WEB_LISTEN_ADDRESS or --web.listen-address"


def test_taken_port_is_named_with_the_setting_that_moves_it():
    with listen(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError) as caught:
            listen(("127.0.0.1", port))

    assert caught.value.problems == (f"127.0.0.1:{port} is taken by another program{REMEDY}",)


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("192.0.2.1", "is no address of this machine"),
        ("a-label-of-more-than-63-letters" * 3, "has a host name that cannot be one"),
    ],
)
def test_impossible_address_says_why_and_what_to_set(host, reason):
    with pytest.raises(ConfigurationError) as caught:
        listen((host, 21466))

    assert caught.value.problems == (f"{host}:21466 {reason}{REMEDY}",)


def test_address_without_a_host_listens_everywhere():
    with listen(("", 0)) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        client.close()


def test_default_listens_on_loopback_only():
    assert ExporterEnvironment().web_listen_address == ("127.0.0.1", 21466)


@pytest.mark.parametrize(
    ("address", "text"),
    [(("127.0.0.1", 80), "127.0.0.1:80"), (("::1", 80, 0, 0), "[::1]:80"), (("", 80), ":80")],
)
def test_address_is_written_as_people_do(address, text):
    assert address_text(address) == text
