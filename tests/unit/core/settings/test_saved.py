"""Edits of what the page saved, and how a change is told."""

import pytest

from core.settings.environment import load_environment
from core.settings.saved import SavedSettings, changed_fields

URL = "http://127.0.0.1:21465"
BCRYPT = "$2b$10$" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"
ENVIRONMENT = load_environment(
    {
        "WPPCONNECT_URL": URL,
        "WPPCONNECT_SECRET_KEY": "k3y-of-env",
        "WPPCONNECT_SESSIONS": "sales,support",
        "WPPCONNECT_INTERVAL_SECONDS": "7",
    }
)
NOTHING = SavedSettings()


def test_edits_leave_the_value_they_start_from_alone() -> None:
    NOTHING.with_server("main", url="http://other").without_session("main", "sales")

    assert SavedSettings() == NOTHING


def test_removal_forgets_the_secret() -> None:
    assert (
        NOTHING.with_server("second", secret_key="gone").without_server("second").servers["second"].secret_key
        is None
    )


def test_pruning_forgets_what_says_nothing() -> None:
    saved = (
        NOTHING.with_server("main")
        .with_session("main", "sales")
        .without_session("main", "support")
        .without_session("main", "never-there")
        .without_server("second")
    )

    assert saved.pruned(ENVIRONMENT) == NOTHING.without_session("main", "support")


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        (NOTHING, NOTHING, ()),
        (NOTHING, NOTHING.with_program(interval_seconds=3), ("interval_seconds",)),
        (
            NOTHING,
            NOTHING.with_server("main", url=URL, secret_key="new"),
            ("servers.main.secret_key", "servers.main.url"),
        ),
        (
            NOTHING.with_server("main", secret_key="old"),
            NOTHING.with_server("main", secret_key="new"),
            ("servers.main.secret_key",),
        ),
        (NOTHING, NOTHING.with_session("main", "shop"), ("servers.main.sessions.shop",)),
        (
            NOTHING,
            NOTHING.with_session("main", "shop", enabled=False),
            ("servers.main.sessions.shop.enabled",),
        ),
        (NOTHING, NOTHING.without_session("main", "sales"), ("servers.main.sessions.sales",)),
        (
            NOTHING.with_server("second", url=URL),
            NOTHING.without_server("second"),
            ("servers.second", "servers.second.url"),
        ),
        (NOTHING.with_server("second", url=URL), NOTHING, ("servers.second.url",)),
    ],
    ids=[
        "nothing",
        "interval",
        "fields of a server",
        "a secret",
        "new session",
        "paused session",
        "removed session",
        "removed server",
        "reset",
    ],
)
def test_changes_are_named_without_values(
    before: SavedSettings, after: SavedSettings, fields: tuple[str, ...]
) -> None:
    assert changed_fields(before, after) == fields


def test_no_saved_secret_is_seen_in_a_representation() -> None:
    saved = NOTHING.with_server("main", secret_key="k3y-value", token="t0ken-value").with_session(
        "main", "sales", webhook="https://app/?key=hook-value"
    )

    assert "-value" not in f"{saved!r} {saved}"
