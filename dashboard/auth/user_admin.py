"""Administration of users: one function per action, for the page and the command line."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.clock import Now, now
from core.exceptions import StoreError, VersionConflictError
from core.models import HistoryEntry
from dashboard.auth.audit import AppendsHistory
from dashboard.auth.links import make_link
from dashboard.auth.users import USER_NAME, Account, AuthMethod, Role, Users, signed_out_everywhere

log = logging.getLogger(__name__)


class UserChange(StrEnum):
    """The kind of change in a history entry."""

    ADDED = "added"
    ROLE = "role"
    DISABLED = "disabled"
    ENABLED = "enabled"
    LINK = "link_made"
    REMOVED = "removed"


class NameProblemError(ValueError):
    """The user name is taken (`taken`) or has characters that are not allowed."""

    def __init__(self, *, taken: bool) -> None:
        super().__init__("taken" if taken else "not allowed")
        self.taken = taken


@dataclass(frozen=True)
class NewLink:
    """The token of a new one-time link, which is not stored, and its expiry."""

    token: str
    valid_until: datetime


class UserAdmin:
    """Add, change and remove users. Each method may raise StoreError and `UnknownUserError`.

    A lower role, a disabled or removed account and a new password end every sign-in of that user, including
    those of open tabs.
    """

    def __init__(self, users: Users, history: AppendsHistory, *, clock: Now = now) -> None:
        self._users = users
        self._history = history
        self._clock = clock

    def all(self) -> list[Account]:
        """Return all accounts, sorted by name. Reads memory only."""
        return self._users.all()

    def add(
        self, name: str, role: Role, *, by: str, method: AuthMethod = AuthMethod.PASSWORD
    ) -> NewLink | None:
        """Add a user; with a password, return the link for setting it. Raises NameProblemError."""
        if not USER_NAME.fullmatch(name):
            raise NameProblemError(taken=False)
        token, link = make_link(self._clock())
        wants_link = method is AuthMethod.PASSWORD
        try:
            self._users.create(name, role, way=method, link=link if wants_link else None)
        except VersionConflictError:
            raise NameProblemError(taken=True) from None
        self._record(UserChange.ADDED, name, by, role)
        return NewLink(token, link.valid_until) if wants_link else None

    def new_link(self, name: str, *, by: str) -> NewLink:
        """Return a link for setting a new password; the old password is valid until then."""
        token, link = make_link(self._clock())
        self._users.change(name, lambda account: account.model_copy(update={"link": link}))
        self._record(UserChange.LINK, name, by)
        return NewLink(token, link.valid_until)

    def set_role(self, name: str, role: Role, *, by: str) -> None:
        """Change a user's role. Raises LastAdministratorError."""

        def change(account: Account) -> Account:
            changed = account.model_copy(update={"role": role})
            return changed if role.covers(account.role) else signed_out_everywhere(changed)

        self._users.change(name, change)
        self._record(UserChange.ROLE, name, by, role)

    def set_disabled(self, name: str, disabled: bool, *, by: str) -> None:
        """Disable an account, or enable it again. Raises LastAdministratorError."""

        def change(account: Account) -> Account:
            changed = account.model_copy(update={"disabled": disabled, "link": None})
            return signed_out_everywhere(changed) if disabled else changed

        self._users.change(name, change)
        self._record(UserChange.DISABLED if disabled else UserChange.ENABLED, name, by)

    def remove(self, name: str, *, by: str) -> None:
        """Remove a user. Raises LastAdministratorError."""
        self._users.change(name, lambda _account: None)
        self._record(UserChange.REMOVED, name, by)

    def _record(self, change: UserChange, name: str, by: str, role: Role | None = None) -> None:
        log.info("user_changed what=%s user=%s actor=%s", change.value, name, by)
        data: dict[str, str | int | float | bool | None] = {"change": change.value, "user": name}
        if role:
            data["role"] = role.value
        try:
            self._history.append(HistoryEntry(at=self._clock(), kind="user", actor=by, data=data))
        except StoreError as error:
            log.warning("user_change_not_recorded problem=%r", error.message)
