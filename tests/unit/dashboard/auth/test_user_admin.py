"""What administrators do with users."""

from __future__ import annotations

from pathlib import Path

import pytest
from auth_world import NAME, World

from core.store import FileStore
from dashboard.auth.user_admin import NameProblemError, NewLink, UserAdmin
from dashboard.auth.users import (
    Account,
    AuthMethod,
    LastAdministratorError,
    Role,
    UnknownUserError,
    Users,
    open_users,
)


def world_with_admin(directory: Path) -> tuple[World, UserAdmin]:
    """An administrator, and what they change users with."""
    world = World(directory)
    world.add_user()
    return world, UserAdmin(world.users, world.history, clock=world.clock)


def account(world: World, name: str) -> Account:
    found = world.users.find(name)
    assert found
    return found


def test_added_user_has_a_role_and_a_link_and_no_password(tmp_path: Path) -> None:
    world, user_admin = world_with_admin(tmp_path)

    link = user_admin.add("rui", Role.OPERATOR, by=NAME)

    assert isinstance(link, NewLink)
    assert world.links.exchange(link.token)
    assert account(world, "rui").role is Role.OPERATOR
    assert account(world, "rui").password_hash is None
    assert world.history[-1].data == {"change": "added", "user": "rui", "role": "operator"}
    assert link.token not in str(world.history)


@pytest.mark.parametrize("way", [AuthMethod.PROXY, AuthMethod.PROVIDER])
def test_user_of_a_single_sign_on_needs_no_link(tmp_path: Path, way: AuthMethod) -> None:
    world, user_admin = world_with_admin(tmp_path)

    assert user_admin.add("rui@example.org", Role.VIEWER, by=NAME, method=way) is None
    assert account(world, "rui@example.org").link is None


@pytest.mark.parametrize("name", ["", "a b", "-rui", "<b>", "=1+1", "ana\n", "\u0430na", "x" * 65])
def test_strange_names_are_refused(tmp_path: Path, name: str) -> None:
    _world, user_admin = world_with_admin(tmp_path)

    with pytest.raises(NameProblemError) as refused:
        user_admin.add(name, Role.VIEWER, by=NAME)

    assert not refused.value.taken


def test_a_name_is_taken_in_any_case(tmp_path: Path) -> None:
    _world, user_admin = world_with_admin(tmp_path)

    with pytest.raises(NameProblemError) as refused:
        user_admin.add("ANA", Role.VIEWER, by=NAME)

    assert refused.value.taken


def test_the_last_administrator_can_be_neither_demoted_nor_switched_off_nor_removed(tmp_path: Path) -> None:
    world, user_admin = world_with_admin(tmp_path)
    user_admin.add("invited", Role.ADMINISTRATOR, by=NAME)

    with pytest.raises(LastAdministratorError):
        user_admin.set_role(NAME, Role.OPERATOR, by=NAME)
    with pytest.raises(LastAdministratorError):
        user_admin.set_disabled(NAME, True, by=NAME)
    with pytest.raises(LastAdministratorError):
        user_admin.remove(NAME, by=NAME)

    assert account(world, NAME).administers


def test_another_administrator_frees_the_first(tmp_path: Path) -> None:
    world, user_admin = world_with_admin(tmp_path)
    world.users.create("rui", Role.ADMINISTRATOR, password_hash="hash")

    user_admin.remove(NAME, by="rui")

    assert world.users.find(NAME) is None


def test_two_administrators_cannot_remove_each_other_from_two_processes(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    one, two = open_users(store, tmp_path), open_users(FileStore(tmp_path / "store"), tmp_path)
    one.create("ana", Role.ADMINISTRATOR, password_hash="hash")
    one.create("rui", Role.ADMINISTRATOR, password_hash="hash")
    two.refresh()

    one.change("rui", lambda _account: None)

    # The second process still believes that there are two.
    assert two.find("rui")
    with pytest.raises(LastAdministratorError):
        two.change("ana", lambda _account: None)


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        pytest.param(
            lambda user_admin: user_admin.set_role("rui", Role.VIEWER, by=NAME), False, id="lower role"
        ),
        pytest.param(
            lambda user_admin: user_admin.set_role("rui", Role.ADMINISTRATOR, by=NAME), True, id="higher role"
        ),
        pytest.param(
            lambda user_admin: user_admin.set_disabled("rui", True, by=NAME), False, id="switched off"
        ),
        pytest.param(lambda user_admin: user_admin.remove("rui", by=NAME), False, id="removed"),
        pytest.param(lambda user_admin: user_admin.new_link("rui", by=NAME), True, id="a link was only made"),
    ],
)
def test_who_may_do_less_is_out_at_once(tmp_path: Path, change: object, stays: bool) -> None:
    world, user_admin = world_with_admin(tmp_path)
    cookie = world.sign_ins.begin(world.users.create("rui", Role.OPERATOR, password_hash="hash"))

    change(user_admin)  # type: ignore[operator]

    assert (world.sign_ins.user_of(cookie) is not None) is stays


def test_an_account_that_is_switched_on_again_needs_a_new_sign_in(tmp_path: Path) -> None:
    world, user_admin = world_with_admin(tmp_path)
    cookie = world.sign_ins.begin(world.users.create("rui", Role.OPERATOR, password_hash="hash"))

    user_admin.set_disabled("rui", True, by=NAME)
    user_admin.set_disabled("rui", False, by=NAME)

    assert world.sign_ins.user_of(cookie) is None
    assert not account(world, "rui").disabled


def test_switched_off_account_is_refused_in_the_words_of_a_wrong_password(tmp_path: Path) -> None:
    world, user_admin = world_with_admin(tmp_path)
    world.users.create("rui", Role.ADMINISTRATOR, password_hash=account(world, NAME).password_hash)
    user_admin.set_disabled(NAME, True, by="rui")

    answer = world.sign_in(world.browser())

    assert answer.status == 401
    assert "Name or password is wrong." in answer.text


def test_removed_and_added_again_is_another_user(tmp_path: Path) -> None:
    world, user_admin = world_with_admin(tmp_path)
    cookie = world.sign_ins.begin(world.users.create("rui", Role.OPERATOR, password_hash="hash"))

    user_admin.remove("rui", by=NAME)
    user_admin.add("rui", Role.OPERATOR, by=NAME)

    assert world.sign_ins.user_of(cookie) is None


def test_a_user_who_is_gone_cannot_be_changed(tmp_path: Path) -> None:
    _world, user_admin = world_with_admin(tmp_path)

    with pytest.raises(UnknownUserError):
        user_admin.set_role("eve", Role.VIEWER, by=NAME)


def test_users_of_an_earlier_release_are_read(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    value = {
        "name": "Ana",
        "role": "administrator",
        "password_hash": "hash",
        "generation": 7,
        "created_at": "2026-03-01T12:00:00Z",
    }
    store.update("users", "ana", value, expected_version=0)

    found = Users(store).find("ana")

    assert found
    assert found.way is AuthMethod.PASSWORD
    assert found.administers
