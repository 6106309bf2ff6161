"""Expiry of open tabs whose sign-in a reverse proxy no longer confirms.

A proxy checks requests, not a websocket that is open already. Therefore every open page polls a small
resource (`page.js`), and a tab whose requests no longer carry its user's name is signed out: a user who is
removed at the proxy loses the open tabs as well.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GOOD_FOR_SECONDS = 150.0
"""Browsers run the timers of background tabs once a minute; two polls may fail."""


class ProxyLiveness:
    """The time of the last confirmed request per sign-in with open tabs. In memory only."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard_at: dict[str, float] = {}
        self._tabs: Counter[str] = Counter()

    def note(self, cookie: str) -> None:
        """Record that the proxy has just confirmed a request of this sign-in."""
        if cookie in self._tabs:
            self._heard_at[cookie] = self._clock()

    @contextmanager
    def open_tab(self, cookie: str) -> Iterator[None]:
        """Require confirmation for the sign-in while this tab is open."""
        # In this order, because `lapsed` is called from another thread.
        self._heard_at[cookie] = self._clock()
        self._tabs[cookie] += 1
        try:
            yield
        finally:
            self._tabs[cookie] -= 1
            if not self._tabs[cookie]:
                del self._tabs[cookie]
                self._heard_at.pop(cookie, None)

    def lapsed(self) -> list[str]:
        """Return the sign-ins with open tabs that have not been confirmed for `GOOD_FOR_SECONDS`."""
        now = self._clock()
        return [
            cookie for cookie in list(self._tabs) if now - self._heard_at.get(cookie, now) > GOOD_FOR_SECONDS
        ]
