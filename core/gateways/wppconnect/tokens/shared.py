"""Token records that all our processes share: tokens, rejections, and pauses after rejections.

A record is valid only for the address, secret key and token source it was created with: it carries their
fingerprint, so that the records of a changed secret are void at once.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from core.clock import Now
from core.exceptions import StoreError
from core.gateways.wppconnect.tokens.records import Origin, Pause, ServerEntry, SessionEntry
from core.models import Reason
from core.store.protocol import Store, modify

log = logging.getLogger(__name__)

OLDER_SUBJECT = "tokens"
"""Subject in which earlier releases kept the records of all gateways, each write rewriting all of them."""
SALT = "salt"
REMEMBERED_REJECTIONS = 8

FINGERPRINT_ROUNDS = 50_000
"""20 ms once per process: guessing the secret from the fingerprint must not be faster than from a token."""


Entry = TypeVar("Entry", SessionEntry, ServerEntry)


@dataclass(frozen=True)
class _Counts:
    """What was counted of a session."""

    failures: Mapping[str, int]
    renewals: int

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> _Counts:
        return cls(value.get("failures", {}), value.get("renewals", 0))


_NO_COUNTS = _Counts({}, 0)


class SharedTokens:
    """The records of one gateway. While the store fails, the records stay in memory, unshared."""

    def __init__(self, server: str, *, bound_to: str, store: Store, clock: Now) -> None:
        self._server = server
        self._subject = f"tokens.{server}"
        self._bound_to = bound_to
        self._store = store
        self._clock = clock
        self._memory: dict[str, dict[str, Any] | None] = {}
        self._binding = ""
        self._counted: tuple[str | None, dict[str, _Counts]] = None, {}
        """The counts by key, and the revision of the records that hold them."""
        self._failing = False
        self._has_moved = False

    @property
    def now(self) -> float:
        """Seconds since the epoch, since pauses are compared between processes."""
        return self._clock().timestamp()

    def session(self, session: str) -> SessionEntry:
        """Return a session's entry; an empty one if the stored entry belongs to another secret."""
        return self._bound(SessionEntry, self._read(self._key(session)))

    def server(self) -> ServerEntry:
        """Return the gateway's entry."""
        return self._bound(ServerEntry, self._read(self._server_key))

    def keep(self, session: str, token: str, origin: Origin, *, replaces_minted: bool = False) -> None:
        """Store an obtained token."""

        def change(value: dict[str, Any]) -> SessionEntry:
            value["renewals"] = value.get("renewals", 0) + 1
            before = self._bound(SessionEntry, value)
            return replace(before, token=token, origin=origin, replaces_minted=replaces_minted)

        self._change_session(session, change)

    def without_record(self, sessions: Iterable[str]) -> list[str]:
        """Return the sessions that have no record yet; none if the store fails."""
        self._move()
        try:
            known = self._store.read_all(self._subject)
        except StoreError as error:
            self._warn(error)
            return []
        return [one for one in sessions if self._key(one) not in known]

    def keep_new(self, minted: Mapping[str, str]) -> None:
        """Store the first tokens of sessions in one write."""
        values = {
            self._key(session): {
                "entry": asdict(SessionEntry(token=token)),
                "binding": self._fingerprint(),
                "renewals": 1,
            }
            for session, token in minted.items()
        }
        try:
            self._store.add(self._subject, values)
        except StoreError as error:
            self._warn(error)

    def drop(self, session: str, rejected: str, *, pause: bool = False, count: bool = True) -> SessionEntry:
        """Drop a rejected token and count the rejection once, however many callers report it."""
        mark = hashlib.sha256(rejected.encode()).hexdigest()[:16]

        def change(value: dict[str, Any]) -> SessionEntry:
            before = self._bound(SessionEntry, value)
            seen = value.get("rejections", [])
            if count and (mark not in seen or pause):
                _count(value, Reason.TOKEN_REJECTED)
            value["rejections"] = [*(one for one in seen if one != mark), mark][-REMEMBERED_REJECTIONS:]
            return replace(
                before,
                token=None,
                dropped_at=self.now,
                pause=Pause.after(before.pause, self.now) if pause else before.pause,
            )

        return self._change_session(session, change)

    def failures(self, session: str) -> dict[str, int]:
        """Return the failures by reason since the store was created, of any secret."""
        counted = self._counts(session).failures
        reasons = (Reason.TOKEN_REJECTED.value, Reason.SECRET_REJECTED.value)
        return {reason: counted.get(reason, 0) for reason in reasons}

    def renewals(self, session: str) -> int:
        """Return the number of tokens obtained so far."""
        return self._counts(session).renewals

    def secret_refused(self, session: str | None) -> None:
        """Start a pause for the whole gateway and count the rejection, unless a pause is running.

        Concurrent calls that report the same rejection thus count once.
        """
        has_begun = False

        def change(before: ServerEntry) -> ServerEntry:
            nonlocal has_begun
            has_begun = before.refusal is None or not before.refusal.left_seconds(self.now)
            return replace(before, refusal=Pause.after(before.refusal, self.now)) if has_begun else before

        self._change_server(change)
        if has_begun and session is not None:
            self._count_secret_rejected(session)

    def end_pause(self) -> None:
        """End the pause now, but keep the rejection on record."""

        def change(before: ServerEntry) -> ServerEntry:
            refusal = before.refusal and replace(before.refusal, until=min(before.refusal.until, self.now))
            return replace(before, refusal=refusal)

        if self.server().refusal is not None:
            self._change_server(change)

    def secret_accepted(self) -> None:
        """End the pause and clear the rejection."""
        if self.server().refusal is not None:
            self._change_server(lambda before: replace(before, refusal=None, accepted_at=self.now))

    def prefer_generated(self) -> None:
        """Record that this gateway accepts only its own tokens."""
        self._change_server(lambda before: replace(before, prefers_generated=True))

    def _count_secret_rejected(self, session: str) -> None:
        def change(value: dict[str, Any]) -> SessionEntry:
            _count(value, Reason.SECRET_REJECTED)
            return self._bound(SessionEntry, value)

        self._change_session(session, change)

    def _counts(self, session: str) -> _Counts:
        """Return a session's counts; the records are read only if one was written since."""
        self._move()
        key = self._key(session)
        try:
            # The revision first: a write in between changes it again and is noticed.
            revision = self._store.revision(self._subject)
            if revision != self._counted[0]:
                records = self._store.read_all(self._subject)
                self._counted = revision, {one: _Counts.of(record.value) for one, record in records.items()}
        except StoreError as error:
            self._warn(error)
            return _Counts.of(self._memory.get(key) or {})
        return self._counted[1].get(key, _NO_COUNTS)

    def _key(self, session: str) -> str:
        return f"session:{self._server}/{session}"

    @property
    def _server_key(self) -> str:
        return f"server:{self._server}"

    def _fingerprint(self) -> str:
        if not self._binding:
            salt = self._modify(SALT, lambda value: value or {"salt": secrets.token_hex(16)})["salt"]
            digest = hashlib.pbkdf2_hmac(
                "sha256",
                self._bound_to.encode(),
                bytes.fromhex(salt),
                FINGERPRINT_ROUNDS,
            )
            self._binding = digest.hex()[:16]
        return self._binding

    def _bound(self, kind: type[Entry], value: dict[str, Any] | None) -> Entry:
        """Return the parsed entry; an empty one if it belongs to another secret or cannot be parsed."""
        if value is not None and value.get("binding") == self._fingerprint():
            try:
                return kind.parse(value["entry"])
            except (KeyError, TypeError, ValueError):
                log.warning("token_record_unreadable server=%s", self._server)
        return kind()

    def _change_session(self, session: str, change: Callable[[dict[str, Any]], SessionEntry]) -> SessionEntry:
        def changed(value: dict[str, Any] | None) -> dict[str, Any]:
            value = value or {}
            value["entry"] = asdict(change(value))
            value["binding"] = self._fingerprint()
            return value

        return self._bound(SessionEntry, self._modify(self._key(session), changed))

    def _change_server(self, change: Callable[[ServerEntry], ServerEntry]) -> None:
        def changed(value: dict[str, Any] | None) -> dict[str, Any]:
            return {"entry": asdict(change(self._bound(ServerEntry, value))), "binding": self._fingerprint()}

        self._modify(self._server_key, changed)

    def _move(self) -> None:
        """Migrate this gateway's records of an earlier release; existing records take precedence."""
        if self._has_moved:
            return
        try:
            older = self._store.read_all(OLDER_SUBJECT)
            own = (self._server_key, self._key(""))
            ours = {key: one.value for key, one in older.items() if key == own[0] or key.startswith(own[1])}
            if ours and SALT in older:
                self._store.add(self._subject, {SALT: older[SALT].value, **ours})
                self._store.remove(OLDER_SUBJECT, ours)
        except StoreError as error:
            self._warn(error)
        else:
            self._has_moved = True

    def _read(self, key: str) -> dict[str, Any] | None:
        self._move()
        try:
            record = self._store.read(self._subject, key)
        except StoreError as error:
            self._warn(error)
            return self._memory.get(key)
        return record.value if record else None

    def _modify(self, key: str, change: Callable[[dict[str, Any] | None], dict[str, Any]]) -> dict[str, Any]:
        self._move()
        try:
            record = modify(self._store, self._subject, key, change)
        except StoreError as error:
            self._warn(error)
            value = change(self._memory.get(key))
        else:
            self._failing = False
            value = record.value if record else {}
        self._memory[key] = value
        return value

    def _warn(self, error: StoreError) -> None:
        if not self._failing:
            self._failing = True
            log.warning("token_store_failed server=%s problem=%s", self._server, error)


def _count(value: dict[str, Any], reason: Reason) -> None:
    failures = value.setdefault("failures", {})
    failures[reason.value] = failures.get(reason.value, 0) + 1
