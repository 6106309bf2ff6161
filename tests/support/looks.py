"""The same screen in two tabs, at a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser

from tests.support.stack import SESSION, Stack
from tests.support.visitor import Visitor


@dataclass(frozen=True)
class Tabs:
    """Two tabs of one person, by day and by night: what is done in one of them is seen in both."""

    desk: Visitor
    phone: Visitor

    def __iter__(self) -> Iterator[Visitor]:
        return iter((self.desk, self.phone))

    def leave(self) -> None:
        """Go away from the page in both."""
        for tab in self:
            tab.leave()


@contextmanager
def open_tabs(browser: Browser, product: Stack) -> Iterator[Tabs]:
    """Sign the administrator in by the first link of a page that runs, and open another tab beside it."""
    desk = Visitor(browser, product, "desktop")
    assert product.page_process
    desk.sign_in_first(product.first_link(product.page_process))
    signed_in = desk.context.storage_state()
    phone = Visitor(browser, product, "phone", scheme="dark", signed_in=signed_in)
    # A tab that stays on the page sees how the next story kills it, and reports it in another one.
    desk.leave()
    yield Tabs(desk, phone)
    for tab in (desk, phone):
        tab.close()


class Looks:
    """What a story shows in both tabs."""

    def __init__(self, tabs: Tabs, story: str) -> None:
        self._tabs, self._story = tabs, story
        self.desk, self.phone = tabs

    def __iter__(self) -> Iterator[Visitor]:
        return iter(self._tabs)

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
        """Keep what is shown, and fail where somebody would be kept from using it."""
        self.phone.look(f"{self._story}/{name}", whole=whole)
        for tab in self:
            assert not tab.faults(), tab.faults()
