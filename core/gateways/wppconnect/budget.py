"""Limit the probe rate of a gateway: token checks must cost it no more than a tenth of a CPU core."""

from __future__ import annotations

from collections.abc import Iterable

CALLS_PER_PROBE = 2
"""The state and the page check."""
SHARE_OF_A_CORE = 0.1

_CHECK_SECONDS = {4: 0.004, 5: 0.005, 6: 0.007, 7: 0.011, 8: 0.018, 9: 0.030, 10: 0.058}
"""Gateway CPU seconds per token check, by bcrypt cost; measured for 4, 6, 8 and 10, interpolated between."""


def check_seconds(cost: int) -> float:
    """Return the gateway's CPU time for checking one token of the given bcrypt cost."""
    if cost in _CHECK_SECONDS:
        return _CHECK_SECONDS[cost]
    return _CHECK_SECONDS[4] if cost < 4 else _CHECK_SECONDS[10] * 2.0 ** (cost - 10)


def shortest_interval(costs: Iterable[int], are_listed: bool = False) -> float:
    """Return the shortest interval at which probing all sessions once stays within the budget.

    `are_listed`: the states of all sessions come with one call, so that a probe only checks the page.
    """
    return sum(map(check_seconds, costs)) * (1 if are_listed else CALLS_PER_PROBE) / SHARE_OF_A_CORE
