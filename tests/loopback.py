"""Servers on real sockets that answer as they are told: with silence, drop by drop, or not at all."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self.sock = sock
        self._stopped = stopped
        self._received = b""

    def read_request(self) -> bytes:
        """Read one request, body included; raises ConnectionError when the client closes before it."""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(self._received) < length:
            self._receive()
        body, self._received = self._received[:length], self._received[length:]
        return head + b"\r\n\r\n" + body

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, every_seconds: float = 0.02) -> None:
        """Send byte by byte until the client goes away."""
        for byte in data:
            self.sock.sendall(bytes([byte]))
            if self._stopped.wait(every_seconds):
                return

    def wait_until_closed(self) -> None:
        """Say nothing until the client goes away."""
        while self.sock.recv(65536):
            pass

    def reset(self) -> None:
        """Close so that the client sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.sock.close()

    def _receive(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the client closed")
        self._received += data


Script = Callable[[Peer], None]


class Loopback:
    """A server on a real socket; the nth connection runs the nth script, the last script all later ones."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.connections = 0
        self.requests: list[bytes] = []
        port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        # Closing alone would not wake the thread that waits in `accept`.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def cut(self) -> None:
        """End all connections."""
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            self._open = [one for one in self._open if one.fileno() != -1] + [sock]
            self._threads = [one for one in self._threads if one.is_alive()]
            self._start(lambda sock=sock, script=script: self._serve(sock, script))  # type: ignore[misc]

    def _serve(self, sock: socket.socket, script: Script) -> None:
        peer = Peer(sock, self._stopped)
        read = peer.read_request

        def recorded() -> bytes:
            request = read()
            self.requests.append(request)
            return request

        peer.read_request = recorded  # type: ignore[method-assign]
        with sock:
            try:
                script(peer)
            except OSError:
                return


def http_answer(
    body: bytes = b'{"status":"CLOSED","qrcode":null}',
    *,
    status: str = "200 OK",
    content_type: str = "application/json; charset=utf-8",
    headers: str = "",
) -> bytes:
    """Write a complete answer."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    )
    return head.encode() + body


def answering(*answers: bytes) -> Script:
    """Answer the requests of one connection in turn, the last answer for all later ones."""

    def script(peer: Peer) -> None:
        for number in itertools.count():
            peer.read_request()
            peer.send(answers[min(number, len(answers) - 1)])

    return script


def closing(peer: Peer) -> None:
    peer.read_request()


def resetting(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.wait_until_closed()


def dripping_headers(peer: Peer) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 1000)


def endless_continue(peer: Peer) -> None:
    peer.read_request()
    while True:
        peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n", 0.001)


def dripping_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    peer.drip(b"x" * 5000)


def dripping_body_without_length(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    peer.drip(b"[1]" + b" " * 5000)


def dripping_chunks(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"1\r\nx\r\n" * 1000)


def never_closing(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[1]")
    peer.wait_until_closed()


def cut_short(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")


def cut_headers(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Ty")


def huge(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        peer.send(b"x" * 65536)


SLOW = {
    "silence": silent,
    "dripped headers": dripping_headers,
    "endless 100 Continue": endless_continue,
    "dripped body": dripping_body,
    "dripped body after the connection was given up": dripping_body_without_length,
    "dripped chunks": dripping_chunks,
    "body that never ends": never_closing,
}


def wppconnect_server_go(peer: Peer) -> None:
    """Its routes (0b689f4): an empty healthz, the words for no token, and no check of a connection."""
    answers = {
        b"GET /healthz ": http_answer(b"", content_type=""),
        b"GET /api/wppconnect-ops/status-session ": http_answer(
            b'{"message":"Token is not present. Check your header and try again"}\n',
            status="401 Unauthorized",
        ),
    }
    request = peer.read_request()
    other = http_answer(
        b"404 page not found\n", status="404 Not Found", content_type="text/plain; charset=utf-8"
    )
    peer.send(next((answer for start, answer in answers.items() if request.startswith(start)), other))
