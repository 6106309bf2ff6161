"""What the exceptions of requests, urllib3 and the sockets below them mean, in words of ours.

Only the foreign class's name is kept: their messages repeat the URL, and the gateway's secret key travels
in URL paths.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
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
    """What a family of foreign exceptions means."""

    error: type[WppconnectError]
    sentence: str
    lost: bool = False
    """The connection was closed before the answer was complete: a GET may be repeated."""
    connected: bool = True
    """False: the request never left this machine."""


FAULTS: Final[tuple[tuple[tuple[type[BaseException], ...], Fault], ...]] = (
    # Foreign exceptions wrap one another; the first row that fits any of the chain decides, so what tells
    # most stands first.
    (
        (of_urllib3.NameResolutionError, socket.gaierror),
        Fault(ConnectError, "the gateway's host name cannot be resolved; check its address", connected=False),
    ),
    (
        (of_urllib3.ProxyError, of_requests.ProxyError),
        Fault(ConnectError, "the proxy does not connect us; check WPPCONNECT_PROXY", connected=False),
    ),
    (
        (of_urllib3.NewConnectionError, ConnectionRefusedError),
        Fault(
            ConnectError,
            "no connection to the gateway; check that it runs, and its address and port",
            connected=False,
        ),
    ),
    (
        (of_urllib3.ConnectTimeoutError, of_requests.ConnectTimeout),
        Fault(
            ConnectError,
            "the gateway does not accept connections in time; check its address and the firewalls between",
            connected=False,
        ),
    ),
    (
        (ssl.SSLError, of_urllib3.SSLError, of_requests.SSLError),
        Fault(
            ConnectError,
            "TLS failed; check http or https in the gateway's address, and its certificate",
            connected=False,
        ),
    ),
    (
        (of_urllib3.TimeoutError, of_requests.Timeout, TimeoutError),
        Fault(RequestTimeoutError, "no complete answer within the time budget"),
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
        Fault(ResponseError, "the answer breaks the rules of HTTP"),
    ),
    (
        # urllib3's and http.client's IncompleteRead are one family; RemoteDisconnected is a ConnectionError.
        (ConnectionError, http.client.IncompleteRead),
        Fault(ConnectError, "the connection was closed before the answer was complete", lost=True),
    ),
    (
        (http.client.HTTPException,),
        Fault(ResponseError, "what answers there does not speak HTTP as a gateway does; check the address"),
    ),
    (
        (of_urllib3.ProtocolError, of_requests.ConnectionError, of_requests.ChunkedEncodingError),
        Fault(ConnectError, "the connection was closed before the answer was complete", lost=True),
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
        Fault(
            ConnectError, "the gateway's or the proxy's address cannot be used; check both", connected=False
        ),
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
        Fault(TransportError, "the request could not be sent", connected=False),
    ),
    ((OSError,), Fault(ConnectError, "the network failed")),
)

UNKNOWN_FAULT = Fault(TransportError, "the request failed")


def diagnose(error: BaseException) -> tuple[Fault, str]:
    """Say what a foreign exception means, and name the class that tells it."""
    chain = list(_unfold(error))
    for kinds, fault in FAULTS:
        telling = next((one for one in chain if isinstance(one, kinds)), None)
        if telling is not None:
            return fault, type(telling).__name__
    return UNKNOWN_FAULT, type(error).__name__


def _unfold(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to those it wraps, innermost first: there the class says most."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one in found:
            continue
        found.append(one)
        # Not the context: that may be an error which our caller is just handling.
        inner = (getattr(one, "reason", None), one.__cause__, *one.args)
        waiting += [other for other in inner if isinstance(other, BaseException)]
    return reversed(found)
