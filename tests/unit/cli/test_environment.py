from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from cli.environment import (
    actor,
    demo_environment,
    demo_problems,
    has_gateway,
    make_demo_secret,
    read_environment,
)
from core.exceptions import ConfigurationError

TOKEN = "$2b$10$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234"


def test_dotenv_file_keeps_the_dollar_signs_of_a_token(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"WPPCONNECT_TOKEN='{TOKEN}'\n")

    assert read_environment({}, tmp_path) == {"WPPCONNECT_TOKEN": TOKEN}


def test_variable_of_the_process_wins_over_the_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WPPCONNECT_URL=http://file:1\nWPPCONNECT_SESSIONS=sales\n")

    found = read_environment({"WPPCONNECT_URL": "http://process:2"}, tmp_path)

    assert found == {"WPPCONNECT_URL": "http://process:2", "WPPCONNECT_SESSIONS": "sales"}


def test_no_dotenv_file_is_needed(tmp_path: Path) -> None:
    assert read_environment({"A": "b"}, tmp_path) == {"A": "b"}


def test_unreadable_dotenv_file_is_named_without_its_content(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=1\nWPPCONNECT_SECRET_KEY=\xff\xfe")

    with pytest.raises(ConfigurationError) as caught:
        read_environment({}, tmp_path)

    assert caught.value.problems == (f"{tmp_path}/.env: line 2 is not UTF-8 text; save the file as UTF-8",)


def test_line_that_readers_of_the_file_take_differently_is_named_without_its_content(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "OTHER=${X}\nWPPCONNECT_SECRET_KEY=pa$$wordpa$$word0123456789\nWPPCONNECT_URL='http://a:1' # b\n"
    )

    with pytest.raises(ConfigurationError) as caught:
        read_environment({}, tmp_path)

    assert [problem.partition(";")[0] for problem in caught.value.problems] == [
        f"{tmp_path}/.env: line 2 holds a '$', which only Docker Compose replaces ($NAME, ${{NAME}}, $$)",
        f"{tmp_path}/.env: line 3 has a comment behind its value, which systemd keeps as part of it",
    ]


@pytest.mark.parametrize("url", ["", "  "])
def test_blank_address_names_no_gateway(url: str) -> None:
    assert not has_gateway({"WPPCONNECT_URL": url})


def test_secret_without_a_gateway_is_a_mistake_of_the_demo() -> None:
    assert demo_problems({"WPPCONNECT_SECRET_KEY": "hunter2hunter2"}) == [
        "WPPCONNECT_URL: is not set, but WPPCONNECT_SECRET_KEY is; set the gateway's address, or unset "
        "WPPCONNECT_SECRET_KEY for the demo"
    ]


def test_demo_points_both_sides_at_one_secret_file() -> None:
    found = demo_environment({}, gateway="http://127.0.0.1:21465", secret_file=Path("/data/demo-secret"))

    assert found == {
        "WPPCONNECT_URL": "http://127.0.0.1:21465",
        "WPPCONNECT_SESSIONS": "leguas_wppconnect",
        "WPPCONNECT_SECRET_KEY_FILE": "/data/demo-secret",
        "SIMULATOR_SECRET_KEY_FILE": "/data/demo-secret",
    }


def test_demo_takes_other_session_names() -> None:
    given = {"WPPCONNECT_SESSIONS": "sales,support"}

    found = demo_environment(given, gateway="http://127.0.0.1:21465", secret_file=Path("/data/demo-secret"))

    assert found["WPPCONNECT_SESSIONS"] == "sales,support"


def test_demo_secret_is_random_private_and_kept(tmp_path: Path) -> None:
    first = make_demo_secret(tmp_path).read_text()

    again = make_demo_secret(tmp_path)

    assert again.read_text() == first
    assert len(first.strip()) == 32
    assert again.stat().st_mode & 0o777 == 0o600
    assert make_demo_secret(tmp_path_of_another(tmp_path)).read_text() != first


def tmp_path_of_another(path: Path) -> Path:
    """Return a second data folder."""
    other = path / "other"
    other.mkdir()
    return other


def test_who_types_is_named_where_the_account_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    without_a_name = actor()

    monkeypatch.setenv("LOGNAME", "ana")

    assert (without_a_name, actor()) == ("cli", "cli (ana)")
