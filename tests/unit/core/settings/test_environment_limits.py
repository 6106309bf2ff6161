"""Secret keys, session names and tokens at the edge of what the gateway takes."""

from __future__ import annotations

import pytest

from core.exceptions import ConfigurationError
from core.settings.environment import CoreEnvironment, load_environment
from core.settings.loader import load_settings

URL = "http://127.0.0.1:21465"
BCRYPT = "$2b$10$abcdefghijklmnopqrstuuN0klmnopqrstuvwxyzABCDEFGHIJKLM"


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("b0abcdefghijklmnopqrstuuN0klmnopqrstuvwxyzABCDEFGHIJKLM", "whose beginning a shell took"),
        ("b0", "whose beginning a shell took"),
        (f"Bearer {BCRYPT}", "begins with the word Bearer"),
        ("$2b$10", "cut short, as Docker Compose does"),
        ("an-older-panels-api-key", "is a raw key"),
    ],
)
def test_mangled_token_is_called_what_it_is(token: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_environment({"WPPCONNECT_URL": URL, "WPPCONNECT_TOKEN": token})

    [problem] = caught.value.problems
    assert words in problem
    assert problem.endswith("or set the secret key") or words == "is a raw key"


@pytest.mark.parametrize(
    ("secret", "sessions", "warning"),
    [
        (
            "a" * 64,
            "sales,leguas_wppconnect",
            "last 9 of the key are not checked for leguas_wppconnect",
        ),
        ("k" * 68, "sales", "last 1 of the key are not checked for sales"),
        ("k" * 200, "sales", "last 133 of the key are not checked for sales"),
        ("k", "s" * 71, None),
        ("kk", "s" * 71, f"last 1 of the key are not checked for {'s' * 71}"),
    ],
)
def test_long_secret_key_works_and_is_warned_of(secret: str, sessions: str, warning: str | None) -> None:
    loaded = load_settings(
        CoreEnvironment,
        {"WPPCONNECT_URL": URL, "WPPCONNECT_SECRET_KEY": secret, "WPPCONNECT_SESSIONS": sessions},
    )

    assert loaded.problems == ()
    assert loaded.values.usable_sessions == tuple(sessions.split(","))
    assert [warning in found for found in loaded.warnings] == [True] if warning else loaded.warnings == ()


@pytest.mark.parametrize("name", ["x" * 72, "x" * 300, "a:b", "a b", "length", "ção", "../x"])
def test_name_that_cannot_be_used_costs_its_session_and_no_other(name: str) -> None:
    loaded = load_settings(
        CoreEnvironment,
        {
            "WPPCONNECT_URL": URL,
            "WPPCONNECT_SECRET_KEY": "k3y",
            "WPPCONNECT_SESSIONS": f"sales,{name},last",
        },
    )

    server = loaded.values.server
    assert server is not None
    assert [session.name for session in server.sessions] == ["sales", "last"]
    [warning] = loaded.warnings
    assert warning.startswith("WPPCONNECT_SESSIONS: ")
    assert warning.endswith("it is left out, and the others are watched")
