"""Share a gateway's snapshot with other processes, and their requests for more frequent probes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote

from core.clock import Now, now
from core.disk import Stamp, read_stamp, read_stamped, replace_file
from core.exceptions import StoreError
from core.locks import ProcessLock
from core.models import Frozen, Reason, ServerSnapshot, SessionSnapshot, Verdict

_log = logging.getLogger(__name__)

Content = TypeVar("Content")
Known = TypeVar("Known", bound=Frozen)

SCHEMA_NUMBER: int = ServerSnapshot.model_fields["schema_number"].default

_OLDER_WORDS: dict[str, str] = {
    Verdict.LINKING: Verdict.UNKNOWN,
    Reason.CODE_SCANNED: Reason.NONE,
    Reason.CODE_USED: Reason.NONE,
    Reason.LINK_NOT_COMPLETED: Reason.CODE_EXPIRED,
}
"""Replacements for values that would make the whole snapshot unreadable to earlier releases."""
_WORD_FIELDS = ("verdict", "reason", "lost_reason")


class SnapshotExchange:
    """One small file per server and purpose in `directory`, private because it contains QR codes.

    Nothing is synced to disk: after a power loss the gateway is probed again.
    """

    def __init__(self, directory: Path, *, clock: Now = now) -> None:
        self._directory = directory
        self._clock = clock
        self._snapshots: dict[str, _SharedFile[ServerSnapshot]] = {}
        self._attention: dict[str, _SharedFile[dict[str, datetime]]] = {}
        self._encoded: dict[str, dict[str, tuple[SessionSnapshot, bytes]]] = {}
        """Each session as last published, by server and name: most are the same the next time."""

    def publish(self, snapshot: ServerSnapshot) -> None:
        """Publish the server's snapshot to all processes. Raises StoreError if it cannot be written."""
        file = self._snapshot_file(snapshot.server)
        encoded = {one.session: (one, self.encoded(one)) for one in snapshot.sessions}
        self._encoded[snapshot.server] = encoded
        rest = encode_gateway(snapshot)
        sessions = b",".join([content for _, content in encoded.values()])
        with file.lock:
            file.write(b'%s,"sessions":[%s]}' % (rest.removesuffix(b"}"), sessions))

    def read(self, server: str) -> ServerSnapshot | None:
        """Return the last published snapshot; None if there is none that this release can read."""
        return self._snapshot_file(server).read()

    def encoded(self, session: SessionSnapshot) -> bytes:
        """Return a session as it is published; encodes it once as long as it stays the same object."""
        known = self._encoded.get(session.server, {}).get(session.session)
        if known is not None and known[0] is session:
            return known[1]
        return _for_older_readers(session).model_dump_json().encode()

    def ask_attention(self, server: str, session: str, until: datetime) -> None:
        """Request that the server's prober probes the session every second or two until the given time."""
        file = self._attention_file(server)
        with file.lock:
            watched = self.attention(server)
            if session in watched and watched[session] >= until:
                return
            watched[session] = until
            content = {name: moment.astimezone(UTC).isoformat() for name, moment in watched.items()}
            file.write(json.dumps(content).encode())

    def attention(self, server: str) -> dict[str, datetime]:
        """Return the sessions under attention with its end, which lies in the future."""
        moment = self._clock()
        watched = self._attention_file(server).read() or {}
        return {session: until for session, until in watched.items() if until > moment}

    def _snapshot_file(self, server: str) -> _SharedFile[ServerSnapshot]:
        file = self._snapshots.get(server)
        if file is None:
            # setdefault: concurrent threads must share one object.
            file = self._snapshots.setdefault(
                server, _SharedFile(self._path("snapshot", server), parse_gateway)
            )
        return file

    def _attention_file(self, server: str) -> _SharedFile[dict[str, datetime]]:
        file = self._attention.get(server)
        if file is None:
            file = self._attention.setdefault(
                server, _SharedFile(self._path("attention", server), _parse_attention)
            )
        return file

    def _path(self, purpose: str, server: str) -> Path:
        return self._directory / f"{purpose}-{quote(server, safe='')}.json"


class _SharedFile(Generic[Content]):
    """A file that is replaced as a whole and parsed once per version; None if it cannot be read."""

    def __init__(self, path: Path, parse: Callable[[bytes], Content]) -> None:
        self.lock = ProcessLock(path.with_name(f"{path.name}.lock"))
        self._path = path
        self._parse = parse
        self._seen: tuple[Stamp, Content | None] | None = None
        self._problem = ""

    def write(self, content: bytes) -> None:
        replace_file(self._path, content, durable=False)

    def read(self) -> Content | None:
        try:
            stamp = read_stamp(self._path)
            seen = self._seen
            if seen and seen[0] == stamp:
                return seen[1]
            found = read_stamped(self._path)
        except StoreError as error:
            self._report(str(error))
            return None
        if found is None:
            return None
        content = self._parsed(found[1])
        self._seen = found[0], content
        return content

    def _parsed(self, content: bytes) -> Content | None:
        try:
            parsed = self._parse(content)
        except (ValueError, TypeError, AttributeError) as error:
            # Only the class: a parser's message quotes the content, which may hold a QR code.
            self._report(f"{self._path} holds what this release cannot read ({type(error).__name__})")
            return None
        self._problem = ""
        return parsed

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            _log.warning("shared_file_unreadable problem=%r", problem)


def encode_gateway(snapshot: ServerSnapshot) -> bytes:
    """Return a gateway's snapshot without its sessions."""
    return snapshot.model_copy(update={"sessions": ()}).model_dump_json(exclude={"sessions"}).encode()


def parse_gateway(content: bytes) -> ServerSnapshot:
    """Return a snapshot. Raises ValueError if it is none, or if a newer release wrote it."""
    snapshot = ServerSnapshot.model_validate_json(content)
    if snapshot.schema_number > SCHEMA_NUMBER:
        raise ValueError("written by a newer release")
    return snapshot.model_copy(
        update={"sessions": tuple(_with_newer_words(one) for one in snapshot.sessions)}
    )


def parse_session(content: bytes) -> SessionSnapshot:
    """Return a session's snapshot. Raises ValueError if it is none."""
    return _with_newer_words(SessionSnapshot.model_validate_json(content))


def shift_times(known: Known, by: timedelta) -> Known:
    """Shift every timestamp after a clock change, so that durations stay true."""
    update: dict[str, object] = {}
    for name, value in known:
        if isinstance(value, datetime):
            update[name] = value + by
        elif isinstance(value, Frozen):
            update[name] = shift_times(value, by)
    return known.model_copy(update=update)


def _for_older_readers(session: SessionSnapshot) -> SessionSnapshot:
    newer = {field: str(word) for field in _WORD_FIELDS if (word := getattr(session, field)) in _OLDER_WORDS}
    if not newer:
        return session
    older = {field: _OLDER_WORDS[word] for field, word in newer.items()}
    return session.model_copy(update={**older, "newer_words": newer})


def _with_newer_words(session: SessionSnapshot) -> SessionSnapshot:
    if not session.newer_words:
        return session
    types = {"verdict": Verdict, "reason": Reason, "lost_reason": Reason}
    exact = {field: types[field](word) for field, word in session.newer_words.items() if field in types}
    return session.model_copy(update={**exact, "newer_words": {}})


def _parse_attention(content: bytes) -> dict[str, datetime]:
    watched = {str(session): datetime.fromisoformat(until) for session, until in json.loads(content).items()}
    if any(until.tzinfo is None for until in watched.values()):
        raise ValueError("a moment without time zone")
    return watched
