"""The settings in force: the environment and what the page saved, followed across processes.

Secrets are stored in clear, in the store's files with mode 0600; in memory they are SecretStr.
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
LAST_KNOWN_IN_FORCE = (
    "The saved settings could not be read; the last known ones stay in force here. "
    "Save them again, or restore a backup."
)
DO_NOT_FIT = "The stored settings do not fit: "
EDIT_ATTEMPTS = 10
CHANGES_KEPT = 10
"""The latest saves, so that a late second administrator is told all that happened since."""


class SettingsConflictError(VersionConflictError):
    """Somebody else saved settings meanwhile; the message says who changed which fields, and when."""


class Change(NamedTuple):
    """One save: who, when, which fields (dotted paths)."""

    actor: str
    at: datetime
    fields: tuple[str, ...]


class StoredChange(Stored):
    """A save as it is stored."""

    revision: int
    actor: str
    at: AwareDatetime
    fields: tuple[str, ...]


class StoredDocument(Stored):
    """The one record of subject "settings"."""

    saved: SavedSettings = SavedSettings()
    changes: tuple[StoredChange, ...] = ()


@dataclass(frozen=True)
class _View:
    """What the store held when its revision was `stamp`."""

    stamp: str
    settings: Settings
    document: StoredDocument
    problems: tuple[str, ...] = ()
    ends_at: datetime | None = None
    """When a pause in it ends by itself."""


class SettingsSource:
    """Gives the settings in force and saves changes to them; for any number of threads and processes."""

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
        """Return the settings in force; costs one stat while nobody saves.

        What cannot be read or used leaves the last good settings in force, at first the environment alone.
        Raises StoreError only when the store fails before anything was read.
        """
        return self._view().settings

    def saved(self) -> SavedSettings:
        """Return what the page saved, the start of every edit."""
        return self._view().document.saved

    def last_change(self, path: str = "") -> Change | None:
        """Tell of the latest save, or of the latest that touched this field; None when there was none."""
        for change in reversed(self._view().document.changes):
            if not path or path in change.fields:
                return Change(change.actor, change.at, change.fields)
        return None

    @property
    def problems(self) -> tuple[str, ...]:
        """Say why what is stored is not in force, for a banner; empty when all is well."""
        return self._view().problems

    def save(
        self,
        change: SavedSettings,
        *,
        expected_revision: int,
        actor: str,
        told: Collection[HistoryEntry] = (),
    ) -> Settings:
        """Put the changed settings in force for all processes, wholly or not at all.

        `expected_revision` is the revision that the person saw. Raises ConfigurationError with every mistake,
        SettingsConflictError when somebody else saved meanwhile. `last_change` then tells what was changed.
        `told` goes into the history in place of the names of the changed fields.
        """
        change = change.pruned(self._environment)
        settings = effective(self._environment, change, expected_revision + 1)
        view = self._view()
        fields = changed_fields(view.document.saved, change)
        self._require_addresses(settings, change, fields)
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

    def edit(
        self,
        change: Callable[[SavedSettings], SavedSettings],
        *,
        actor: str,
        told: Collection[HistoryEntry] = (),
    ) -> Settings:
        """Save a change on top of whatever others save meanwhile; `change` may be called several times.

        Raises what `save` raises; SettingsConflictError when others save all the time.
        """
        for _attempt in range(EDIT_ATTEMPTS - 1):
            with contextlib.suppress(VersionConflictError):
                return self._edit_once(change, actor, told)
        return self._edit_once(change, actor, told)

    def _edit_once(
        self, change: Callable[[SavedSettings], SavedSettings], actor: str, told: Collection[HistoryEntry]
    ) -> Settings:
        # One view: what is changed must be what stood at that revision, or somebody's save would be lost.
        view = self._view()
        revision = view.settings.revision
        return self.save(change(view.document.saved), expected_revision=revision, actor=actor, told=told)

    def _tell_history(self, *told: HistoryEntry) -> None:
        try:
            self._record(*told)
        except StoreError as error:
            # The settings are in force: a history that cannot be written must not make them look refused.
            logger.warning("settings change not in history error=%s", error)

    def renew(self, environment: CoreEnvironment) -> Settings:
        """Put another reading of the environment in force, with what was saved over it.

        Raises ConfigurationError, and changes nothing, when the two do not fit together. While what was saved
        is not in force, the new reading waits with it.
        """
        view = self._view()
        if not view.problems:
            effective(environment, view.document.saved, view.settings.revision)
        with self._lock:
            self._environment = environment
            if self._held is not None:
                self._held = replace(self._held, stamp="another environment")
        return self.current()

    def _require_addresses(self, settings: Settings, change: SavedSettings, fields: tuple[str, ...]) -> None:
        problems = [
            SettingProblem(f"servers.{name}.url", Message("setting.address_missing"))
            for name, server in change.servers.items()
            if not server.removed
            and settings.server(name) is None
            and any(f"{field}.".startswith(f"servers.{name}.") for field in fields)
        ]
        if problems:
            raise ConfigurationError(problems)

    def _view(self) -> _View:
        try:
            # Asked before the record is read: a save in between changes it once more, and is then seen.
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
                if error.message not in self._held.problems:
                    logger.warning(
                        "settings unreadable kept_revision=%s error=%s", self._held.settings.revision, error
                    )
                    self._held = replace(self._held, stamp="unreadable", problems=(error.message,))
                if self._has_ended(self._held):
                    settings, ends_at = in_force(self._held.settings, self._clock())
                    self._held = replace(self._held, settings=settings, ends_at=ends_at)
                return self._held

    def _has_ended(self, view: _View) -> bool:
        return view.ends_at is not None and view.ends_at <= self._clock()

    def _read(self, stamp: str, held: _View | None) -> _View:
        record = self._store.read(SUBJECT, KEY)
        revision = record.version if record else 0
        document, problems = StoredDocument(), []
        settings = None
        try:
            if record is None and held and held.document != StoredDocument():
                problems.append(LAST_KNOWN_IN_FORCE)
                document = StoredDocument(saved=held.document.saved)
            elif record is None and self._store.is_set_aside(SUBJECT):
                problems.append(LAST_KNOWN_IN_FORCE)
            elif record:
                document = StoredDocument.model_validate(record.value)
            settings = effective(self._environment, document.saved, revision)
        except ValidationError as error:
            problems += [LAST_KNOWN_IN_FORCE, *(DO_NOT_FIT + one for one in stored_mistakes(error))]
            document = held.document if held else document
        except ConfigurationError as error:
            problems += [DO_NOT_FIT + problem for problem in error.problems]
        if settings is None:
            fallback = held.settings if held else effective(self._environment, SavedSettings(), revision)
            settings = fallback.model_copy(update={"revision": revision})
        if held is None or tuple(problems) != held.problems:
            for problem in problems:
                logger.error("settings not in force revision=%s problem=%r", revision, problem)
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
        for secret in (server.secret_key, server.token):
            if secret:
                register_secret(secret.get_secret_value())


def _plain(value: Any) -> Any:
    """Turn a dumped model into what JSON can hold, secrets in clear."""
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
