"""Locks between processes and between the threads of one."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.exceptions import StoreError
from core.locks import ProcessLock

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys
from pathlib import Path
from core.locks import ProcessLock
lock = ProcessLock(Path(sys.argv[1]))
lock.acquire(10)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "lease.lock"


@pytest.fixture
def holder(path: Path) -> Generator[subprocess.Popen[str]]:
    """Run another process that holds the lock until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def in_another_thread(call: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result(timeout=60)


def test_a_second_object_on_the_path_is_excluded_until_the_first_lets_go(path: Path) -> None:
    first, second = ProcessLock(path), ProcessLock(path)

    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    assert (first.held, second.held) == (False, True)


def test_the_owner_itself_does_not_get_it_twice(path: Path) -> None:
    lock = ProcessLock(path)

    assert lock.try_acquire()
    assert not lock.try_acquire()
    lock.release()

    assert not lock.held


def test_another_thread_does_not_get_the_same_object(path: Path) -> None:
    with ProcessLock(path) as lock:
        assert in_another_thread(lock.try_acquire) is False


def test_another_thread_may_release(path: Path) -> None:
    lock = ProcessLock(path)
    lock.acquire(1)

    in_another_thread(lock.release)

    assert not lock.held
    assert ProcessLock(path).try_acquire()


def test_releasing_what_is_not_held_does_nothing(path: Path) -> None:
    lock = ProcessLock(path)

    lock.release()
    with lock:
        pass
    lock.release()

    assert not lock.held


def test_waiting_too_long_is_an_error_that_names_the_file(path: Path) -> None:
    with ProcessLock(path), pytest.raises(StoreError, match=r"lease\.lock is still locked .* after 0\.05 s"):
        ProcessLock(path).acquire(0.05)


def test_waiting_too_long_for_ones_own_object_is_an_error_too(path: Path) -> None:
    with ProcessLock(path) as lock, pytest.raises(StoreError, match="still locked"):
        lock.acquire(0.05)


def test_after_a_failed_wait_the_object_can_be_acquired(path: Path) -> None:
    lock, other = ProcessLock(path), ProcessLock(path)
    with other:
        assert not lock.try_acquire()

    assert lock.try_acquire()


def test_the_lock_is_released_when_the_block_fails(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), ProcessLock(path):
        _ = 1 / 0

    assert ProcessLock(path).try_acquire()


@pytest.mark.parametrize("shared", [True, False], ids=["one object", "an object each"])
def test_threads_never_hold_it_together(path: Path, shared: bool) -> None:
    common = ProcessLock(path)
    inside: list[int] = []
    most: list[int] = []

    def enter_fifty_times(_: int) -> None:
        lock = common if shared else ProcessLock(path)
        for _ in range(50):
            with lock:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter_fifty_times, range(8)))

    assert len(most) == 400
    assert max(most) == 1


def test_a_waiter_is_not_starved_by_busy_owners(path: Path) -> None:
    stop = threading.Event()

    def keep_taking_it() -> None:
        lock = ProcessLock(path)
        while not stop.is_set():
            with lock:
                stop.wait(0.001)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(keep_taking_it)
        pool.submit(keep_taking_it)
        try:
            ProcessLock(path).acquire(5)
        finally:
            stop.set()


@pytest.mark.usefixtures("holder")
def test_another_process_excludes_us(path: Path) -> None:
    assert not ProcessLock(path).try_acquire()


def test_the_lock_is_gone_with_its_killed_holder(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait(timeout=60)

    assert ProcessLock(path).try_acquire()


def test_a_child_process_does_not_inherit_the_lock(path: Path) -> None:
    lock = ProcessLock(path)
    lock.acquire(1)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False):
        lock.release()

        assert ProcessLock(path).try_acquire()


@pytest.mark.parametrize("mask", [0o000, 0o777], ids=oct)
def test_lock_files_are_private_whatever_the_umask(path: Path, mask: int) -> None:
    previous = os.umask(mask)
    try:
        ProcessLock(path).try_acquire()
    finally:
        os.umask(previous)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named_and_the_object_stays_usable(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file")
    lock = ProcessLock(tmp_path / "locks" / "lease.lock")

    with pytest.raises(StoreError, match=r"cannot create the folder .*locks.*move it away"):
        lock.try_acquire()

    (tmp_path / "locks").unlink()
    assert lock.try_acquire()


def test_a_folder_in_place_of_the_lock_file_is_named(path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(StoreError, match=r"cannot lock .*lease\.lock"):
        ProcessLock(path).try_acquire()


@pytest.mark.filterwarnings("ignore:flock not supported")
def test_a_file_system_without_locks_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_flock)
    lock = ProcessLock(path)

    with pytest.raises(StoreError, match="knows no file locks"):
        lock.try_acquire()

    assert not lock.held
