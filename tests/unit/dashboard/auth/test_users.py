from pathlib import Path

import pytest
from auth_world import NAME, World

from core.exceptions import StoreError, VersionConflictError
from core.store import FileStore
from dashboard.auth.users import Role, Users


def test_first_user_is_an_administrator_and_found_in_any_case(tmp_path: Path) -> None:
    world = World(tmp_path)

    world.add_user()

    assert world.users.exist
    found = world.users.find("ANA")
    assert found is not None
    assert (found.name, found.role) == (NAME, Role.ADMINISTRATOR)


def test_an_account_of_the_same_name_is_not_taken_for_an_earlier_one(tmp_path: Path) -> None:
    earlier = World(tmp_path / "earlier").add_user()

    later = World(tmp_path / "later").add_user()

    assert later.name == earlier.name
    assert later.generation != earlier.generation


def test_second_first_user_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    with pytest.raises(VersionConflictError, match="an administrator exists already"):
        world.users.create_first("eve", "hash")

    assert world.users.find("eve") is None


def test_password_hash_is_not_in_the_repr(tmp_path: Path) -> None:
    account = World(tmp_path).add_user()

    assert "argon2" not in repr(account)


def test_user_of_another_process_is_known_after_a_refresh(tmp_path: Path) -> None:
    world = World(tmp_path)
    World(tmp_path).add_user()

    world.users.refresh()

    assert world.users.find(NAME) is not None


def test_ending_all_sign_ins_raises_the_generation(tmp_path: Path) -> None:
    world = World(tmp_path)
    account = world.add_user()

    world.users.end_all_sign_ins(account)

    found = world.users.find(NAME)
    assert found is not None
    assert found.generation == account.generation + 1


def test_newer_hash_replaces_only_the_password_that_was_checked(tmp_path: Path) -> None:
    world = World(tmp_path)
    account = world.add_user()
    world.users.replace_password_hash(account, "second")

    world.users.replace_password_hash(account, "third")

    found = world.users.find(NAME)
    assert found is not None
    assert found.password_hash == "second"


def test_unreadable_user_is_an_error_that_shows_no_hash(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.update("users", "ana", {"name": "ana", "password_hash": "$argon2id$x"}, expected_version=0)

    with pytest.raises(StoreError, match="the stored user 'ana' cannot be read") as caught:
        Users(store)

    assert "argon2id" not in str(caught.value)
