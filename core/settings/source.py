"""The settings in effect: environment plus saved values, shared between processes.

Secrets are stored in plain text, in the store's files with mode 0600; in memory they are SecretStr.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import AwareDatetime, SecretStr, ValidationError

from core.exceptions import ConfigurationError, SettingProblem, StoreError, VersionConflictError
from core.logs import register_secret
from core.messages import Message
from core.models import HistoryEntry, Stored, utc
from core.settings.environment import CoreEnvironment
from core.settings.overlay import effective
from core.settings.pauses import in_force
from core.settings.saved import SavedSettings, changed_fields
from core.settings.values import Settings
from core.settings.words import stored_mistakes
from core.store.protocol import Store

logger = logging.getLogger(__name__)

SUBJECT = "settings"
KEY = "saved"
LAST_KNOWN = Message("setting.last_known")
EDIT_ATTEMPTS = 10
CHANGES_KEPT = 10
"""Latest saves on record, so that a conflict names everything that changed since the settings were opened."""


class SettingsConflictError(VersionConflictError):
    """The settings were changed meanwhile; the message says who changed which fields, and when."""


class Change(NamedTuple):
    """One save: who, when, which fields (dotted paths)."""

    actor: str
    at: datetime
    fields: tuple[str, ...]


class StoredChange(Stored):
    """The stored form of a save."""

    revision: int
    actor: str
    at: AwareDatetime
    fields: tuple[str, ...]


class StoredDocument(Stored):
    """The only record of subject "settings"."""

    saved: SavedSettings = SavedSettings()
    changes: tuple[StoredChange, ...] = ()


@dataclass(frozen=True)
class _View:
    """The content of the store at revision `stamp`."""

    stamp: str
    settings: Settings
    document: StoredDocument
    problems: tuple[Message, ...] = ()
    ends_at: datetime | None = None
    """When the next pause expires."""


class SettingsSource:
    """Provides the settings in effect and saves changes; safe for any number of threads and processes."""

    def __init__(
        self,
        environment: CoreEnvironment,
        store: Store,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        record: Callable[..., None] = lambda *_entries: None,
    ) -> None:
        self._environment = environment
        self._store = store
        self._clock = clock
        self._record = record
        self._lock = threading.Lock()
        self._held: _View | None = None

    def current(self) -> Settings:
        """Return the settings in effect; costs one stat if they have not changed.

        If the stored settings cannot be read or used, the last valid ones stay in effect, at first the
        environment alone. Raise StoreError only if the store fails before the first successful read.
        """
        return self._view().settings

    def saved(self) -> SavedSettings:
        """Return the saved settings, the base of every edit."""
        return self._view().document.saved

    def last_change(self, path: str = "") -> Change | None:
        """Return the latest save, or the latest that changed the field at `path`; None if there is none."""
        for change in reversed(self._view().document.changes):
            if not path or path in change.fields:
                return Change(change.actor, change.at, change.fields)
        return None

    @property
    def problems(self) -> tuple[Message, ...]:
        """The problems that keep stored settings from taking effect; empty if there are none."""
        return self._view().problems

    def save(
        self,
        change: SavedSettings,
        *,
        expected_revision: int,
        actor: str,
        told: Collection[HistoryEntry] = (),
    ) -> Settings:
        """Save changed settings atomically for all processes and return the settings in effect.

        `expected_revision` is the revision that the user edited. Raise ConfigurationError with all mistakes,
        SettingsConflictError if the settings were changed meanwhile. `last_change` then returns the fields
        of this save. `told` are history entries that replace the default one with the changed fields.
        """
        view = self._view()
        change = change.pruned(self._environment)
        self._check(change, view)
        fields = changed_fields(view.document.saved, change)
        if view.settings.revision != expected_revision:
            raise _conflict(view, expected_revision)
        if not fields and not view.problems:
            return view.settings
        entry = StoredChange(revision=expected_revision + 1, actor=actor, at=self._clock(), fields=fields)
        changes = (*view.document.changes, entry)[-CHANGES_KEPT:]
        document = _plain(StoredDocument(saved=change, changes=changes).model_dump(exclude_defaults=True))
        try:
            self._store.update(SUBJECT, KEY, document, expected_version=expected_revision)
        except VersionConflictError:
            raise _conflict(self._view(), expected_revision) from None
        data = {"fields": ", ".join(fields)}
        named = HistoryEntry(at=entry.at, kind="settings", actor=actor, data={**data})
        self._tell_history(*(told or [named]))
        return self._view().settings

    def preview(self, change: SavedSettings) -> Settings:
        """Return the settings that would be in effect if these were saved; raise ConfigurationError."""
        settings = self._check(change.pruned(self._environment), self._view())
        # They may be tried at once, and what is tried must not reach the log.
        _register_secrets(settings)
        return settings

    def edit(
        self,
        change: Callable[[SavedSettings], SavedSettings],
        *,
        actor: str,
        told: Collection[HistoryEntry] = (),
    ) -> Settings:
        """Save a change on top of concurrent ones; `change` may be called several times.

        Raise the errors of `save`; SettingsConflictError only after repeated conflicts.
        """
        for _attempt in range(EDIT_ATTEMPTS - 1):
            with contextlib.suppress(VersionConflictError):
                return self._edit_once(change, actor, told)
        return self._edit_once(change, actor, told)

    def _edit_once(
        self, change: Callable[[SavedSettings], SavedSettings], actor: str, told: Collection[HistoryEntry]
    ) -> Settings:
        # Take value and revision from one view, or a concurrent save would be lost.
        view = self._view()
        revision = view.settings.revision
        return self.save(change(view.document.saved), expected_revision=revision, actor=actor, told=told)

    def _tell_history(self, *told: HistoryEntry) -> None:
        try:
            self._record(*told)
        except StoreError as error:
            # The settings are saved: a failing history must not make the save look rejected.
            logger.warning("settings change not in history error=%s", error)

    def renew(self, environment: CoreEnvironment) -> Settings:
        """Replace the environment and return the settings in effect.

        Raise ConfigurationError, and change nothing, if the environment and the saved settings do not fit
        together. While stored settings are not in effect, the new environment is not checked against them.
        """
        view = self._view()
        if not view.problems:
            effective(environment, view.document.saved, view.settings.revision)
        with self._lock:
            self._environment = environment
            if self._held is not None:
                self._held = replace(self._held, stamp="another environment")
        return self.current()

    def _check(self, change: SavedSettings, view: _View) -> Settings:
        settings = effective(self._environment, change, view.settings.revision)
        fields = changed_fields(view.document.saved, change)
        problems = [
            SettingProblem(f"servers.{name}.url", Message("setting.address_missing"))
            for name, server in change.servers.items()
            if not server.removed
            and settings.server(name) is None
            and any(f"{field}.".startswith(f"servers.{name}.") for field in fields)
        ]
        if problems:
            raise ConfigurationError(problems)
        return settings

    def _view(self) -> _View:
        try:
            # Read the stamp before the record: a save in between changes the stamp again and is noticed.
            stamp = self._store.revision(SUBJECT)
            held = self._held
            if held and held.stamp == stamp and not self._has_ended(held):
                return held
            with self._lock:
                if not self._held or self._held.stamp != stamp or self._has_ended(self._held):
                    self._held = self._read(stamp, self._held)
                return self._held
        except StoreError as error:
            with self._lock:
                if self._held is None:
                    raise
                if error.explanation not in self._held.problems:
                    logger.warning(
                        "settings unreadable kept_revision=%s error=%s", self._held.settings.revision, error
                    )
                    self._held = replace(self._held, stamp="unreadable", problems=(error.explanation,))
                if self._has_ended(self._held):
                    settings, ends_at = in_force(self._held.settings, self._clock())
                    self._held = replace(self._held, settings=settings, ends_at=ends_at)
                return self._held

    def _has_ended(self, view: _View) -> bool:
        return view.ends_at is not None and view.ends_at <= self._clock()

    def _read(self, stamp: str, held: _View | None) -> _View:
        record = self._store.read(SUBJECT, KEY)
        revision = record.version if record else 0
        document, problems = StoredDocument(), list[Message]()
        settings = None
        try:
            if record is None and held and held.document != StoredDocument():
                problems.append(LAST_KNOWN)
                document = StoredDocument(saved=held.document.saved)
            elif record is None and self._store.is_set_aside(SUBJECT):
                problems.append(LAST_KNOWN)
            elif record:
                document = StoredDocument.model_validate(record.value)
            settings = effective(self._environment, document.saved, revision)
        except ValidationError as error:
            problems += [LAST_KNOWN, *map(_does_not_fit, stored_mistakes(error))]
            document = held.document if held else document
        except ConfigurationError as error:
            problems += map(_does_not_fit, error.problems)
        if settings is None:
            fallback = held.settings if held else effective(self._environment, SavedSettings(), revision)
            settings = fallback.model_copy(update={"revision": revision})
        if held is None or tuple(problems) != held.problems:
            for problem in problems:
                logger.error("settings not in force revision=%s problem=%r", revision, str(problem))
        _register_secrets(settings)
        settings, ends_at = in_force(settings, self._clock())
        return _View(stamp, settings, document, tuple(problems), ends_at)


def _conflict(view: _View, expected_revision: int) -> SettingsConflictError:
    said = [
        f"{change.actor} changed {', '.join(change.fields)} at {utc(change.at)}"
        for change in view.document.changes
        if change.revision > expected_revision
    ]
    what = "; ".join(said) or "The settings were changed by somebody else"
    return SettingsConflictError(
        f"{what}, after you opened them. Nothing of yours was saved: load them again and repeat your change.",
        operation="save the settings",
    )


def _register_secrets(settings: Settings) -> None:
    for text in settings.alertmanager.secrets if settings.alertmanager else ():
        register_secret(text)
    for server in settings.servers:
        for _name, value in server:
            if isinstance(value, SecretStr):
                register_secret(value.get_secret_value())


def _plain(value: Any) -> Any:
    """Return a dumped model as JSON-compatible values, secrets in plain text."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case datetime():
            return value.isoformat()
        case _:
            return value


def _does_not_fit(problem: str) -> Message:
    return Message.of("setting.does_not_fit", problem=problem)
