"""Limits on the requests of one process to a gateway: concurrency, budgets per minute and Retry-After."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

from core.clock import Monotonic
from core.clock import monotonic as real_monotonic

IN_FLIGHT = 4
"""Concurrent requests of one process to a gateway (contract, section 9)."""
OF_PEOPLE = 2
"""How many of them may be users' requests: closing a frozen session takes 15 s, and probing must go on."""
BUDGET_SECONDS = 60.0
"""Sliding window of the budgets."""


class CallLimiter:
    """Limits the requests of this process to one gateway, across all clients. Thread-safe."""

    def __init__(
        self,
        count: int = IN_FLIGHT,
        of_people: int = OF_PEOPLE,
        *,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._free = count
        self._free_for_people = of_people
        self._people_waiting = 0
        self._changed = threading.Condition()
        self._left_alone_until: dict[str, float] = {}
        self._spent: dict[str, deque[float]] = {}

    def spend(self, budgets: Mapping[str, int]) -> float:
        """Count a request against budgets, which map a name to requests per minute.

        Return the seconds until all of them allow a request; 0 if the request was counted and may be sent.
        """
        with self._changed:
            now = self._monotonic()
            spent = [self._spent.setdefault(name, deque()) for name in budgets]
            for moments in spent:
                while moments and now - moments[0] >= BUDGET_SECONDS:
                    moments.popleft()
            waits = [
                moments[len(moments) - most] + BUDGET_SECONDS - now
                for moments, most in zip(spent, budgets.values(), strict=True)
                if len(moments) >= most
            ]
            if not waits:
                for moments in spent:
                    moments.append(now)
            return max(waits, default=0.0)

    def leave_alone(self, scope: str, seconds: float) -> None:
        """Block requests of this scope for `seconds`, as the gateway or its proxy demanded (Retry-After)."""
        self._left_alone_until[scope] = self._monotonic() + seconds

    def left_alone_seconds(self, scope: str) -> float:
        """Return the seconds for which requests of this scope are still blocked; 0 if they are allowed."""
        return max(0.0, self._left_alone_until.get(scope, 0.0) - self._monotonic())

    def take(self, slot: CallSlot, timeout_seconds: float) -> bool:
        """Wait until `slot` may send a request; return False after the timeout or if the slot is closed."""
        with self._changed:
            self._people_waiting += slot.is_for_people
            self._changed.wait_for(lambda: slot.closed or self._is_free(slot), timeout_seconds)
            self._people_waiting -= slot.is_for_people
            # Wake the probes that gave way to a user's request.
            self._changed.notify_all()
            if slot.closed or not self._is_free(slot):
                return False
            self._free -= 1
            self._free_for_people -= slot.is_for_people
            return True

    def give_back(self, slot: CallSlot) -> None:
        """End a request that `take` allowed."""
        with self._changed:
            self._free += 1
            self._free_for_people += slot.is_for_people
            self._changed.notify_all()

    def close(self, slot: CallSlot) -> None:
        """Close the slot; its waiting and later requests are refused."""
        with self._changed:
            slot.closed = True
            self._changed.notify_all()

    def _is_free(self, slot: CallSlot) -> bool:
        if slot.is_for_people:
            return self._free > 0 and self._free_for_people > 0
        # A probe is repeated anyway: users' requests take precedence.
        return self._free > 0 and not (self._people_waiting and self._free_for_people)


class CallSlot:
    """One client's access to a `CallLimiter`. Closing it ends the client's waits."""

    def __init__(self, limiter: CallLimiter, *, is_for_people: bool = False) -> None:
        self.is_for_people = is_for_people
        self.closed = False
        self._limiters = limiter

    def spend(self, budgets: Mapping[str, int]) -> float:
        """Count a request against budgets that all slots of the limiter share; see `CallLimiter.spend`."""
        return self._limiters.spend(budgets)

    def leave_alone(self, scope: str, seconds: float) -> None:
        """Block requests of this scope for `seconds`, for all slots of the limiter."""
        self._limiters.leave_alone(scope, seconds)

    def left_alone_seconds(self, scope: str) -> float:
        """Return the seconds for which requests of this scope are still blocked; 0 if they are allowed."""
        return self._limiters.left_alone_seconds(scope)

    def take(self, timeout_seconds: float) -> bool:
        """Wait until a request may be sent; return False after the timeout or if the slot is closed."""
        return self._limiters.take(self, timeout_seconds)

    def give_back(self) -> None:
        """End a request that `take` allowed."""
        self._limiters.give_back(self)

    def close(self) -> None:
        """Close the slot; waiting and later requests are refused."""
        self._limiters.close(self)
