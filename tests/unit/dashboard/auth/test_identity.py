from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.auth import identity
from dashboard.auth.users import Role, User


class Knows:
    """Says the same of every cookie, and remembers which it was asked about."""

    def __init__(self, user: User | None) -> None:
        self.user = user
        self.asked: list[str | None] = []

    def user_of(self, cookie: str | None) -> User | None:
        self.asked.append(cookie)
        return self.user

    def must_confirm(self, cookie: str | None) -> bool:
        self.asked.append(cookie)
        return self.user is None

    def refresh(self) -> None:
        """Nobody else changes users."""


def page() -> None:
    import streamlit as st

    from dashboard.auth.identity import current_user

    user = current_user()
    st.write(f"{user.name}, {user.role}" if user else "nobody")


@pytest.fixture(autouse=True)
def nobody_installed() -> Iterator[None]:
    yield
    identity.install(Knows(None))


def test_page_knows_who_is_signed_in() -> None:
    identity.install(Knows(User(name="Ana", role=Role.ADMINISTRATOR)))

    shown = AppTest.from_function(page, default_timeout=60).run()

    assert shown.markdown[0].value == "Ana, administrator"


def test_browser_without_cookie_is_asked_about_as_such() -> None:
    knows = Knows(None)
    identity.install(knows)

    shown = AppTest.from_function(page, default_timeout=60).run()

    assert shown.markdown[0].value == "nobody"
    assert knows.asked == [None]
