"""The audit log of sign-ins, failed tries and sign-outs: one history entry each."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Protocol

from core.clock import Now, now
from core.exceptions import StoreError
from core.models import HistoryEntry

log = logging.getLogger(__name__)


class SignInOutcome(StrEnum):
    """The outcome in an audit entry."""

    SIGNED_IN = "signed_in"
    FAILED = "failed"
    TOO_MANY_TRIES = "too_many_tries"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    FIRST_USER_CREATED = "first_user_created"
    LINK_REFUSED = "link_refused"
    PASSWORD_SET = "password_set"  # noqa: S105 - a word
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    CONFIRMED = "confirmed"
    """Re-authenticated before a sensitive change."""
    REFUSED = "refused"
    """Authenticated by the proxy or the provider, but refused here."""


class AppendsHistory(Protocol):
    """The part of `core.store.History` that the audit uses."""

    def append(self, *entries: HistoryEntry) -> None:
        """Write the entries."""


class Audit:
    """Append sign-in entries to the history; they never contain a password or a name of no account."""

    def __init__(self, history: AppendsHistory, *, clock: Now = now) -> None:
        self._history = history
        self._clock = clock

    def record(self, outcome: SignInOutcome, *, actor: str | None, address: str) -> None:
        """Write one entry. A StoreError is logged and not raised: a full disk must not lock users out."""
        # A burst of tries may be an attack; the other outcomes are routine.
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
