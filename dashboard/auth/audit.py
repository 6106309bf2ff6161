"""Who signed in, tried to, or signed out: one history entry each."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Protocol

from core.clock import Now, now
from core.exceptions import StoreError
from core.models import HistoryEntry

log = logging.getLogger(__name__)


class SignInOutcome(StrEnum):
    """What is remembered of a sign-in."""

    SIGNED_IN = "signed_in"
    FAILED = "failed"
    TOO_MANY_TRIES = "too_many_tries"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    FIRST_USER_CREATED = "first_user_created"
    LINK_REFUSED = "link_refused"
    PASSWORD_SET = "password_set"  # noqa: S105 - a word
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word
    CONFIRMED = "confirmed"
    """Proved once more who they are, before changing what matters."""
    REFUSED = "refused"
    """Known to the proxy or the provider, but not let in."""


class AppendsHistory(Protocol):
    """What the audit needs of `core.store.History`."""

    def append(self, *entries: HistoryEntry) -> None:
        """Write the entries."""


class Audit:
    """Append sign-in entries to the history; they never hold a password or a name that is nobody's."""

    def __init__(self, history: AppendsHistory, *, clock: Now = now) -> None:
        self._history = history
        self._clock = clock

    def record(self, outcome: SignInOutcome, *, actor: str | None, address: str) -> None:
        """Write one entry. A full disk is logged and keeps nobody out of the page."""
        # A refused try is of interest even when nobody watches; the rest is everyday.
        level = logging.WARNING if outcome is SignInOutcome.TOO_MANY_TRIES else logging.INFO
        log.log(level, "sign_in outcome=%s actor=%s address=%s", outcome.value, actor or "-", address)
        entry = HistoryEntry(
            at=self._clock(),
            kind="sign_in",
            actor=actor,
            data={"outcome": outcome.value, "address": address},
        )
        try:
            self._history.append(entry)
        except StoreError as error:
            log.warning("sign_in_not_recorded problem=%r", error.message)
