"""The settings page's forms: what stands in them, what of it is new, and saving it without losing anything.

A form remembers the revision and the values with which it was opened. Only what differs from those is
saved, and only when nobody else saved meanwhile; else the person is told who changed what, what they typed
stays, and saving again is then a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.exceptions import ConfigurationError, VersionConflictError, WppconnectError
from core.settings import Settings
from core.settings_store import DEFAULT, SavedSettings
from dashboard import formatting, state
from dashboard.auth.users import Role
from dashboard.i18n import current_locale, translator
from dashboard.i18n import gettext as _
from dashboard.state import Field, Notice, Opened


def field_key(form: str, field: str) -> str:
    """Name the widget of a form's field."""
    return f"{form}-{field}"


def label(words: str, settings: Settings, path: str) -> str:
    """Name a field together with where its value comes from."""
    return f"{words} ({origin(settings, path)})"


def origin(settings: Settings, path: str) -> str:
    """Say where a value comes from."""
    return formatting.origin(translator(current_locale()), settings.origins.get(path, DEFAULT))


def open_form(form: str, values: Mapping[str, Field]) -> None:
    """Fill a form's widgets when it is shown for the first time, or again after the page was left."""
    if all(state.holds(field_key(form, field)) for field in values) and state.opened(form) is not None:
        return
    state.remember_opened(form, Opened(state.settings().revision, dict(values)))
    for field, value in values.items():
        state.put(field_key(form, field), value)


def changed(form: str) -> dict[str, Field]:
    """Return the fields that differ from what they were when the form was opened."""
    opened = state.opened(form)
    if opened is None:
        return {}
    now = {field: state.held(field_key(form, field)) for field in opened.values}
    return {field: value for field, value in now.items() if value != opened.values[field]}


def save(form: str, change: Callable[[SavedSettings], SavedSettings]) -> bool:
    """Save a change of the settings; tell the form what came of it."""
    user = state.require(Role.ADMINISTRATOR)
    source = state.core().settings
    opened = state.opened(form)
    revision = opened.revision if opened else source.current().revision
    try:
        source.save(change(source.saved()), expected_revision=revision, actor=user.name)
    except VersionConflictError:
        state.remember_opened(form, Opened(source.current().revision, opened.values if opened else {}))
        state.tell(form, Notice("warn", _conflict()))
        return False
    except ConfigurationError as error:
        told = [formatting.settings_problem(translator(current_locale()), one) for one in error.problems]
        state.tell(form, Notice("bad", "\n".join(told)))
        return False
    except WppconnectError as error:
        state.tell(form, Notice("bad", error.message))
        return False
    state.remember_opened(form, None)
    state.tell(form, Notice("good", _("Saved. It is in force within a few seconds.")))
    return True


def _conflict() -> str:
    change = state.core().settings.last_change()
    still = _("Nothing of yours was saved; it still stands below. Check it and save again.")
    if change is None:
        return _("Somebody else changed the settings at the same time.") + " " + still
    voice = state.voice(change.at)
    fields = ", ".join(formatting.settings_field(voice.translate, one) for one in change.fields)
    told = _("{actor} changed this after you opened the page: {fields}.").format(
        actor=change.actor, fields=fields
    )
    return f"{told} {still}"
