"""Rate limit against guessing: a few tries are free, then each doubles the wait of the one before."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from core.clock import Monotonic, monotonic

MAX_KEYS = 10_000
FORGET_AFTER_SECONDS = 3600.0


@dataclass
class _Tries:
    count: int
    last: float
    blocked_until: float
    subjects: dict[str, int] = field(default_factory=dict)


class RateLimit:
    """Count tries by key (an address, an account). Not thread-safe: used on the event loop only."""

    def __init__(
        self,
        *,
        free_tries: int,
        first_wait_seconds: float,
        max_wait_seconds: float,
        clock: Monotonic = monotonic,
    ) -> None:
        self._free_tries = free_tries
        self._first_wait = first_wait_seconds
        self._max_wait = max_wait_seconds
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait_seconds(self, key: str) -> float:
        """Return the seconds that this key has to wait before its next try; 0 if it may try now."""
        tries = self._current(key)
        return max(0.0, tries.blocked_until - self._clock()) if tries else 0.0

    def count(self, key: str, subject: str = "") -> None:
        """Count a try when it begins, not when it fails, so that concurrent tries count as well.

        `subject` is what was tried (such as a user name), where one key may try several: see `clear`.
        """
        moment = self._clock()
        tries = self._current(key) or _Tries(0, moment, moment)
        tries.count += 1
        tries.subjects[subject] = tries.subjects.get(subject, 0) + 1
        tries.last = moment
        beyond = tries.count - self._free_tries
        if beyond >= 0:
            tries.blocked_until = moment + min(self._first_wait * 2.0 ** min(beyond, 30), self._max_wait)
        self._tries[key] = tries
        self._tries.move_to_end(key)
        while len(self._tries) > MAX_KEYS:
            self._tries.popitem(last=False)

    def clear(self, key: str, subject: str = "") -> None:
        """Forget the tries of a key at one subject after a success; its tries at others stay."""
        tries = self._tries.get(key)
        if tries is None:
            return
        tries.count -= tries.subjects.pop(subject, 0)
        if not tries.subjects:
            del self._tries[key]
        elif tries.count < self._free_tries:
            tries.blocked_until = tries.last

    def _current(self, key: str) -> _Tries | None:
        tries = self._tries.get(key)
        if tries and self._clock() - tries.last > FORGET_AFTER_SECONDS:
            del self._tries[key]
            return None
        return tries
