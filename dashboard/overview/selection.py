"""Filter, order and folding of the sessions in the overview. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from core.models import ServerSnapshot, SessionSnapshot, Verdict
from core.reasons import gateway_fault
from core.settings.values import SessionSettings, all_tags
from dashboard.formatting import by_name
from dashboard.words import LOOKS, look

VERDICTS = tuple(sorted(LOOKS, key=lambda verdict: LOOKS[verdict].urgency))
"""All verdicts, the most urgent first."""


@dataclass(frozen=True)
class Fold:
    """A gateway with a fault of its own, and the sessions that are lost by it: at most one problem."""

    gateway: ServerSnapshot
    fault: Verdict | None
    sessions: tuple[SessionSnapshot, ...]

    @property
    def in_maintenance(self) -> bool:
        """Whether the fault is no problem at present."""
        return self.gateway.maintenance_until is not None

    def covers(self, session: SessionSnapshot) -> bool:
        """Return whether a session of the gateway belongs to it."""
        is_excused = session.maintenance_until is not None
        return session.verdict is self.fault and is_excused == self.in_maintenance


Entry = SessionSnapshot | Fold


def entries(sessions: Iterable[SessionSnapshot], gateways: Iterable[ServerSnapshot]) -> list[Entry]:
    """Fold the sessions that are lost by a fault of their gateway, at the place of the first one.

    A gateway is folded if all of its lost sessions are given, at least two: a search lists what it finds.
    """
    given = list(sessions)
    found = {(one.server, one.session) for one in given}
    folds = {
        one.gateway.server: one
        for one in map(_fold, gateways)
        if len(one.sessions) > 1 and all((lost.server, lost.session) in found for lost in one.sessions)
    }
    return list(_folded(given, folds))


def _fold(gateway: ServerSnapshot) -> Fold:
    found = Fold(gateway, gateway_fault(gateway), ())
    return replace(found, sessions=tuple(filter(found.covers, gateway.sessions)))


def _folded(sessions: Iterable[SessionSnapshot], folds: dict[str, Fold]) -> Iterator[Entry]:
    left = dict(folds)
    for one in sessions:
        fold = folds.get(one.server)
        if fold is None or not fold.covers(one):
            yield one
        elif left.pop(one.server, None):
            yield fold


class Grouping(StrEnum):
    """What the list is grouped by."""

    GATEWAY = "gateway"
    TAG = "tag"


class Group(NamedTuple):
    """Entries with a common heading."""

    kind: Grouping
    name: str
    """"" for sessions without a tag."""
    entries: tuple[Entry, ...]

    @property
    def sessions(self) -> list[SessionSnapshot]:
        """All sessions of the group."""
        return [
            session for one in self.entries for session in (one.sessions if isinstance(one, Fold) else (one,))
        ]


def grouped(
    entries: Iterable[Entry], known: Mapping[tuple[str, str], SessionSettings], by: Grouping
) -> list[Group]:
    """Group entries in their order, so that the group with the first entry comes first.

    A session belongs to the group of its first tag, a gateway with a fault to its own.
    """
    words = {word.casefold(): word for word in all_tags(known.values())}
    found: dict[tuple[Grouping, str], list[Entry]] = {}
    for one in entries:
        if isinstance(one, Fold) or by is Grouping.GATEWAY:
            server = one.gateway.server if isinstance(one, Fold) else one.server
            key = Grouping.GATEWAY, server
        else:
            tags = _tags(known, one)
            key = Grouping.TAG, words[tags[0].casefold()] if tags else ""
        found.setdefault(key, []).append(one)
    return [Group(*key, tuple(members)) for key, members in found.items()]


def size(entry: Entry) -> int:
    """Return the number of an entry's sessions."""
    return len(entry.sessions) if isinstance(entry, Fold) else 1


def in_order(
    sessions: Iterable[SessionSnapshot], handled: Collection[tuple[str, str]] = ()
) -> list[SessionSnapshot]:
    """Sort problems first; of equal verdicts, those in `handled` (acknowledged) last."""
    return sorted(
        sessions,
        key=lambda one: (
            look(one).urgency,
            (one.server, one.session) in handled,
            by_name(one.server),
            by_name(one.session),
        ),
    )


def chosen(
    sessions: Iterable[SessionSnapshot],
    known: Mapping[tuple[str, str], SessionSettings],
    *,
    text: str = "",
    server: str = "",
    tag: str = "",
    verdicts: Collection[str] = (),
) -> list[SessionSnapshot]:
    """Filter sessions by gateway, tag, verdicts, and words that occur in what is known of a session."""
    words = text.casefold().split()
    return [
        one
        for one in sessions
        if (not server or one.server == server)
        and (not verdicts or one.verdict in verdicts)
        and (not tag or tag.casefold() in map(str.casefold, _tags(known, one)))
        and all(word in _searched(known, one) for word in words)
    ]


def _tags(known: Mapping[tuple[str, str], SessionSettings], session: SessionSnapshot) -> tuple[str, ...]:
    settings = known.get((session.server, session.session))
    return settings.tag_words if settings else ()


def _searched(known: Mapping[tuple[str, str], SessionSettings], session: SessionSnapshot) -> str:
    settings = known.get((session.server, session.session))
    typed = f"{settings.label} {settings.owner} {settings.tags}" if settings else ""
    return f"{session.session} {session.server} {typed}".casefold()


def present(sessions: Sequence[SessionSnapshot], wanted: Collection[str]) -> dict[Verdict, int]:
    """Count the sessions by verdict, the most urgent first; wanted verdicts are included even with 0."""
    counts = Counter(one.verdict for one in sessions)
    return {one: counts[one] for one in VERDICTS if counts[one] or one in wanted}
