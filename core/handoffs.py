"""Hand-offs: one-time links with which somebody who is not signed in links a phone to one session.

A link's token and the opening browser's cookie are capabilities: only their hashes are stored. Whatever
happens to a hand-off is written into the history under its maker's name.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from core.clock import Now
from core.clock import now as real_now
from core.exceptions import StoreError
from core.models import Frozen, HistoryEntry
from core.store import Store, Unreadable, modify
from core.store.protocol import Record

log = logging.getLogger(__name__)

SUBJECT = "handoffs"
"""Where the store keeps them."""
MINUTES = (5, 10, 15, 30, 60)
"""How long a link may be good for."""
STANDARD_MINUTES = 10
MOST_ROUNDS = 5
"""How many codes one hand-off may have the gateway make."""
LAST_CODE = timedelta(minutes=5)
"""So long at most a code that is on the screen outlives its link: it is good for 60 s, its use may show 10 s
later, and then WhatsApp may take 180 s to finish the link (contract, sections 6 and 13)."""
KEPT_AFTER_END = timedelta(hours=24)
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_CAPABILITY = re.compile(rf"([0-9a-f]{{16}})\.({_SECRET.pattern})")


class Event(StrEnum):
    """What is written into the history."""

    MADE = "made"
    OPENED = "opened"
    SCANNED = "scanned"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Handoff(Frozen):
    """One link as it stands."""

    id: str
    server: str
    session: str
    maker: str
    made_at: AwareDatetime
    expires_at: AwareDatetime
    token_hash: str = Field(repr=False)
    cookie_hash: str | None = Field(default=None, repr=False)
    """Of the one browser that opened the link."""
    opened_at: AwareDatetime | None = None
    rounds: int = 0
    end: Event | None = None
    """SCANNED, REVOKED or EXPIRED."""
    ended_at: AwareDatetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Tell whether it may still bring a code to a screen."""
        return self.end is None and now < self.expires_at

    def may_ask(self, now: datetime) -> bool:
        """Tell whether it may have the gateway make another code."""
        return self.is_good(now) and self.rounds < MOST_ROUNDS

    @property
    def over_at(self) -> datetime:
        """When it is over at the latest, for who has opened it: the code on the screen may be used."""
        return self.expires_at + LAST_CODE if self.opened_at is not None else self.expires_at

    def is_followed(self, now: datetime) -> bool:
        """Tell whether it is good, or the last code that it brought to a screen may still be used."""
        return self.end is None and now < self.over_at


class Handoffs:
    """Make, open, follow and end hand-offs; every method may raise StoreError."""

    def __init__(self, store: Store, record: Callable[[HistoryEntry], None], *, now: Now = real_now) -> None:
        self._store = store
        self._record = record
        self._now = now
        self._unreadable = Unreadable(log, "handoff_unreadable")

    def make(self, server: str, session: str, *, maker: str, minutes: int) -> tuple[Handoff, str]:
        """Return a new hand-off and its link's token; an earlier link for the session ends with this.

        Of two that are made at one moment the newer stays: each looks again after it has written its own.
        """
        for earlier in self._unended(server, session):
            self.revoke(earlier.id, actor=maker)
        number, token = secrets.token_hex(8), secrets.token_urlsafe(32)
        now = self._now()
        lifetime = timedelta(minutes=min(max(minutes, MINUTES[0]), MINUTES[-1]))
        made = Handoff(
            id=number,
            server=server,
            session=session,
            maker=maker,
            made_at=now,
            expires_at=now + lifetime,
            token_hash=_hash(token),
        )
        self._store.update(SUBJECT, number, made.model_dump(mode="json"), expected_version=0)
        self._tell(made, Event.MADE, maker, now)
        for older in sorted(self._unended(server, session), key=_age)[:-1]:
            self.revoke(older.id, actor=maker)
        return made, f"{number}.{token}"

    def open(self, token: str, *, browser: str = "") -> tuple[Handoff, str] | None:
        """Bind the link to the browser that is the first to open it; returns that browser's cookie.

        `browser` is a secret that a browser makes up: it may open the link once more if our first answer,
        with the cookie, was lost on its way.
        """
        found, secret = self._read(token)
        if found is None or not _matches(secret, found.token_hash):
            return None
        cookie = browser if _SECRET.fullmatch(browser) else secrets.token_urlsafe(32)
        now = self._now()
        opened: list[Handoff] = []
        is_first = False

        def bind(present: Handoff) -> Handoff:
            nonlocal is_first
            opened.clear()
            is_first = present.opened_at is None
            if present.is_good(now) and is_first:
                present = present.model_copy(update={"opened_at": now, "cookie_hash": _hash(cookie)})
            if present.is_good(now) and _matches(cookie, present.cookie_hash or ""):
                opened.append(present)
            return present

        self._change(found.id, bind)
        if not opened:
            return None
        if is_first:
            self._tell(opened[0], Event.OPENED, None, now)
        return opened[0], f"{found.id}.{cookie}"

    def held(self, cookie: str) -> Handoff | None:
        """Find the hand-off of the browser with this cookie: a followed one, or one that was scanned."""
        found, secret = self._read(cookie)
        if found is None or found.cookie_hash is None or not _matches(secret, found.cookie_hash):
            return None
        linked = found.end == Event.SCANNED and self._now() < found.over_at
        return found if linked or found.is_followed(self._now()) else None

    def begin_round(self, number: str) -> bool:
        """Count a code that the gateway is asked for; False when there were enough."""
        counted: list[bool] = []

        def count(present: Handoff) -> Handoff:
            counted[:] = [present.may_ask(self._now())]
            return present.model_copy(update={"rounds": present.rounds + counted[0]})

        self._change(number, count)
        return counted == [True]

    def revoke(self, number: str, *, actor: str) -> None:
        """Make a link worthless, opened or not; nothing happens to one that has ended."""
        self._end(number, Event.REVOKED, self._now(), actor)

    def newest(self, server: str, session: str) -> Handoff | None:
        """Return the session's good hand-off, else the latest that has ended; reads the store's cache."""
        found = [one for one in self._all() if (one.server, one.session) == (server, session)]
        return max(found, key=lambda one: (one.end is None, *_age(one)), default=None)

    def settle(
        self,
        connected_since: Callable[[str, str], datetime | None],
        is_linking: Callable[[str, str], bool],
        may_make: Callable[[str], bool],
    ) -> None:
        """End what was used, has expired or was made by somebody who may not make any more.

        A code that is being scanned or typed when its link expires may be used; no other follows. Forgets
        what ended long ago. Call it every second or so.
        """
        now = self._now()
        for one in self._all():
            if one.ended_at is not None:
                if now - one.ended_at > KEPT_AFTER_END:
                    modify(self._store, SUBJECT, one.id, lambda _present: None)
                continue
            since = connected_since(one.server, one.session)
            if one.opened_at is not None and since is not None and since >= one.opened_at:
                self._end(one.id, Event.SCANNED, since, None)
            elif not may_make(one.maker):
                self._end(one.id, Event.REVOKED, now, None)
            elif now >= one.over_at or (now >= one.expires_at and not is_linking(one.server, one.session)):
                self._end(one.id, Event.EXPIRED, one.expires_at, None)

    def _end(self, number: str, end: Event, at: datetime, actor: str | None) -> None:
        ended: list[Handoff] = []

        def finish(present: Handoff) -> Handoff:
            ended.clear()
            if present.end is not None:
                return present
            ended.append(present.model_copy(update={"end": end, "ended_at": at}))
            return ended[0]

        self._change(number, finish)
        for one in ended:
            self._tell(one, end, actor, at)

    def _change(self, number: str, change: Callable[[Handoff], Handoff]) -> None:
        def changed(value: dict[str, object] | None) -> dict[str, object] | None:
            present = _parse(value)
            return value if present is None else change(present).model_dump(mode="json")

        modify(self._store, SUBJECT, number, changed)

    def _read(self, capability: str) -> tuple[Handoff | None, str]:
        match = _CAPABILITY.fullmatch(capability)
        if match is None:
            return None, ""
        record = self._store.read(SUBJECT, match[1])
        return self._parse(match[1], record), match[2]

    def _all(self) -> list[Handoff]:
        records: dict[str, Record] = self._store.read_all(SUBJECT)
        found = (self._parse(number, record) for number, record in records.items())
        return [one for one in found if one is not None]

    def _parse(self, number: str, record: Record | None) -> Handoff | None:
        found = _parse(record.value if record else None)
        if found is None and record is not None:
            self._unreadable.report(self._store, number, record)
        return found

    def _unended(self, server: str, session: str) -> list[Handoff]:
        return [
            one for one in self._all() if (one.server, one.session) == (server, session) and one.end is None
        ]

    def _tell(self, handoff: Handoff, event: Event, actor: str | None, at: datetime) -> None:
        log.info("handoff_%s server=%s session=%s", event, handoff.server, handoff.session)
        entry = HistoryEntry(
            at=at,
            kind="handoff",
            server=handoff.server,
            session=handoff.session,
            actor=actor,
            data={"event": event.value, "maker": handoff.maker},
        )
        try:
            self._record(entry)
        except StoreError as error:
            log.warning("handoff_not_in_history problem=%r", error.message)


def _parse(value: dict[str, object] | None) -> Handoff | None:
    try:
        return Handoff.model_validate(value) if value else None
    except ValueError:
        return None


def _age(one: Handoff) -> tuple[datetime, str]:
    return one.made_at, one.id


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _matches(secret: str, known_hash: str) -> bool:
    return hmac.compare_digest(_hash(secret), known_hash)
