"""Locks between processes on one machine, and the interface of those between machines.

The kernel releases the locks of a machine with their holder, so a crash leaves none behind.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from filelock import FileLock, SoftFileLock, Timeout

from core.disk import PRIVATE_FILE, disk_error, make_private_directory
from core.exceptions import StoreError

DEFAULT_TIMEOUT_SECONDS = 10.0

POLL_SECONDS = 0.002
"""filelock's own 50 ms starves a waiter among busy writers, who hold the lock for a millisecond at a time."""


class Lock(Protocol):
    """Exclusive lock. Any thread may acquire and any may release it."""

    @property
    def is_lost(self) -> bool:
        """Whether another process may hold the lock, although this one acquired it and did not release it."""

    def try_acquire(self) -> bool:
        """Acquire the lock if it is free; return whether it was acquired. Raises StoreError."""

    def acquire(self, timeout_seconds: float) -> None:
        """Acquire the lock. Raises StoreError on timeout."""

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Locks(Protocol):
    """The locks that all processes of an installation share."""

    def lock(self, name: str) -> Lock:
        """Return a lock, which is not acquired yet."""

    def is_locked(self, name: str) -> bool:
        """Return whether any process holds the lock. Raises StoreError."""


class FileLocks:
    """Locks between the processes on one machine, as files in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def lock(self, name: str) -> ProcessLock:
        """Return a lock, which is not acquired yet."""
        return ProcessLock(self._directory / f"{name}.lock")

    def is_locked(self, name: str) -> bool:
        """Return whether any process holds the lock. Raises StoreError."""
        lock = self.lock(name)
        if not lock.try_acquire():
            return True
        lock.release()
        return False


class ProcessLock:
    """Exclusive lock on a path, against other processes and other objects in this process.

    An object has one owner at a time and is not re-entrant. Any thread may acquire and any may release it;
    threads that share an object wait without polling.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # thread_local=False: the hold belongs to the object, so that the thread that releases may be another
        # than the one that acquired.
        self._file_lock = FileLock(path, mode=PRIVATE_FILE, thread_local=False)
        # filelock counts a second acquire of one object as re-entrance, whichever thread it comes from.
        self._owner = threading.Lock()
        self._releasing = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file_lock.is_locked

    @property
    def is_lost(self) -> bool:
        """Never: the kernel releases a file lock only with its holder."""
        return False

    def try_acquire(self) -> bool:
        """Acquire the lock if it is free; return whether it was acquired."""
        return self._owner.acquire(blocking=False) and self._lock_file(0.0)

    def acquire(self, timeout_seconds: float) -> None:
        """Acquire the lock. Raises StoreError on timeout."""
        deadline = time.monotonic() + timeout_seconds
        if not self._owner.acquire(timeout=timeout_seconds) or not self._lock_file(
            max(0.0, deadline - time.monotonic())
        ):
            raise StoreError(
                f"{self.path} is still locked by another process after {timeout_seconds:g} s; "
                "find it (fuser shows it) and end it if it hangs",
                operation="lock a stored file",
            )

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""
        with self._releasing:
            if not self.held:
                return
            try:
                self._file_lock.release(force=True)
            except OSError as error:
                raise disk_error("unlock", self.path, error) from None
            self._owner.release()

    def __enter__(self) -> Self:
        self.acquire(DEFAULT_TIMEOUT_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _lock_file(self, timeout_seconds: float) -> bool:
        """Lock the file; on failure release the object's owner lock. Return whether it was locked."""
        locked = False
        try:
            make_private_directory(self.path.parent)
            self._file_lock.acquire(timeout=timeout_seconds, poll_interval=POLL_SECONDS)
            self._refuse_a_lock_that_outlives_its_holder()
            locked = True
        except Timeout:
            pass
        except OSError as error:
            raise disk_error("lock", self.path, error) from None
        except NotImplementedError:  # filelock before 4, on a file system without flock
            raise self._no_kernel_lock() from None
        finally:
            if not locked:
                self._owner.release()
        return locked

    def _refuse_a_lock_that_outlives_its_holder(self) -> None:
        # On a file system without flock, filelock falls back to a lock file, which stays when its holder is
        # killed.
        if isinstance(self._file_lock, SoftFileLock):
            self._file_lock.release(force=True)
            raise self._no_kernel_lock()

    def _no_kernel_lock(self) -> StoreError:
        return StoreError(
            f"cannot lock {self.path}: its file system knows no file locks; "
            "set WPPCONNECT_DATA_DIR to a local disk",
            operation="lock a stored file",
        )
