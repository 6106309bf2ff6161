"""For how long an open tab may go on after the proxy's last word for its person.

A proxy that signs people in is asked about requests, not about a websocket that is open already. So every
open page asks for something small now and then (`page.js`), and a tab whose requests no longer carry its
person's name is signed out: whoever is taken out there is out here soon, too.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GOOD_FOR_SECONDS = 150.0
"""Browsers let tabs in the background run their timers once a minute; two of them may fail."""


class Vouches:
    """Until when each sign-in by a proxy's header holds for tabs that are open; memory only."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard_at: dict[str, float] = {}
        self._tabs: Counter[str] = Counter()

    def note(self, cookie: str) -> None:
        """The proxy has just let a request of this sign-in through, with its person's name."""
        if cookie in self._tabs:
            self._heard_at[cookie] = self._clock()

    @contextmanager
    def open_tab(self, cookie: str) -> Iterator[None]:
        """Hold the sign-in to it while this tab is open."""
        # In this order: `lapsed` is called from another thread.
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
        """Return the sign-ins with open tabs for which nobody has vouched for too long."""
        now = self._clock()
        return [
            cookie for cookie in list(self._tabs) if now - self._heard_at.get(cookie, now) > GOOD_FOR_SECONDS
        ]
