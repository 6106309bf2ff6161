from __future__ import annotations

import asyncio
import contextlib
import socket

from simulator.request_log import LoggedRequest, RequestLog


class Connection(asyncio.Transport):
    """A connection that no event loop watches: nothing notices that its client has gone."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__({"socket": end})

    def is_closing(self) -> bool:
        return False


def test_client_that_gave_up_is_not_in_flight() -> None:
    log = RequestLog()
    with contextlib.ExitStack() as open_sockets:

        def connect() -> tuple[Connection, socket.socket]:
            ours, theirs = socket.socketpair()
            open_sockets.enter_context(ours)
            return Connection(ours), open_sockets.enter_context(theirs)

        def begin(connection: Connection) -> LoggedRequest:
            return log.begin(connection, "tester", "GET", "/healthz", None)

        (first, patient), (second, impatient), (third, _) = connect(), connect(), connect()
        entries = {first: begin(first), second: begin(second)}
        patient.send(b"of the next request")
        impatient.close()
        entries[third] = begin(third)

        assert (log.in_flight, log.max_in_flight) == (2, 2)
        for connection, entry in entries.items():
            log.end(connection, entry)
        assert log.in_flight == 0
