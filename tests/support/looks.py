"""The same screen in two tabs, at a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser

from tests.support.stack import Stack
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
