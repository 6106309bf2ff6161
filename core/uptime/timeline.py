"""Build each session's timeline of verdicts from the history log. Pure functions."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from core.models import HistoryEntry, Reason, SessionSnapshot, Verdict
from core.uptime.verdict_log import KINDS, MONITORING, Start, Transition, read_start, read_transition

NO_GAP = timedelta(seconds=10)
"""Longest pause that counts as uninterrupted probing; heartbeats are 2 s apart.

A session that a new prober shows as unknown for less than this counts as unmeasured: its first probe is in
flight. Unknown for longer counts as unknown.
"""
MOMENT = timedelta(microseconds=1)


class Span(NamedTuple):
    """A period in one verdict."""

    since: datetime
    until: datetime
    verdict: Verdict | None
    """None if not measured."""
    reason: Reason = Reason.NONE
    """The verdict's reason at its start."""
    in_maintenance: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether the span counts as up or down."""
        return not self.in_maintenance and self.verdict not in (None, Verdict.PAUSED)

    @property
    def is_down(self) -> bool:
        """Whether the span is measured and not connected."""
        return self.is_measured and self.verdict is not Verdict.CONNECTED

    @property
    def seconds(self) -> float:
        """The span's duration."""
        return (self.until - self.since).total_seconds()


class Gap(NamedTuple):
    """A period in which a gateway was not probed."""

    since: datetime
    until: datetime


class Past:
    """Transitions and gaps from the log, in the order of writing; entries of other kinds are ignored.

    An entry replaces earlier ones with later times, which were written before the clock was set back.
    """

    def __init__(self, entries: Iterable[HistoryEntry] = ()) -> None:
        self.transitions: dict[tuple[str, str], list[Transition]] = defaultdict(list)
        self.gaps: dict[str, list[Gap]] = defaultdict(list)
        self._newest: dict[str, datetime] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: HistoryEntry) -> None:
        """Add one entry."""
        if entry.server is None or entry.kind not in KINDS:
            return
        if entry.kind == MONITORING:
            self._add_start(entry.server, read_start(entry))
        elif entry.session is not None:
            known = self.transitions[entry.server, entry.session]
            while known and known[-1].at > entry.at:
                known.pop()
            known.append(read_transition(entry))
        self._newest[entry.server] = entry.at

    def forget(self, before: datetime) -> None:
        """Drop everything before a time; the first transition that is kept names the verdict until then."""
        for transitions in self.transitions.values():
            del transitions[: bisect_left(transitions, before, key=_at)]
        for gaps in self.gaps.values():
            del gaps[: bisect_left(gaps, before, key=lambda gap: gap.until)]

    def _add_start(self, server: str, start: Start | None) -> None:
        if start is None:
            return
        # The last snapshot may be lost, as after restoring a backup: then the last entry of the log is the
        # last proof of probing.
        since = start.heartbeat or self._newest.get(server)
        known = self.gaps[server]
        while known and known[-1].until > start.at:
            known.pop()
        if since is not None and start.at - since >= NO_GAP:
            known.append(Gap(since, start.at))


def timeline(
    transitions: Sequence[Transition],
    gaps: Sequence[Gap],
    still: SessionSnapshot | None,
    *,
    heartbeat: datetime,
    now: datetime,
) -> tuple[Span, ...]:
    """Return one session's past as contiguous spans, oldest first, until `now`.

    `still` is the session's current snapshot, published at `heartbeat`; None for a session that has been
    removed, whose past ends with a pause right after its last transition. No span covers the time before
    the first known verdict.
    """
    changes = _changes(transitions, now)
    # A stale snapshot adds nothing to the log.
    if still is None:
        if changes:
            changes.append(_Change(changes[-1].at + MOMENT, _CHANGES, Verdict.PAUSED))
            now = changes[-1].at + MOMENT
    elif (
        still.reason != Reason.STALE and still.since <= now and (not changes or still.since > changes[-1].at)
    ):
        is_maintained = still.maintenance_until is not None
        changes.append(_Change(still.since, _CHANGES, still.verdict, still.reason, is_maintained))
    if now - heartbeat >= NO_GAP:
        gaps = [*gaps, Gap(heartbeat, now)]
    return _spans(sorted([*changes, *_unmeasured(changes, gaps)], key=_moment), now)


class _Change(NamedTuple):
    """The session's verdict from `at` on."""

    at: datetime
    order: int
    """Sort order of changes at the same time; the last one counts."""
    verdict: Verdict | None
    reason: Reason = Reason.NONE
    in_maintenance: bool = False


_RESUMES, _CHANGES, _PAUSES = 0, 1, 2


def _changes(transitions: Iterable[Transition], now: datetime) -> list[_Change]:
    changes: list[_Change] = []
    for one in transitions:
        if one.at > now:
            break
        # Usually the previous entry gives the earlier verdict; if it is missing, only this one does.
        if one.before is not None and (not changes or changes[-1].verdict != one.before):
            since = max(one.held_since, changes[-1].at) if changes else one.held_since
            changes.append(_Change(since, _CHANGES, one.before))
        if one.after is not None:
            is_maintained = one.maintenance_until is not None
            changes.append(_Change(one.at, _CHANGES, one.after, one.reason, is_maintained))
    return changes


def _unmeasured(changes: Sequence[_Change], gaps: Iterable[Gap]) -> Iterable[_Change]:
    """Yield the changes to "not measured" and back; a transition within a gap proves probing until then."""
    for gap in gaps:
        position = bisect_left(changes, gap.until, key=_at) - 1
        if position >= 0:
            before = changes[position]
            since = max(gap.since, before.at)
            if since < gap.until:
                yield _Change(since, _PAUSES, None)
                yield before._replace(at=gap.until, order=_RESUMES)


def _spans(changes: Sequence[_Change], now: datetime) -> tuple[Span, ...]:
    spans: list[Span] = []
    ends = [*(one.at for one in changes[1:]), now] if changes else []
    for change, end in zip(changes, ends, strict=True):
        if end <= change.at:
            continue
        verdict = None if _is_first_look(spans, change, end) else change.verdict
        last = spans[-1] if spans else None
        if last and (last.verdict, last.in_maintenance) == (verdict, change.in_maintenance):
            spans[-1] = last._replace(until=end)
        else:
            spans.append(Span(change.at, end, verdict, change.reason, change.in_maintenance))
    return tuple(spans)


def _is_first_look(spans: Sequence[Span], change: _Change, end: datetime) -> bool:
    """Return whether probing has just begun and the first probe is still in flight."""
    nobody_measured = not spans or spans[-1].verdict in (None, Verdict.PAUSED)
    return nobody_measured and change.verdict is Verdict.UNKNOWN and end - change.at < NO_GAP


def _moment(change: _Change) -> tuple[datetime, int]:
    return change.at, change.order


def _at(one: Transition | _Change) -> datetime:
    return one.at
