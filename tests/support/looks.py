"""The same screen at a desk and on a phone; `Visitor.look` looks at each by day and by night."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Browser, StorageState

from tests.support.stack import SESSION, Stack
from tests.support.visitor import Visitor


class Looks:
    """Two tabs of one person: what is done in one of them is seen in both."""

    def __init__(self, browser: Browser, product: Stack, signed_in: StorageState, story: str) -> None:
        self._story = story
        self.desk = Visitor(browser, product, "desktop", signed_in=signed_in)
        self.phone = Visitor(browser, product, "phone", scheme="dark", signed_in=signed_in)

    def __iter__(self) -> Iterator[Visitor]:
        return iter((self.desk, self.phone))

    def open(self, path: str) -> None:
        """Go to a path of the page in both tabs."""
        for tab in self:
            tab.open(path)

    def open_session(self, session: str = SESSION) -> None:
        """Follow the link that an alert carries in both tabs."""
        for tab in self:
            tab.open_session(session)

    def read(self, text: str) -> None:
        """Wait until both tabs say something."""
        for tab in self:
            tab.reads(text)

    def look(self, name: str, *, whole: bool = False) -> None:
        """Keep what both tabs show, and fail where somebody would be kept from using it."""
        for tab in self:
            tab.look(f"{self._story}/{name}", whole=whole)
            assert not tab.faults(), tab.faults()

    def close(self) -> None:
        """Close the tabs."""
        for tab in self:
            tab.close()
