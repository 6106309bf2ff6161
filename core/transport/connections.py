"""Connections with a total deadline, which `requests` lacks.

A read timeout restarts with every byte, so a dripping response never exceeds it. Each connection therefore
refers to the call that uses it, and the watchdog shuts it down when that call is overdue.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import Timeout
from urllib3.util.connection import create_connection

from core.transport.resolver import RESOLVER

IDLE_LIMIT_SECONDS = 4.5
"""Maximum idle time of a reused connection. The gateway closes idle connections after 5 s (contract,
section 9), possibly while a request is on its way, and a POST must not be repeated."""

_ownership = threading.Lock()
"""Guards which call a connection belongs to; held for a few instructions only."""

_here = threading.local()
"""The call that the thread is sending; urllib3 offers no way to pass it to the pool."""


class Call:
    """One request in progress: its deadline and the connection that it currently uses."""

    def __init__(self, deadline: float, connect_deadline: float, *, fresh: bool) -> None:
        self.deadline = deadline
        self.connect_deadline = connect_deadline
        self.fresh = fresh
        """Open a new connection: a pooled one was found closed, so the others may be closed as well."""
        self.overdue = False
        self._connection: Connection | None = None

    def use(self, connection: Connection) -> None:
        """Assign a connection to this call."""
        with _ownership:
            self._connection = connection
            connection.call = self
            if self.overdue:
                connection.shut()

    def cut(self) -> None:
        """Shut the connection down unless another call uses it by now; this wakes the reading thread."""
        with _ownership:
            self.overdue = True
            if self._connection is not None and self._connection.call is self:
                self._connection.shut()

    def end(self) -> None:
        """Release the connection."""
        with _ownership:
            connection, self._connection = self._connection, None
            if connection is not None and connection.call is self:
                connection.call = None
                connection.idle_since = time.monotonic()
                if connection.is_closed:
                    connection.drop_lifeline()


class Connection(HTTPConnection):
    """A connection with a lifeline: a duplicate of its socket that we keep until the call ends.

    urllib3 and http.client drop their own early: after the headers if the response says "Connection: close",
    and during a TLS handshake. A response that drips then could not be cut.
    """

    call: Call | None = None
    idle_since = 0.0
    _lifeline: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        # urllib3's own method gives each address the whole timeout, and name resolution has none.
        deadline = self.call.connect_deadline if self.call else time.monotonic()
        try:
            addresses = RESOLVER.resolve(self._dns_host, self.port, deadline - time.monotonic())
        except OSError as error:
            reason = error if isinstance(error, socket.gaierror) else socket.gaierror(socket.EAI_AGAIN)
            raise NameResolutionError(self.host, self, reason) from error
        failure: OSError = TimeoutError()
        for position, address in enumerate(addresses):
            share = (deadline - time.monotonic()) / (len(addresses) - position)
            if share <= 0:
                break
            try:
                sock = create_connection(
                    (address, self.port), share, self.source_address, self.socket_options
                )
            except OSError as error:
                failure = error
                continue
            self._tie_lifeline(sock)
            return sock
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "") from failure
        raise NewConnectionError(self, "") from failure

    def close(self) -> None:
        """Close the connection, and its lifeline once no call reads from it."""
        super().close()
        with _ownership:
            if self.call is None:
                self.drop_lifeline()

    def shut(self) -> None:
        """End all sending and receiving; the caller holds `_ownership`."""
        if self._lifeline is not None:
            with contextlib.suppress(OSError):  # The peer has closed it already.
                self._lifeline.shutdown(socket.SHUT_RDWR)

    def drop_lifeline(self) -> None:
        """Close the duplicate socket; the caller holds `_ownership`."""
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None

    def _tie_lifeline(self, sock: socket.socket) -> None:
        with _ownership:
            self.drop_lifeline()
            self._lifeline = sock.dup()
            if self.call is not None and self.call.overdue:
                self.shut()


class TlsConnection(Connection, HTTPSConnection):
    """A connection over TLS."""


class _Lending(HTTPConnectionPool):
    """A pool that assigns each connection to the call of the requesting thread."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        assert isinstance(connection, Connection)  # noqa: S101 - both pools below make no other
        call: Call = _here.call
        idle_seconds = time.monotonic() - connection.idle_since
        if not connection.is_closed and (call.fresh or idle_seconds > IDLE_LIMIT_SECONDS):
            connection.close()
        call.use(connection)
        return connection


class _PlainPool(_Lending):
    ConnectionCls = Connection


class _TlsPool(_Lending, HTTPSConnectionPool):
    ConnectionCls = TlsConnection


class Request(requests.PreparedRequest):
    """A request with its fields set directly: `prepare` costs as much CPU as sending."""

    target: str
    """Request target of a direct request, without a forwarding proxy."""


class Response(requests.Response):
    """A response with its status, headers and unread body, without the cookies and encoding of `requests`."""

    def __init__(self, request: requests.PreparedRequest, raw: Any) -> None:
        self.request = request
        self.raw = raw
        self.status_code = raw.status
        self.headers = raw.headers


class Adapter(HTTPAdapter):
    """Adapter with a single pool for one gateway; `requests` would look the pool up for every request."""

    pool_classes: ClassVar[Mapping[str, Any]] = {"http": _PlainPool, "https": _TlsPool}

    def __init__(self, base_url: str, proxy: str | None, pool_size: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool_size)
        self._base_url = base_url
        self._proxy = proxy
        self._forwarded = proxy is not None and base_url.startswith("http:")
        self._pool: HTTPConnectionPool | None = None
        self._making = threading.Lock()

    def send_for(self, call: Call, request: Request, *, connect_seconds: float, read_seconds: float) -> Any:
        """Send a request and return the response with its body unread."""
        _here.call = call
        try:
            timeout: Any = Timeout(connect=connect_seconds, read=read_seconds)
            return self.send(request, stream=True, timeout=timeout)
        finally:
            _here.call = None

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """Return the pool. It is created on first use, so that an invalid proxy address fails the request."""
        with self._making:
            if self._pool is None:
                manager = self.proxy_manager_for(self._proxy) if self._proxy else self.poolmanager
                manager.pool_classes_by_scheme = self.pool_classes
                tls = {"ssl_context": _tls_context()} if self._base_url.startswith("https:") else None
                self._pool = manager.connection_from_url(self._base_url, pool_kwargs=tls)
            return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ARG002
        """Return the request target: the whole URL for a forwarding proxy, otherwise the path."""
        assert isinstance(request, Request)  # noqa: S101 - only `send_for` sends
        return str(request.url) if self._forwarded else request.target

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> Response:
        """Return the response."""
        return Response(req, resp)

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing: the pool's own TLS context verifies certificates."""

    def close(self) -> None:
        """Close the pooled connections."""
        with self._making:
            if self._pool is not None:
                self._pool.close()
        super().close()


def _tls_context() -> ssl.SSLContext:
    # One context for all connections: loading the certificates takes 20 ms. The system's certificates are
    # trusted in addition to those of `requests`, so that a company's own CA installed on the host counts.
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
    return context
