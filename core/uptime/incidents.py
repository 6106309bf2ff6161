"""Incidents: outages and what was done about them.

Sessions that are lost together because of their gateway are one incident.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.models import HistoryEntry, Reason, Verdict
from core.reasons import Loss
from core.store import HistoryLog
from core.uptime.uptime import Outage

Key = tuple[str, str]
"""Gateway and session."""

SAME_LOSS = timedelta(minutes=1)
"""The longest time between the losses of two sessions that count as one loss of their gateway."""
AFTERMATH = timedelta(minutes=1)
"""An operation is recorded shortly after the recovery that it caused."""
RESPONSE_KINDS = frozenset({"alert", "operation", "handoff"})
"""The kinds of history entries that belong to an incident."""

_CODE_SHOWN = (Verdict.WAITING_FOR_QR, Verdict.WAITING_FOR_CODE)


@dataclass(frozen=True, slots=True)
class Incident:
    """An outage of one session, or of several sessions that were lost together with their gateway."""

    server: str
    outages: Mapping[str, Outage]
    """By session; never empty."""
    responses: tuple[HistoryEntry, ...] = ()
    """Acknowledgements, operations and hand-offs meanwhile, oldest first."""

    @property
    def sessions(self) -> tuple[str, ...]:
        """The sessions that were lost."""
        return tuple(self.outages)

    @property
    def since(self) -> datetime:
        """The first loss."""
        return min(one.since for one in self.outages.values())

    @property
    def until(self) -> datetime | None:
        """The end of the last outage; None while one lasts."""
        ends = [one.until for one in self.outages.values() if one.until is not None]
        return max(ends) if len(ends) == len(self.outages) else None

    @property
    def reason(self) -> Reason:
        """The reason of the first loss."""
        return min(self.outages.values(), key=lambda one: one.since).reason

    @property
    def loss(self) -> Loss:
        """The cause of the first loss."""
        return Loss.of(self.reason)

    @property
    def open_sessions(self) -> tuple[str, ...]:
        """The sessions whose outage lasts."""
        return tuple(name for name, one in self.outages.items() if one.until is None)

    @property
    def has_recovered(self) -> bool:
        """Whether every session is connected again."""
        return all(one.recovered for one in self.outages.values())

    @property
    def acknowledgement(self) -> HistoryEntry | None:
        """The first acknowledgement of its alert."""
        until = self.until
        return next(
            (
                one
                for one in self.responses
                if one.data.get("event") == "acknowledged" and (until is None or one.at <= until)
            ),
            None,
        )

    @property
    def code_shown_at(self) -> datetime | None:
        """When a QR code or pairing code was first offered; None if none was."""
        return self._first(*_CODE_SHOWN)

    @property
    def code_used_at(self) -> datetime | None:
        """When a phone first used a code, as far as the gateway tells; None if none did."""
        return self._first(Verdict.LINKING)

    def seconds(self, now: datetime) -> float:
        """Return the duration, until `now` if it still lasts."""
        return ((self.until or now) - self.since).total_seconds()

    def _first(self, *verdicts: Verdict) -> datetime | None:
        spans = (span for one in self.outages.values() for span in one.spans if span.verdict in verdicts)
        return min((span.since for span in spans), default=None)


@dataclass(frozen=True, slots=True)
class Totals:
    """Figures of several incidents."""

    count: int
    seconds: float
    """Sum of the durations."""
    mean_acknowledge_seconds: float | None
    """None if none was acknowledged."""
    mean_recovery_seconds: float | None
    """None if none has recovered."""


class ResponseLog:
    """The responses to outages, kept up to date from the history log. For use from one thread."""

    def __init__(self, history: HistoryLog) -> None:
        self._history = history
        self._added: Callable[[], Iterator[HistoryEntry]] | None = None
        self._known: list[HistoryEntry] = []

    def read(self, since: datetime) -> Sequence[HistoryEntry]:
        """Return the entries since a time, which must not go back from call to call. Raises StoreError."""
        if self._added is None:
            self._added = self._history.follow(since, kinds=RESPONSE_KINDS)
        self._known = [one for one in (*self._known, *self._added()) if one.at >= since]
        return self._known


def incidents(outages: Mapping[Key, Sequence[Outage]], entries: Iterable[HistoryEntry]) -> list[Incident]:
    """Return the incidents, open ones first, then the newest first.

    `entries` are those of `RESPONSE_KINDS`, in any order; others are ignored.
    """
    by_server: dict[str, list[tuple[str, Outage]]] = defaultdict(list)
    for (server, session), found in outages.items():
        by_server[server] += [(session, one) for one in found]
    # Under an empty session: the responses to the gateway's own alert.
    responses: dict[Key, list[HistoryEntry]] = defaultdict(list)
    of_interest = (one for one in entries if one.kind in RESPONSE_KINDS)
    for entry in sorted(of_interest, key=lambda one: one.at):
        if entry.server is not None:
            responses[entry.server, entry.session or ""].append(entry)
    made = [
        Incident(server, group, tuple(_responses(responses, server, group)))
        for server, found in by_server.items()
        for group in _groups(found)
    ]
    return sorted(made, key=lambda one: (one.until is None, one.since), reverse=True)


def totals(found: Sequence[Incident], now: datetime) -> Totals:
    """Return the figures of incidents; those that last count until `now`."""
    acknowledged = [
        (one.acknowledgement.at - one.since).total_seconds()
        for one in found
        if one.acknowledgement is not None
    ]
    recovered = [one.seconds(now) for one in found if one.has_recovered]
    return Totals(len(found), sum(one.seconds(now) for one in found), _mean(acknowledged), _mean(recovered))


def _groups(found: Iterable[tuple[str, Outage]]) -> Iterator[dict[str, Outage]]:
    """Yield the outages of each incident of a gateway, by session."""
    together: dict[str, Outage] = {}
    first: datetime | None = None
    for session, one in sorted(found, key=lambda pair: (pair[1].since, pair[0])):
        if Loss.of(one.reason) is not Loss.GATEWAY:
            yield {session: one}
            continue
        if first is None or one.since - first > SAME_LOSS or session in together:
            if together:
                yield together
            together, first = {}, one.since
        together[session] = one
    if together:
        yield together


def _responses(
    responses: Mapping[Key, Sequence[HistoryEntry]], server: str, group: Mapping[str, Outage]
) -> Iterator[HistoryEntry]:
    found = [
        entry
        for session, one in group.items()
        for entry in responses.get((server, session), ())
        if _is_within(entry, one)
    ]
    found += [
        entry
        for entry in responses.get((server, ""), ())
        if any(_is_within(entry, one) for one in group.values())
    ]
    yield from sorted(found, key=lambda entry: entry.at)


def _is_within(entry: HistoryEntry, outage: Outage) -> bool:
    """Return whether an entry was written during an outage or its aftermath."""
    return outage.since <= entry.at and (outage.until is None or entry.at <= outage.until + AFTERMATH)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
