"""When each session of a gateway is due, without looking at all of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.settings.values import Settings

WATCHED_SECONDS = 1.0
LONGEST_ROUND_SECONDS = 120.0
"""Longest extension of a page response's validity when many pages respond slowly."""
OWN_CALL_SECONDS = 0.0016
"""Processor time of this process planned for a call: twice what it takes, so that half a core suffices."""


class OwnInterval:
    """The shortest interval at which this process can probe its gateways.

    `is_ours` returns whether it probes a gateway: machines that share a database share the gateways.
    """

    def __init__(self, settings: Settings, is_ours: Callable[[str], bool]) -> None:
        self._is_ours = is_ours
        self._counts = {
            server.name: sum(one.enabled for one in server.sessions)
            for server in settings.servers
            if server.enabled
        }

    def seconds(self, *, are_listed: bool) -> float:
        """Return the interval; `are_listed`: one call lists all states, and a probe is one call less."""
        sessions = sum(count for server, count in self._counts.items() if self._is_ours(server))
        return sessions * OWN_CALL_SECONDS * (1 if are_listed else 2)


@dataclass
class Schedule:
    """When a session is due, and in which executor."""

    position: int
    due: float
    asked: float | None = None
    is_hinted: bool = False
    """The session may have changed: probe it next, and publish the result at once."""
    slow_due: float = 0.0
    slow_tries: int = 0
    slow_seconds: float | None = None
    """Duration of the last check in the slow executor; None before the first."""


class Schedules:
    """The schedules of a gateway's sessions; used from one thread."""

    def __init__(self, names: Iterable[str], now: float) -> None:
        self.by_name = {name: Schedule(position, due=now) for position, name in enumerate(names)}
        self.suspects: dict[str, Schedule] = {}
        """Sessions whose page did not respond in time; the slow executor checks them until they do."""
        self._heap = [(one.due, one.position, name) for name, one in self.by_name.items()]
        """Sorted by time. An entry is void once its session has become due at another time."""

    def set_due(self, name: str, due: float) -> None:
        """Set when a session is due."""
        schedule = self.by_name[name]
        if due != schedule.due:
            schedule.due = due
            heapq.heappush(self._heap, (due, schedule.position, name))

    def begin_anew(self, now: float) -> None:
        """Make all sessions due now, as at the start."""
        for name, schedule in self.by_name.items():
            schedule.asked = None
            self.set_due(name, now)

    def take_due(
        self, now: float, interval_seconds: float, *, watched: Iterable[str], is_free: Callable[[str], bool]
    ) -> list[str]:
        """Return the sessions to probe now, and schedule their next probe. One in flight stays due.

        The probes are spread over the interval after the first round, so that the gateway gets no bursts.
        """
        taken = {name: None for name in watched if self._is_watched_due(name, now) and is_free(name)}
        busy = []
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            name = entry[2]
            if entry[0] != self.by_name[name].due:
                continue
            if is_free(name):
                taken[name] = None
            else:
                busy.append(entry)
        for entry in busy:
            heapq.heappush(self._heap, entry)
        for name in taken:
            schedule = self.by_name[name]
            spread = (schedule.position + 1) / len(self.by_name) if schedule.asked is None else 1.0
            schedule.asked = now
            self.set_due(name, now + interval_seconds * spread)
        return list(taken)

    def set_suspect(self, name: str, is_suspect: bool) -> None:
        """Set whether the slow executor checks a session's page."""
        if is_suspect:
            self.suspects[name] = self.by_name[name]
        else:
            self.suspects.pop(name, None)

    def slow_round_seconds(self, patience_seconds: float) -> float:
        """Return how long the slow executor takes for all suspects; `patience_seconds` for one unknown."""
        known = [one.slow_seconds for one in self.suspects.values()]
        return min(sum(patience_seconds if one is None else one for one in known), LONGEST_ROUND_SECONDS)

    def _is_watched_due(self, name: str, now: float) -> bool:
        schedule = self.by_name.get(name)
        return schedule is not None and schedule.asked is not None and now >= schedule.asked + WATCHED_SECONDS
