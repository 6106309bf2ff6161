import logging
import stat
from pathlib import Path

import pytest
from auth_world import World

from dashboard.auth.links import FILE_NAME, LinkInvalidError, deliver, make_link, withdraw
from dashboard.auth.users import Account, Role

ADDRESS = "http://127.0.0.1:8501/sign-in/link#the-token"


def invited(world: World, name: str = "rui") -> str:
    """Add a user and return the token of their link."""
    token, link = make_link(world.clock())
    world.users.create(name, Role.VIEWER, link=link)
    return token


def test_right_token_gives_a_grant_to_create_the_administrator(tmp_path: Path) -> None:
    links = World(tmp_path).links

    grant = links.of(links.exchange(links.issue()))

    assert grant is not None
    assert grant.account is None


def test_users_token_gives_a_grant_for_their_account(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = invited(world, "Rui")

    grant = world.links.of(world.links.exchange(token))

    assert grant is not None
    assert grant.account == "rui"


def test_grants_differ_by_browser(tmp_path: Path) -> None:
    links = World(tmp_path).links
    token = links.issue()

    assert links.exchange(token) != links.exchange(token)


@pytest.mark.parametrize("token", ["", "guessed"])
def test_wrong_token_gives_nothing(tmp_path: Path, token: str) -> None:
    world = World(tmp_path)
    world.links.issue()
    invited(world)

    assert world.links.exchange(token) is None
    assert world.links.of(token) is None


def test_no_token_fits_before_a_link_is_made(tmp_path: Path) -> None:
    assert World(tmp_path).links.exchange("") is None


def test_first_link_is_valid_for_a_day(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = world.links.issue()
    world.clock.advance(hours=23, minutes=59)
    before = world.links.exchange(token)

    world.clock.advance(minutes=1)

    assert before is not None
    assert world.links.exchange(token) is None


def test_users_link_is_valid_for_three_days(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = invited(world)
    world.clock.advance(hours=71, minutes=59)
    before = world.links.exchange(token)

    world.clock.advance(minutes=1)

    assert before is not None
    assert world.links.exchange(token) is None
    assert world.links.of(before) is None


def test_grant_is_valid_for_half_an_hour(tmp_path: Path) -> None:
    world = World(tmp_path)
    grant = world.links.exchange(world.links.issue())

    world.clock.advance(minutes=30)

    assert world.links.of(grant) is None


def test_new_first_link_makes_the_old_one_and_its_grants_worthless(tmp_path: Path) -> None:
    links = World(tmp_path).links
    old = links.issue()
    grant = links.exchange(old)

    links.issue()

    assert links.exchange(old) is None
    assert links.of(grant) is None


def test_used_up_first_link_is_worthless_and_those_of_users_are_not(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = world.links.issue()
    grant = world.links.exchange(token)
    other = world.links.exchange(invited(world))

    world.links.invalidate()

    assert world.links.exchange(token) is None
    assert world.links.of(grant) is None
    assert world.links.of(other) is not None


def test_of_two_browsers_with_one_link_the_first_sets_the_password(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = invited(world)
    one, two = (world.links.of(world.links.exchange(token)) for _ in range(2))
    assert one
    assert two

    world.links.set_password(one, "the hash of the first")

    with pytest.raises(LinkInvalidError):
        world.links.set_password(two, "the hash of the second")
    assert user(world).password_hash == "the hash of the first"
    assert world.links.exchange(token) is None


def test_links_password_ends_the_sign_ins_under_the_old_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = invited(world)
    cookie = world.sign_ins.begin(user(world))
    grant = world.links.of(world.links.exchange(token))
    assert grant

    world.links.set_password(grant, "hash")

    assert world.sign_ins.user_of(cookie) is None


def test_newer_link_replaces_the_older(tmp_path: Path) -> None:
    world = World(tmp_path)
    old = invited(world)
    grant = world.links.exchange(old)
    token, link = make_link(world.clock())

    world.users.change("rui", lambda account: account.model_copy(update={"link": link}))

    assert world.links.exchange(old) is None
    assert world.links.of(grant) is None
    assert world.links.exchange(token) is not None


def test_link_of_a_removed_or_disabled_user_is_worthless(tmp_path: Path) -> None:
    world = World(tmp_path)
    removed, disabled = invited(world, "rui"), invited(world, "eva")
    grant = world.links.of(world.links.exchange(disabled))
    assert grant

    world.users.change("rui", lambda _account: None)
    world.users.change("eva", lambda account: account.model_copy(update={"disabled": True}))

    assert world.links.exchange(removed) is None
    assert world.links.exchange(disabled) is None
    with pytest.raises(LinkInvalidError):
        world.links.set_password(grant, "hash")


def test_store_holds_only_the_hash_of_a_token(tmp_path: Path) -> None:
    world = World(tmp_path)

    token = invited(world)

    assert token not in (tmp_path / "store" / "users.json").read_text()
    assert token not in repr(user(world))
    assert str(user(world).link).count("token_hash") == 0


def user(world: World) -> Account:
    account = world.users.find("rui")
    assert account
    return account


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
