"""Connections to the database, shared by the threads of a process.

A statement is one message: several statements in it are one transaction, so that nothing stays locked when a
process or its network is gone. Statements are neither prepared nor dependent on a session's state, so that a
transaction pooler may stand in between.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, ReadOnlySqlTransaction

from core.disk import replace_file
from core.exceptions import ConfigurationError, StoreError
from core.locks import ProcessLock
from core.logs import register_secret
from core.messages import Message
from core.store.postgresql.schema import SCHEMA_NUMBER, migrate

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
ANSWER_SECONDS = 10.0
"""How long a statement may take. PostgreSQL ends a write after half of it, so that none comes true later."""
RETRY_SECONDS = 1.0
"""Between two attempts to reach a database that is away; calls in between fail at once."""
CHECK_SECONDS = 10.0
"""Between two checks of the schema, which a newer release may have migrated meanwhile."""
MOST_CONNECTIONS = 8
WRITE_PROBLEM_SECONDS = 60.0
"""How long a failed write is reported although reads succeed, unless a write succeeds."""
AWAY, REFUSED = "store.database_away", "store.database_refuses"
SERVER = "extract(epoch FROM pg_postmaster_start_time())::text"
"""Expression that differs after a failover, which may have taken back what was not replicated."""

Parameters = Mapping[str, Any]
Rows = list[tuple[Any, ...]]
RV = TypeVar("RV")

_IS_OURS = "SELECT FROM wppconnect_store WHERE schema = %(schema)s"
IS_OURS = f"EXISTS ({_IS_OURS})"
"""Condition of each writing statement: what an older release still writes is refused."""

_PRESENT = "SELECT schema, current_setting('transaction_read_only')::boolean FROM wppconnect_store"
_BEGIN = f"BEGIN; SET LOCAL statement_timeout = %(timeout)s; {_IS_OURS};"


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose statements have a time limit: a server that hangs answers no cancel request."""

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Run a step of the protocol within the time limit."""
        return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)


class Database:
    """Runs statements on a few connections; opens them on first use, and anew after a failure.

    `marker` is a file of the data folder, written at the first connection: the folder's records are in a
    database.
    """

    def __init__(self, url: str, *, marker: Path, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._options = _options(url)
        self._answer_seconds = answer_seconds
        self._marker = marker
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._problem: StoreError | None = None
        self._problem_until = 0.0
        self._is_down = False
        self._down_until = self._check_at = 0.0

    @property
    def problem(self) -> StoreError | None:
        """Why the database could not be used the last time; None if it could."""
        return self._problem

    def read(self, query: str, parameters: Parameters, *, operation: str) -> Rows:
        """Run a query and return its rows. Raises StoreError."""
        return self._run(query, parameters, operation, is_repeatable=True)[-1]

    def write(self, statement: str, parameters: Parameters, *, operation: str) -> Rows:
        """Run a statement in a transaction and return its rows; on return it is on disk. Raises StoreError.

        The statement must contain IS_OURS. After an error it may have taken effect.
        """
        parameters = {**parameters, "timeout": int(self._answer_seconds * 500)}
        for _ in range(2):
            try:
                results = self._run(
                    f"{_BEGIN} {statement}; COMMIT", parameters, operation, is_repeatable=False
                )
            except StoreError as error:
                if error.explanation.id != AWAY:
                    self._problem_until = time.monotonic() + WRITE_PROBLEM_SECONDS
                raise
            if results[0]:
                self._end_problem()
                return results[-1]
            self._check_at = 0.0  # the check names the newer schema
        raise _error(Message(AWAY), operation)

    def close(self) -> None:
        """Close the idle connections; a later statement opens a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _run(self, query: str, parameters: Parameters, operation: str, *, is_repeatable: bool) -> list[Rows]:
        if not self._slots.acquire(timeout=self._answer_seconds):
            raise _error(Message(AWAY), operation)
        try:
            connection = self._take_idle()
            if connection is not None:
                try:
                    return self._use(connection, query, parameters, operation)
                except StoreError:
                    # Of a server that was restarted, all connections are gone.
                    self.close()
                    if not is_repeatable:
                        raise
            return self._use(self._open(operation), query, parameters, operation)
        finally:
            self._slots.release()

    def _use(self, connection: _Connection, query: str, parameters: Parameters, operation: str) -> list[Rows]:
        with self._failing(operation, connection):
            if time.monotonic() >= self._check_at:
                self._check(connection, operation)
            results = _execute(connection, query, {**parameters, "schema": SCHEMA_NUMBER})
        if time.monotonic() >= self._problem_until:
            self._end_problem()
        with self._lock:
            self._idle.append(connection)
        return results

    def _take_idle(self) -> _Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not _has_news(connection):
                return connection
            connection.close()

    def _open(self, operation: str) -> _Connection:
        with self._lock:
            now = time.monotonic()
            if now < self._down_until and self._problem is not None:
                raise _error(self._problem.explanation, operation)
            if self._is_down:
                self._down_until = now + RETRY_SECONDS  # while this attempt lasts, others fail at once
        try:
            with self._failing(operation):
                connection = _Connection.connect(**self._options)
                connection.answer_seconds = self._answer_seconds
            with self._failing(operation, connection):
                self._check(connection, operation)
        except StoreError:
            with self._lock:
                self._is_down, self._down_until = True, time.monotonic() + RETRY_SECONDS
            raise
        with self._lock:
            self._is_down, self._down_until = False, 0.0
        return connection

    def _check(self, connection: _Connection, operation: str) -> None:
        """Migrate an older schema; refuse a newer one, and a standby."""
        check_at = time.monotonic() + CHECK_SECONDS
        try:
            ((found, is_read_only),) = _execute(connection, _PRESENT, {})[-1]
        except psycopg.errors.UndefinedTable:
            found, is_read_only = 0, False
        if is_read_only:
            raise _error(Message("store.database_read_only"), operation)
        if found < SCHEMA_NUMBER:
            found = migrate(connection)
        if found > SCHEMA_NUMBER:
            explanation = Message.of("store.database_newer", found=found, known=SCHEMA_NUMBER)
            raise _error(explanation, operation)
        self._write_marker()
        self._check_at = check_at

    def _write_marker(self) -> None:
        if not self._marker.exists():
            with ProcessLock(self._marker.with_name(f"{self._marker.name}.lock")):
                replace_file(self._marker, b"{}", durable=True)

    @contextmanager
    def _failing(self, operation: str, connection: _Connection | None = None) -> Iterator[None]:
        """Close the connection on any error; convert those of the library, which may repeat the address."""
        try:
            yield
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, psycopg.Error):
                error = _error(_explanation(error), operation)
            if isinstance(error, StoreError):
                self._keep(error)
                raise error from None
            raise

    def _end_problem(self) -> None:
        if self._problem is not None:
            _log.info("store_database_usable")
        self._problem, self._problem_until = None, 0.0

    def _keep(self, error: StoreError) -> None:
        if error.explanation.id == REFUSED:
            return  # one statement, which says nothing about the others
        if self._problem is None:
            _log.warning("store_database_failed problem=%s", error.explanation)
        self._problem = error


def _options(url: str) -> dict[str, Any]:
    """Return the connection's parameters; those in the address take precedence. Raises ConfigurationError."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Its text repeats parts of the address, and so perhaps of the password.
        raise ConfigurationError(
            ["WPPCONNECT_STORE_URL: is no PostgreSQL address; write postgresql://role:password@host/database"]
        ) from None
    register_secret(str(given.get("password") or ""))
    defaults = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "wppconnect-ops",
        "keepalives_idle": CONNECT_SECONDS,
        "tcp_user_timeout": int(ANSWER_SECONDS * 1000),
    }
    return {**defaults, **given, "autocommit": True, "cursor_factory": psycopg.ClientCursor}


def _execute(connection: _Connection, query: str, parameters: Parameters) -> list[Rows]:
    """Run one message and return the rows of each statement that has a result."""
    with connection.cursor() as cursor:
        cursor.execute(query.encode(), parameters)
        results = [cursor.fetchall()] if cursor.description is not None else []
        while cursor.nextset():
            if cursor.description is not None:
                results.append(cursor.fetchall())
    return results


def _has_news(connection: _Connection) -> bool:
    """Return whether an idle connection has something to read: PostgreSQL closed it, or is about to."""
    try:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    except (psycopg.Error, OSError, ValueError):
        return True


def _explanation(error: psycopg.Error) -> Message:
    match error:
        case ReadOnlySqlTransaction():
            return Message("store.database_read_only")
        case InsufficientPrivilege() | InvalidSchemaName():
            return Message("store.database_rights")
        case psycopg.Error(sqlstate=str(code)) if code.startswith("53"):
            return Message("store.database_full")
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return Message(AWAY)
        case _:
            return Message.of(REFUSED, code=error.sqlstate or type(error).__name__)


def _error(explanation: Message, operation: str) -> StoreError:
    return StoreError(explanation, operation=operation)
