"""Map exceptions of requests, urllib3 and sockets to our errors and message ids.

Only the name of the original class is kept: the messages repeat the URL, and URL paths contain the
gateway's secret key.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import requests.exceptions as of_requests
import urllib3.exceptions as of_urllib3

from core.exceptions import ConnectError, RequestTimeoutError, ResponseError, TransportError, WppconnectError

FOREIGN = (
    of_requests.RequestException,
    of_urllib3.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)
"""Everything that sending a request may raise."""


@dataclass(frozen=True)
class Fault:
    """The meaning of a family of foreign exceptions."""

    error: type[WppconnectError]
    message_id: str
    lost: bool = False
    """The connection was closed before the response was complete: a GET may be repeated."""
    connected: bool = True
    """False: the request never left this machine."""


FAULTS: Final[tuple[tuple[tuple[type[BaseException], ...], Fault], ...]] = (
    # Foreign exceptions wrap one another. The first row that matches any exception of the chain decides, so
    # the most specific rows come first.
    (
        (of_urllib3.NameResolutionError, socket.gaierror),
        Fault(ConnectError, "transport.unresolved", connected=False),
    ),
    (
        (of_urllib3.ProxyError, of_requests.ProxyError),
        Fault(ConnectError, "transport.proxy_refuses", connected=False),
    ),
    ((ConnectionRefusedError,), Fault(ConnectError, "transport.refused", connected=False)),
    ((of_urllib3.NewConnectionError,), Fault(ConnectError, "transport.no_route", connected=False)),
    (
        (of_urllib3.ConnectTimeoutError, of_requests.ConnectTimeout),
        Fault(ConnectError, "transport.connect_timeout", connected=False),
    ),
    (
        # Connection closed during the handshake: an SSLError by class, but no TLS problem.
        (ssl.SSLEOFError, ssl.SSLZeroReturnError),
        Fault(ConnectError, "transport.closed_at_once", connected=False),
    ),
    (
        (ssl.SSLError, of_urllib3.SSLError, of_requests.SSLError),
        Fault(ConnectError, "transport.tls_failed", connected=False),
    ),
    (
        (of_urllib3.TimeoutError, of_requests.Timeout, TimeoutError),
        Fault(RequestTimeoutError, "transport.timeout"),
    ),
    (
        (
            of_urllib3.BodyNotHttplibCompatible,
            of_urllib3.DecodeError,
            of_urllib3.HeaderParsingError,
            of_urllib3.HostChangedError,
            of_urllib3.InvalidChunkLength,
            of_urllib3.ResponseError,
            of_urllib3.ResponseNotChunked,
            of_requests.ContentDecodingError,
            of_requests.InvalidJSONError,
            of_requests.StreamConsumedError,
            of_requests.TooManyRedirects,
        ),
        Fault(ResponseError, "transport.broken_http"),
    ),
    (
        # urllib3's and http.client's IncompleteRead are one family; RemoteDisconnected is a ConnectionError.
        (ConnectionError, http.client.IncompleteRead),
        Fault(ConnectError, "transport.closed_midway", lost=True),
    ),
    ((http.client.HTTPException,), Fault(ResponseError, "transport.not_http")),
    (
        (of_urllib3.ProtocolError, of_requests.ConnectionError, of_requests.ChunkedEncodingError),
        Fault(ConnectError, "transport.closed_midway", lost=True),
    ),
    (
        (
            of_urllib3.LocationValueError,
            of_urllib3.ProxySchemeUnsupported,
            of_requests.InvalidSchema,
            of_requests.InvalidURL,
            of_requests.MissingSchema,
            of_requests.URLRequired,
        ),
        Fault(ConnectError, "transport.address_unusable", connected=False),
    ),
    (
        (
            of_urllib3.InvalidHeader,
            of_urllib3.PoolError,
            of_urllib3.TimeoutStateError,
            of_urllib3.UnrewindableBodyError,
            of_requests.HTTPError,
            of_requests.InvalidHeader,
            of_requests.RetryError,
            of_requests.UnrewindableBodyError,
        ),
        Fault(TransportError, "transport.not_sent", connected=False),
    ),
    ((OSError,), Fault(ConnectError, "transport.network_failed")),
)

UNKNOWN_FAULT = Fault(TransportError, "transport.failed")

CERTIFICATE_FAULTS: Final[Mapping[int, str]] = {
    9: "transport.certificate_not_yet_valid",
    10: "transport.certificate_expired",
    18: "transport.certificate_unknown",
    19: "transport.certificate_unknown",
    20: "transport.certificate_unknown",
    21: "transport.certificate_unknown",
    62: "transport.certificate_other_name",
    64: "transport.certificate_other_name",
}
"""By OpenSSL's X509_V_ERR codes; 18 to 21 mean that no trusted authority has signed the certificate."""

CONNECT_FAULTS: Final[Mapping[int | None, str]] = {
    **dict.fromkeys((errno.ECONNRESET, errno.ECONNABORTED), "transport.closed_at_once"),
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL), "transport.not_sent"
    ),
}
"""Why no connection came about, where it is no matter of the way to the gateway: a peer that hangs up before
the connection is reported, and a machine of ours that has no room for another socket."""

PLAIN_ANSWER: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""OpenSSL's reasons for a response that is not TLS, usually plain HTTP."""

TLS_ALERT: Final = "\x15\x03"
"""The beginning of a TLS server's response to a plain HTTP request, if it sends one."""


def map_exception(error: BaseException) -> tuple[Fault, str]:
    """Return the fault that a foreign exception stands for, and the name of the class that decided it."""
    chain = list(_unfold(error))
    for kinds, fault in FAULTS:
        telling = next((one for one in chain if isinstance(one, kinds)), None)
        if telling is not None:
            return replace(fault, message_id=_refine(fault, telling)), type(telling).__name__
    return UNKNOWN_FAULT, type(error).__name__


def _refine(fault: Fault, telling: BaseException) -> str:
    """Return the message id, refined where one class covers several faults."""
    if isinstance(telling, of_urllib3.NewConnectionError):
        return CONNECT_FAULTS.get(getattr(telling.__cause__, "errno", None), fault.message_id)
    if isinstance(telling, ssl.SSLCertVerificationError):
        return CERTIFICATE_FAULTS.get(telling.verify_code, "transport.certificate_refused")
    if isinstance(telling, ssl.SSLError) and telling.reason in PLAIN_ANSWER:
        return "transport.http_on_https"
    if isinstance(telling, http.client.BadStatusLine) and str(telling.args[0]).startswith(TLS_ALERT):
        return "transport.https_on_http"
    return fault.message_id


def _unfold(error: BaseException) -> Iterator[BaseException]:
    """Return an exception and those it wraps, innermost first: the innermost class is the most specific."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one in found:
            continue
        found.append(one)
        # Skip the context: it may be an exception that the caller is handling.
        inner = (getattr(one, "reason", None), one.__cause__, *one.args)
        waiting += [other for other in inner if isinstance(other, BaseException)]
    return reversed(found)
