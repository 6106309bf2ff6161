"""Every page while stored data cannot be read: it says so, and shows what it knows."""

from __future__ import annotations

from typing import Any

import pytest
from page_world import FakeCore, open_page, session, shown
from streamlit.testing.v1 import AppTest

from core.exceptions import StoreError
from core.handoffs import Handoffs
from core.messages import Message, render
from dashboard.navigation import PAGES, SESSION, USERS
from tests.support.waiting import until

AWAY = Message("store.database_away")
SENTENCE = render(AWAY)


class AwayStore:
    """A store whose database is away, and of which nothing was read before."""

    notices = (AWAY,)

    def __getattr__(self, name: str) -> Any:
        raise StoreError(AWAY, operation=name)


@pytest.fixture
def away(core: FakeCore) -> FakeCore:
    core.store = AwayStore()  # type: ignore[assignment]
    core.handoffs = Handoffs(core.store, core.history.append)
    core.operations.error = StoreError(AWAY)
    core.shows(session("sales", "disconnected"), session("support", "connected"))
    return core


def says_so(app: AppTest) -> AppTest:
    assert not app.exception
    until(lambda: SENTENCE in shown(app.run()), what="the sentence")
    assert not app.exception
    return app


@pytest.mark.parametrize("page", [page.name for page in PAGES if page not in (SESSION, USERS)])
@pytest.mark.usefixtures("away")
def test_each_page_says_so(page: str) -> None:
    says_so(open_page(page))


@pytest.mark.usefixtures("away")
def test_a_session_is_shown_with_its_next_step_all_the_same() -> None:
    app = says_so(open_page("session", server="main", session="sales"))

    assert "repair-main-sales" in {button.key for button in app.button}
