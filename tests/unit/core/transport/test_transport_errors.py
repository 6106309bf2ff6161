"""Every exception of the packages below the transport has a meaning of ours."""

from __future__ import annotations

import errno
import http.client
import inspect
import socket
from types import ModuleType

import pytest
import requests.exceptions
import urllib3.connection
import urllib3.exceptions

from core.exceptions import ConnectError, RequestTimeoutError, ResponseError, TransportError
from core.transport.errors import FAULTS, FOREIGN, UNKNOWN_FAULT, map_exception

ROOTS = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError)


def exceptions_of(module: ModuleType) -> list[type[Exception]]:
    return [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, Warning) and kind not in ROOTS
    ]


def is_from_below(kind: type[BaseException]) -> bool:
    return kind.__module__.split(".")[0] in ("requests", "urllib3", "http") and kind not in ROOTS


ALL = {
    f"{kind.__module__}.{kind.__name__}": kind
    for module in (requests.exceptions, urllib3.exceptions)
    for kind in exceptions_of(module)
    if is_from_below(kind)
}
MAPPED = {kind for kinds, _ in FAULTS for kind in kinds if is_from_below(kind)}


def test_the_list_of_foreign_exceptions_is_the_whole_list() -> None:
    assert len(ALL) > 45


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL.keys())
def test_every_foreign_exception_is_mapped(kind: type[Exception]) -> None:
    # `RequestException` is an OSError: the row of that one must not count as a mapping.
    assert MAPPED & set(kind.__mro__), f"say in errors.py what {kind.__name__} means"


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL.keys())
def test_every_foreign_exception_is_caught(kind: type[Exception]) -> None:
    assert issubclass(kind, FOREIGN)


@pytest.mark.parametrize(
    ("error", "expected", "name"),
    [
        pytest.param(
            requests.exceptions.ConnectionError(
                urllib3.exceptions.ProtocolError("x", http.client.RemoteDisconnected("y"))
            ),
            ConnectError,
            "RemoteDisconnected",
            id="closed without a byte",
        ),
        pytest.param(
            requests.exceptions.ConnectionError(
                urllib3.exceptions.ProtocolError("x", http.client.BadStatusLine("y"))
            ),
            ResponseError,
            "BadStatusLine",
            id="not HTTP",
        ),
        pytest.param(
            requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("x", TimeoutError())),
            RequestTimeoutError,
            "TimeoutError",
            id="sending took too long",
        ),
        pytest.param(socket.gaierror(), ConnectError, "gaierror", id="name unknown"),
        pytest.param(OSError(113, "No route to host"), ConnectError, "OSError", id="no route"),
        pytest.param(ValueError("anything"), TransportError, "ValueError", id="not met before"),
    ],
)
def test_the_telling_exception_of_the_chain_decides(
    error: Exception, expected: type[Exception], name: str
) -> None:
    fault, told_by = map_exception(error)

    assert fault.error is expected
    assert told_by == name


def test_an_error_that_the_caller_is_handling_does_not_count() -> None:
    try:
        try:
            raise TimeoutError
        except TimeoutError:
            raise requests.exceptions.InvalidURL("x")  # noqa: B904 - as a library below us would
    except requests.exceptions.InvalidURL as error:
        fault, told_by = map_exception(error)

    assert (fault.error, told_by) == (ConnectError, "InvalidURL")


def test_an_error_that_contains_itself_ends() -> None:
    error = urllib3.exceptions.HTTPError()
    error.args = (error,)

    assert map_exception(error) == (UNKNOWN_FAULT, "HTTPError")


@pytest.mark.parametrize(
    ("number", "message_id"),
    [
        (errno.ECONNREFUSED, "transport.refused"),
        (errno.ECONNRESET, "transport.closed_at_once"),
        (errno.ECONNABORTED, "transport.closed_at_once"),
        (errno.EHOSTUNREACH, "transport.no_route"),
        (errno.ENETUNREACH, "transport.no_route"),
        (errno.ENETDOWN, "transport.no_route"),
        (errno.EACCES, "transport.no_route"),
        (errno.EMFILE, "transport.not_sent"),
        (errno.ENFILE, "transport.not_sent"),
        (errno.ENOBUFS, "transport.not_sent"),
        (errno.EADDRNOTAVAIL, "transport.not_sent"),
    ],
    ids=lambda value: errno.errorcode.get(value),
)
def test_why_no_connection_comes_about_is_told(number: int, message_id: str) -> None:
    pool = urllib3.connection.HTTPConnection("gateway.example")
    failure = urllib3.exceptions.NewConnectionError(pool, "")
    failure.__cause__ = OSError(number, "")

    fault, _ = map_exception(requests.exceptions.ConnectionError(failure))

    assert (fault.error, fault.message_id) == (ConnectError, message_id)
    assert not fault.connected
