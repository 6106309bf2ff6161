"""From the history log to what each session was in, moment by moment; pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from core.models import HistoryEntry, Reason, SessionSnapshot, Verdict
from core.uptime.verdict_log import KINDS, MONITORING, Start, Transition, read_start, read_transition

NO_GAP = timedelta(seconds=10)
"""A prober that goes on within this time has measured without interruption: heartbeats are 2 s apart.

Nor has it measured, where it takes over, until its first probe is back; what stays unknown for longer is.
"""


class Span(NamedTuple):
    """A stretch of time in one verdict."""

    since: datetime
    until: datetime
    verdict: Verdict | None
    """None: nobody measured."""
    reason: Reason = Reason.NONE
    """Why that verdict, when it began."""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return (self.until - self.since).total_seconds()


class Gap(NamedTuple):
    """A time in which nobody probed a gateway."""

    since: datetime
    until: datetime


class Past:
    """What the log tells, in the order in which it was written; lines of any other kind are passed over.

    Of two moments the one that was written later counts: what claims to be newer than it was written before
    the clock was set back.
    """

    def __init__(self, entries: Iterable[HistoryEntry] = ()) -> None:
        self.transitions: dict[tuple[str, str], list[Transition]] = defaultdict(list)
        self.gaps: dict[str, list[Gap]] = defaultdict(list)
        self._newest: dict[str, datetime] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: HistoryEntry) -> None:
        """Take in one line."""
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
        """Let go of what lies before a moment; the first line that is kept tells what held until then."""
        for transitions in self.transitions.values():
            del transitions[: bisect_left(transitions, before, key=_at)]
        for gaps in self.gaps.values():
            del gaps[: bisect_left(gaps, before, key=lambda gap: gap.until)]

    def _add_start(self, server: str, start: Start | None) -> None:
        if start is None:
            return
        # The last snapshot may be lost, as after a backup was put back: then nobody can say that somebody
        # probed after the last line of the log.
        since = start.heartbeat or self._newest.get(server)
        known = self.gaps[server]
        while known and known[-1].until > start.at:
            known.pop()
        if since is not None and start.at - since >= NO_GAP:
            known.append(Gap(since, start.at))


def timeline(
    transitions: Sequence[Transition],
    gaps: Sequence[Gap],
    still: SessionSnapshot,
    *,
    heartbeat: datetime,
    now: datetime,
) -> tuple[Span, ...]:
    """Work out one session's past as spans without holes between them, oldest first, until `now`.

    `still` is what the session is in now, as published at `heartbeat`. Time before the first thing that is
    known is in no span.
    """
    changes = _changes(transitions, now)
    # A snapshot that is too old to be believed says nothing that the log does not say better.
    if still.reason != Reason.STALE and still.since <= now and (not changes or still.since > changes[-1].at):
        changes.append(_Change(still.since, _CHANGES, still.verdict, still.reason))
    if now - heartbeat >= NO_GAP:
        gaps = [*gaps, Gap(heartbeat, now)]
    return _spans(sorted([*changes, *_unmeasured(changes, gaps)], key=_moment), now)


class _Change(NamedTuple):
    """From `at` on, the session was in a verdict."""

    at: datetime
    order: int
    """Of several changes at one moment the last one in this order counts."""
    verdict: Verdict | None
    reason: Reason = Reason.NONE


_RESUMES, _CHANGES, _PAUSES = 0, 1, 2


def _changes(transitions: Iterable[Transition], now: datetime) -> list[_Change]:
    changes: list[_Change] = []
    for one in transitions:
        if one.at > now:
            break
        # What came before is told by two entries; where a line was lost, or this is the first, by this alone.
        if one.before is not None and (not changes or changes[-1].verdict != one.before):
            since = max(one.held_since, changes[-1].at) if changes else one.held_since
            changes.append(_Change(since, _CHANGES, one.before))
        if one.after is not None:
            changes.append(_Change(one.at, _CHANGES, one.after, one.reason))
    return changes


def _unmeasured(changes: Sequence[_Change], gaps: Iterable[Gap]) -> Iterable[_Change]:
    """Give the changes to "nobody measured" and back; what was written in such a time, somebody saw."""
    for gap in gaps:
        position = bisect_left(changes, gap.until, key=_at) - 1
        if position >= 0:
            before = changes[position]
            since = max(gap.since, before.at)
            if since < gap.until:
                yield _Change(since, _PAUSES, None)
                yield _Change(gap.until, _RESUMES, before.verdict, before.reason)


def _spans(changes: Sequence[_Change], now: datetime) -> tuple[Span, ...]:
    spans: list[Span] = []
    ends = [*(one.at for one in changes[1:]), now] if changes else []
    for change, end in zip(changes, ends, strict=True):
        if end <= change.at:
            continue
        verdict = None if _is_first_look(spans, change, end) else change.verdict
        if spans and spans[-1].verdict == verdict:
            spans[-1] = spans[-1]._replace(until=end)
        else:
            spans.append(Span(change.at, end, verdict, change.reason))
    return tuple(spans)


def _is_first_look(spans: Sequence[Span], change: _Change, end: datetime) -> bool:
    """Tell whether somebody has just begun to measure, and the first probe is not back."""
    nobody_measured = not spans or spans[-1].verdict in (None, Verdict.PAUSED)
    return nobody_measured and change.verdict is Verdict.UNKNOWN and end - change.at < NO_GAP


def _moment(change: _Change) -> tuple[datetime, int]:
    return change.at, change.order


def _at(one: Transition | _Change) -> datetime:
    return one.at
