"""A TCP proxy on loopback that can cut its connections, or keep them and forward nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class TcpProxy:
    """Forwards to a port; `port` is its own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._asking, self._answering = threading.Event(), threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._ended = False
        self.port: int = self._listener.getsockname()[1]
        self.resume()

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self.resume()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(60)
        for one in self._sockets:
            one.close()

    def hang(self) -> None:
        """Forward nothing more, and keep all connections."""
        self._asking.clear()
        self.hold_answers()

    def hold_answers(self) -> None:
        """Forward what clients send, and nothing of what they are answered."""
        self._answering.clear()

    def resume(self) -> None:
        """Forward again."""
        self._asking.set()
        self._answering.set()

    def cut(self) -> None:
        """Cut all connections."""
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target), 60)
            server.settimeout(None)
            self._sockets += [client, server]
            self._run(self._forward, client, server, self._asking)
            self._run(self._forward, server, client, self._answering)

    def _forward(self, source: socket.socket, target: socket.socket, forwarding: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                forwarding.wait()
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
