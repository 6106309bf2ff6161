import logging
import stat
from pathlib import Path

import pytest
from auth_world import Clock

from dashboard.auth.links import FILE_NAME, FirstSignInLink, deliver, withdraw

ADDRESS = "http://127.0.0.1:8501/sign-in/first#the-token"


def test_right_token_gives_a_grant() -> None:
    link = FirstSignInLink()

    grant = link.exchange(link.issue())

    assert link.accepts_grant(grant)


def test_grants_differ_by_browser() -> None:
    link = FirstSignInLink()
    token = link.issue()

    assert link.exchange(token) != link.exchange(token)


@pytest.mark.parametrize("token", ["", "guessed"])
def test_wrong_token_gives_nothing(token: str) -> None:
    link = FirstSignInLink()
    link.issue()

    assert link.exchange(token) is None
    assert not link.accepts_grant(token)


def test_no_token_fits_before_a_link_is_made() -> None:
    assert FirstSignInLink().exchange("") is None


def test_link_is_valid_for_a_day() -> None:
    clock = Clock()
    link = FirstSignInLink(clock=clock.now)
    token = link.issue()
    clock.advance(hours=23, minutes=59)
    before = link.exchange(token)

    clock.advance(minutes=1)

    assert before is not None
    assert link.exchange(token) is None


def test_grant_is_valid_for_half_an_hour() -> None:
    clock = Clock()
    link = FirstSignInLink(clock=clock.now)
    grant = link.exchange(link.issue())

    clock.advance(minutes=30)

    assert not link.accepts_grant(grant)


def test_new_link_makes_the_old_one_and_its_grants_worthless() -> None:
    link = FirstSignInLink()
    old = link.issue()
    grant = link.exchange(old)

    link.issue()

    assert link.exchange(old) is None
    assert not link.accepts_grant(grant)


def test_used_up_link_is_worthless() -> None:
    link = FirstSignInLink()
    token = link.issue()
    grant = link.exchange(token)

    link.use_up()

    assert link.exchange(token) is None
    assert not link.accepts_grant(grant)


def test_terminal_gets_the_link_and_no_file_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(ADDRESS, to_terminal=True, directory=tmp_path)

    assert ADDRESS in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_without_terminal_the_link_is_in_a_file_of_ours_and_the_log_names_only_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "data" / FILE_NAME

    with caplog.at_level(logging.INFO):
        deliver(ADDRESS, to_terminal=False, directory=tmp_path / "data")

    assert file.read_text() == f"{ADDRESS}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert capsys.readouterr().out == ""
    assert str(file) in caplog.text
    assert "the-token" not in caplog.text


def test_older_file_is_replaced_whatever_its_mode(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_text("old")
    file.chmod(0o644)

    deliver(ADDRESS, to_terminal=False, directory=tmp_path)

    assert file.read_text() == f"{ADDRESS}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_withdrawing_removes_the_file_and_minds_nothing_if_there_is_none(tmp_path: Path) -> None:
    deliver(ADDRESS, to_terminal=False, directory=tmp_path)

    withdraw(tmp_path)
    withdraw(tmp_path)

    assert list(tmp_path.iterdir()) == []
