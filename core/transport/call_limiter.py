"""A bounded number of places, with a wait that ends in time; and for how long the gateway is left alone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

from core.clock import Monotonic
from core.clock import monotonic as real_monotonic

IN_FLIGHT = 4
"""So many calls of one process a gateway gets at a time (contract, section 9)."""
OF_PEOPLE = 2
"""So many of them may be somebody's: closing a frozen session takes 15 s, and probing must go on."""
BUDGET_SECONDS = 60.0
"""A budget is so many requests within any such span."""


class CallLimiter:
    """The calls under way to one gateway, whoever in this process makes them."""

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
        """Count a request against budgets, each with its requests a minute.

        Return for how many seconds one of them is used up, 0 when the request may be made.
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
        """Make no call of this scope for so long: the gateway, or a proxy before it, asked for it."""
        self._left_alone_until[scope] = self._monotonic() + seconds

    def left_alone_seconds(self, scope: str) -> float:
        """Return how much longer no call of this scope is made."""
        return max(0.0, self._left_alone_until.get(scope, 0.0) - self._monotonic())

    def take(self, slot: CallSlot, timeout_seconds: float) -> bool:
        """Wait for a place; False when the time is over or the entrance is closed."""
        with self._changed:
            self._people_waiting += slot.is_for_people
            self._changed.wait_for(lambda: slot.closed or self._is_free(slot), timeout_seconds)
            self._people_waiting -= slot.is_for_people
            # Those who gave way may take what is left.
            self._changed.notify_all()
            if slot.closed or not self._is_free(slot):
                return False
            self._free -= 1
            self._free_for_people -= slot.is_for_people
            return True

    def give_back(self, slot: CallSlot) -> None:
        """Free a place that was taken."""
        with self._changed:
            self._free += 1
            self._free_for_people += slot.is_for_people
            self._changed.notify_all()

    def close(self, slot: CallSlot) -> None:
        """Let nobody in through this entrance any more."""
        with self._changed:
            slot.closed = True
            self._changed.notify_all()

    def _is_free(self, slot: CallSlot) -> bool:
        if slot.is_for_people:
            return self._free > 0 and self._free_for_people > 0
        # A probe comes again in any case; somebody who waits goes first.
        return self._free > 0 and not (self._people_waiting and self._free_for_people)


class CallSlot:
    """One client's way to a gateway's places; whoever waits there is let go when it closes."""

    def __init__(self, limiter: CallLimiter, *, is_for_people: bool = False) -> None:
        self.is_for_people = is_for_people
        self.closed = False
        self._limiters = limiter

    def spend(self, budgets: Mapping[str, int]) -> float:
        """Count a request against budgets that all entrances share."""
        return self._limiters.spend(budgets)

    def leave_alone(self, scope: str, seconds: float) -> None:
        """Make no call of this scope for so long, through whichever entrance."""
        self._limiters.leave_alone(scope, seconds)

    def left_alone_seconds(self, scope: str) -> float:
        """Return how much longer no call of this scope is made."""
        return self._limiters.left_alone_seconds(scope)

    def take(self, timeout_seconds: float) -> bool:
        """Wait for a place; False when the time is over or the entrance is closed."""
        return self._limiters.take(self, timeout_seconds)

    def give_back(self) -> None:
        """Free a place that was taken."""
        self._limiters.give_back(self)

    def close(self) -> None:
        """Let nobody in any more."""
        self._limiters.close(self)
