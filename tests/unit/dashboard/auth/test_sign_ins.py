from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from auth_world import NAME, World

from core.exceptions import StoreError
from core.store import FileStore, Record
from dashboard.auth.sign_ins import MAX_UNKNOWN, Lifetimes, SignIns
from dashboard.auth.users import Role, User

ANA = User(name=NAME, role=Role.ADMINISTRATOR)


class FullDisk(FileStore):
    """A store that can be read but no longer written."""

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        raise StoreError("no space left on device")


class Away(FileStore):
    """A store that can be read but not written for a while, and counts what is read."""

    is_away = False
    reads = 0

    def read(self, subject: str, key: str) -> Record | None:
        self.reads += 1
        return super().read(subject, key)

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        self._check()
        return super().update(subject, key, value, expected_version=expected_version)

    def remove(self, subject: str, keys: Collection[str]) -> None:
        self._check()
        super().remove(subject, keys)

    def _check(self) -> None:
        if self.is_away:
            raise StoreError("the database does not answer")


class TakenLock:
    """A lock that somebody else holds, and how long it was waited for."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def acquire(self, *, timeout: float) -> bool:
        self.waits.append(timeout)
        return False


class EndedMeanwhile(FileStore):
    """A store whose reader is overtaken by somebody else."""

    overtake: Callable[[], None] | None = None

    def read(self, subject: str, key: str) -> Record | None:
        overtake, self.overtake = self.overtake, None
        if overtake:
            overtake()
        return super().read(subject, key)


def test_sign_in_that_ends_while_its_use_is_written_does_not_come_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    store = EndedMeanwhile(tmp_path / "store")
    lifetimes = Lifetimes(idle=timedelta(hours=8), longest=timedelta(hours=24))
    sign_ins = SignIns(store, world.users, lifetimes, clock=world.clock)
    cookie = sign_ins.begin(world.add_user())
    world.clock.advance(minutes=6)
    sign_ins.touch(cookie)
    store.overtake = lambda: sign_ins.end(cookie)

    sign_ins.sweep()

    after_restart = SignIns(FileStore(tmp_path / "store"), world.users, lifetimes, clock=world.clock)
    assert after_restart.user_of(cookie) is None


def test_sign_in_is_known_by_its_cookie(tmp_path: Path) -> None:
    world = World(tmp_path)

    cookie = world.sign_ins.begin(world.add_user())

    assert world.sign_ins.user_of(cookie) == ANA


@pytest.mark.parametrize("cookie", [None, "", "guessed"])
def test_unknown_cookie_is_nobody(tmp_path: Path, cookie: str | None) -> None:
    world = World(tmp_path)
    world.sign_ins.begin(world.add_user())

    assert world.sign_ins.user_of(cookie) is None


def test_store_holds_only_the_hash_of_the_cookie(tmp_path: Path) -> None:
    world = World(tmp_path)

    cookie = world.sign_ins.begin(world.add_user())

    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir() if path.is_file())
    assert b"seen_at" in stored
    assert cookie.encode() not in stored


def test_sign_in_outlives_a_restart(tmp_path: Path) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())

    restarted = World(tmp_path)

    assert restarted.sign_ins.user_of(cookie) == ANA


def test_sign_in_ends_when_it_is_idle_for_twelve_hours(tmp_path: Path) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())
    world.clock.advance(hours=11, minutes=59)
    before = world.sign_ins.user_of(cookie)

    world.clock.advance(minutes=1)

    assert before == ANA
    assert world.sign_ins.user_of(cookie) is None


def test_activity_starts_the_idle_time_anew(tmp_path: Path) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())
    world.clock.advance(hours=11)

    world.sign_ins.touch(cookie)
    world.clock.advance(hours=11)

    assert world.sign_ins.user_of(cookie) == ANA


def test_sign_in_ends_after_seven_days_of_activity(tmp_path: Path) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())
    world.clock.advance(days=6, hours=23)
    world.sign_ins.touch(cookie)

    world.clock.advance(hours=1)

    assert world.sign_ins.user_of(cookie) is None


def test_activity_outlives_a_restart_once_it_was_swept(tmp_path: Path) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())
    world.clock.advance(hours=11)
    world.sign_ins.touch(cookie)
    world.sign_ins.sweep()

    world.clock.advance(hours=11)
    restarted = World(tmp_path, clock=world.clock)

    assert restarted.sign_ins.user_of(cookie) == ANA


def test_sweep_writes_nothing_for_small_activity(tmp_path: Path) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())
    revision = world.store.revision("sign_ins")
    world.clock.advance(minutes=4)

    world.sign_ins.touch(cookie)
    world.sign_ins.sweep()

    assert world.store.revision("sign_ins") == revision


def test_sweep_removes_what_has_expired_from_the_store(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.sign_ins.begin(world.add_user())
    world.clock.advance(hours=12)

    world.sign_ins.sweep()

    assert world.store.read_all("sign_ins") == {}


def test_raised_generation_ends_every_sign_in_at_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    account = world.add_user()
    cookies = [world.sign_ins.begin(account), world.sign_ins.begin(account)]

    world.users.end_all_sign_ins(account)

    assert [world.sign_ins.user_of(cookie) for cookie in cookies] == [None, None]


def test_generation_raised_by_another_process_is_noticed_by_the_sweep(tmp_path: Path) -> None:
    world = World(tmp_path)
    account = world.add_user()
    cookie = world.sign_ins.begin(account)
    World(tmp_path).users.end_all_sign_ins(account)

    world.sign_ins.sweep()

    assert world.sign_ins.user_of(cookie) is None


def test_signed_out_is_signed_out_after_a_restart_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())

    world.sign_ins.end(cookie)

    assert world.sign_ins.user_of(cookie) is None
    assert World(tmp_path).sign_ins.user_of(cookie) is None


def test_oldest_of_too_many_sign_ins_ends(tmp_path: Path) -> None:
    world = World(tmp_path)
    account = world.add_user()
    first = world.sign_ins.begin(account)
    world.clock.advance(seconds=1)

    others = [world.sign_ins.begin(account) for _ in range(12)]

    assert world.sign_ins.user_of(first) is None
    assert {world.sign_ins.user_of(cookie) for cookie in others} == {ANA}
    assert len(world.store.read_all("sign_ins")) == 12


def test_full_disk_keeps_nobody_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    account = world.add_user()
    store = FullDisk(tmp_path / "store")
    sign_ins = SignIns(store, world.users, Lifetimes(timedelta(hours=1), timedelta(hours=1)))

    cookie = sign_ins.begin(account)

    assert sign_ins.user_of(cookie) == ANA


def test_unreadable_stored_sign_in_is_ignored(tmp_path: Path) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())
    world.store.update("sign_ins", "broken", {"account": 1}, expected_version=0)

    restarted = World(tmp_path)

    assert restarted.sign_ins.user_of(cookie) == ANA


@pytest.mark.parametrize("other_write", [False, True])
def test_sign_in_that_ended_while_the_store_was_away_is_removed_when_it_is_back(
    tmp_path: Path, *, other_write: bool
) -> None:
    world = World(tmp_path)
    store = Away(tmp_path / "store")
    sign_ins = SignIns(store, world.users, world.sign_ins.lifetimes, clock=world.clock)
    account = world.add_user()
    cookie = sign_ins.begin(account)
    store.is_away = True
    sign_ins.end(cookie)
    if other_write:
        world.sign_ins.begin(account)
    sign_ins.sweep()
    sign_ins.load(cookie)
    while_away = sign_ins.user_of(cookie), World(tmp_path).sign_ins.user_of(cookie)

    store.is_away = False
    sign_ins.sweep()

    assert while_away == (None, ANA)
    assert World(tmp_path, clock=world.clock).sign_ins.user_of(cookie) is None


def test_nothing_is_written_again_once_an_end_is_stored(tmp_path: Path) -> None:
    world = World(tmp_path)
    store = Away(tmp_path / "store")
    sign_ins = SignIns(store, world.users, world.sign_ins.lifetimes, clock=world.clock)
    sign_ins.end(sign_ins.begin(world.add_user()))
    revision = store.revision("sign_ins")

    sign_ins.sweep()

    assert store.revision("sign_ins") == revision
    assert sign_ins._unremoved == set()


def test_invented_cookie_is_looked_for_once_a_second(tmp_path: Path) -> None:
    world = World(tmp_path)
    store = Away(tmp_path / "store")
    sign_ins = SignIns(store, world.users, world.sign_ins.lifetimes, monotonic=world.clock.monotonic)

    sign_ins.load("invented")
    sign_ins.load("invented")
    at_once = store.reads
    world.clock.advance(seconds=1)
    sign_ins.load("invented")

    assert (at_once, store.reads) == (1, 2)


def test_only_so_many_invented_cookies_are_remembered(tmp_path: Path) -> None:
    world = World(tmp_path)

    for number in range(MAX_UNKNOWN + 10):
        world.sign_ins.load(f"invented {number}")

    assert len(world.sign_ins._unknown) == MAX_UNKNOWN


def test_invented_cookies_wait_for_a_slow_store_only_once_in_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    store, reading = Away(tmp_path / "store"), TakenLock()
    sign_ins = SignIns(store, world.users, world.sign_ins.lifetimes, monotonic=world.clock.monotonic)
    monkeypatch.setattr(sign_ins, "_refreshing", reading)

    for number in range(3):
        sign_ins.load(f"invented {number}")
    world.clock.advance(seconds=5)
    sign_ins.load("invented later")

    assert reading.waits == [0.5, 0, 0, 0.5]
    assert store.reads == 0
