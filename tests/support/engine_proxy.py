"""A socket in front of the engine's: it keeps every call, refuses some, and can go away as an engine does."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Passes = Callable[[str], bool]
BODY = b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
FORBIDDEN = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\nCache-Control: no-cache\r\n"
    b"Content-Type: text/html\r\n\r\n%s" % (len(BODY), BODY)
)
"""What HAProxy, and with it tecnativa's docker-socket-proxy, answers to a call that its rules deny."""


class EngineProxy:
    """Passes calls on as long as `passes` says so of "METHOD /path"; at the first other one it is gone.

    It is not asked of the checks that begin a change.
    """

    def __init__(self, path: Path | None, engine: Path) -> None:
        """Listen on a unix socket, or without a path on a port of this machine."""
        self.host = f"unix://{path}" if path else ""
        self.calls: list[str] = []
        self.passes: Passes = lambda _call: True
        self.refuses: Passes = lambda _call: False
        """Which calls get 403; the connection lives on."""
        self.answered = threading.Event()
        """Set when the engine says anything; whoever waits for an answer clears it before."""
        self._path = path
        self._engine = engine
        self._connections: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._closing = threading.Lock()

    def open(self) -> None:
        """Listen, also anew after it was gone."""
        self.passes = lambda _call: True
        if self._path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.host = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        else:
            self._path.unlink(missing_ok=True)
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self._path))
            self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Be gone: no new connection, and the present ones cut."""
        with self._closing:
            if self._listener is not None:
                with suppress(OSError):
                    self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()
                self._listener = None
                if self._path is not None:
                    self._path.unlink(missing_ok=True)
            for one in self._connections:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
            self._connections.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(str(self._engine))
                self._connections += [client, engine]
                threading.Thread(target=self._ask, args=(client, engine), daemon=True).start()
                threading.Thread(target=self._pump, args=(engine, client), daemon=True).start()

    def _ask(self, client: socket.socket, engine: socket.socket) -> None:
        with suppress(OSError, ValueError), client.makefile("rb") as requests:
            while line := requests.readline():
                head = [line]
                while (header := requests.readline()) not in (b"\r\n", b""):
                    head.append(header)
                lengths = [one for one in head if one.lower().startswith(b"content-length:")]
                body = requests.read(int(lengths[0].split(b":")[1])) if lengths else b""
                method, target, _ = line.decode().split(" ", 2)
                call = f"{method} {re.sub(r'^/v[0-9.]+|[?].*', '', target)}"
                if not (is_check(target) or self.passes(call)):
                    self.close()
                    return
                self.calls.append(call)
                if self.refuses(call):
                    client.sendall(FORBIDDEN)
                    continue
                engine.sendall(b"".join([*head, b"\r\n", body]))

    def _pump(self, engine: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := engine.recv(65536):
                self.answered.set()
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)


def is_check(target: str) -> bool:
    """Whether a call only asks what gets through: it names nothing that there is."""
    return "/wppconnect-ops-" in target or target.endswith("/containers/create")


@contextmanager
def engine_proxy(folder: Path | None, host: str) -> Iterator[EngineProxy]:
    """Stand in front of an engine until the block ends: on a socket in a folder, or on a TCP port."""
    path = folder / "engine.sock" if folder else None
    proxy = EngineProxy(path, Path(host.removeprefix("unix://")))
    proxy.open()
    try:
        yield proxy
    finally:
        proxy.close()
