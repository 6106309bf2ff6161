"""Admit one write of the probers at a time, so that a database that confirms none holds up one thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.clock import Monotonic
from core.exceptions import StoreError
from core.messages import Message
from core.store.postgresql.database import AWAY, RETRY_SECONDS

TURN_SECONDS = 2.0
"""How long a write waits for the one before it. The database itself makes appends wait for each other."""


class Turns:
    """Whose turn it is to write, for writes that are repeated anyway.

    The threads that write also probe. A commit that waits for a standby or a disk ends only with the time
    limit, while reads and new connections succeed.
    """

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._running = threading.Lock()
        self._is_away = False
        self._next_at = monotonic()

    @contextmanager
    def take(self, operation: str) -> Iterator[None]:
        """Run the block alone.

        After a block that found the database away, raise StoreError at once: for as long as that block took,
        and then while the next one lasts.
        """
        wait_seconds = 0.0 if self._is_away else TURN_SECONDS
        if self._monotonic() < self._next_at or not self._running.acquire(timeout=wait_seconds):
            raise StoreError(Message(AWAY), operation=operation)
        began = self._monotonic()
        try:
            yield
        except StoreError as error:
            self._is_away = error.explanation.id == AWAY
            if self._is_away:
                ended = self._monotonic()
                self._next_at = ended + max(RETRY_SECONDS, ended - began)
            raise
        else:
            self._is_away = False
        finally:
            self._running.release()
