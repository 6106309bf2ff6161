"""Forms of the settings page: initial values, changed fields, and saving with conflict detection.

A form keeps the values with which it was opened. Only fields that differ from those are saved, on top of the
settings saved meanwhile. If another user changed a field of the same form, nothing is saved: the form shows
who changed it, when and to what, keeps the typed values, and saves them if the user submits it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st

from core.exceptions import ConfigurationError, VersionConflictError, WppconnectError
from core.models import Frozen
from core.settings.overlay import DEFAULT
from core.settings.recipients import address_without_secret
from core.settings.saved import SavedSettings, changed_fields
from core.settings.setting import SAVED_ON_THE_PAGE, SettingField, setting_fields
from core.settings.source import SettingsSource
from core.settings.values import Settings
from dashboard import components, formatting, session_state, state, step_up
from dashboard.auth.users import Role
from dashboard.i18n import current_locale, translator
from dashboard.i18n import gettext as _
from dashboard.session_state import Field, Notice, Opened
from dashboard.settings_page.fields import FieldNow, Fields, ReadFields, text

ATTEMPTS = 5
"""Retries after concurrent saves before the user has to save again."""

Refuse = Callable[[Settings], Notice | None]


def field_key(form: str, field: str) -> str:
    """Return the widget key of a form's field."""
    return f"{form}-{field}"


def label(words: str, settings: Settings, path: str) -> str:
    """Return the label of a field with the origin of its value."""
    return f"{words} ({origin(settings, path)})"


def origin(settings: Settings, path: str) -> str:
    """Return the origin of a value as text."""
    return formatting.origin(translator(current_locale()), settings.origins.get(path, DEFAULT))


def draw_field(form: str, settings: Settings, one: SettingField, field: FieldNow, **names: str) -> None:
    """Draw the widget of a setting with the origin of its value, and its explanation behind a "?"."""
    setting, key = one.setting, field_key(form, one.name)
    words = label(text(setting.label, **names), settings, field.path)
    explanation = text(setting.help) or None
    if one.type is bool:
        st.toggle(words, key=key, help=explanation)
    elif one.type is float:
        # Without bounds: with them, the browser would send its last valid value, and that be saved.
        st.number_input(words, step=setting.step, format="%g", key=key, help=explanation)
    elif setting.choices:
        choices = {str(value): message_id for value, message_id in setting.choices.items()}
        st.selectbox(
            words, list(choices), format_func=lambda word: text(choices[word]), key=key, help=explanation
        )
    elif one.is_secret:
        is_set = field.value is not None
        st.text_input(
            words if is_set else text(setting.unset_label),
            key=key,
            type="password",
            autocomplete="new-password",
            placeholder=_("set: type another one to replace it") if is_set else _("not set"),
            help=explanation,
        )
        if can_forget(settings, one, field):
            st.checkbox(text(setting.forget_label), key=field_key(form, forget(one.name)))
    else:
        st.text_input(
            words,
            key=key,
            autocomplete="off",
            placeholder=setting.placeholder,
            max_chars=setting.longest or None,
            help=explanation,
        )


def can_forget(settings: Settings, one: SettingField, field: FieldNow) -> bool:
    """Return whether a secret was saved on the page, so that the environment's can replace it again."""
    is_saved = settings.origins.get(field.path) == SAVED_ON_THE_PAGE
    return one.is_secret and field.value is not None and is_saved


def forget(name: str) -> str:
    """Return the name of the field that resets a saved secret."""
    return f"forget_{name}"


def edits(model: type[Frozen], new: Mapping[str, Field]) -> dict[str, Any]:
    """Return the changed fields of a form as values to save; None resets a secret."""
    fields = setting_fields(model)
    found = {one.name: _typed(one, new[one.name]) for one in fields if one.name in new}
    return found | {one.name: None for one in fields if new.get(forget(one.name))}


def entered_secrets(model: type[Frozen], changes: Mapping[str, object], path: str = "") -> set[str]:
    """Return the dotted paths of the secrets that `changes` sets to more than blanks."""
    secrets = [one.name for one in setting_fields(model) if one.is_secret]
    return {f"{path}{name}" for name in secrets if str(changes.get(name) or "").strip()}


def _typed(one: SettingField, value: Field | None) -> object:
    if value is None:
        # The user emptied a number.
        return one.default
    return one.type(value) if one.setting.choices else value


def open_form(form: str, values: Mapping[str, Field], fields: Fields | None = None) -> None:
    """Set a form's widgets when it is first shown, or shown again after the user left the page."""
    if (
        all(session_state.has_value(field_key(form, field)) for field in values)
        and session_state.opened(form) is not None
    ):
        return
    session_state.remember_opened(form, Opened(dict(values), _compared(fields or {})))
    for field, value in values.items():
        session_state.set_value(field_key(form, field), value)


def changed(form: str) -> dict[str, Field]:
    """Return the fields whose values differ from those at opening."""
    opened = session_state.opened(form)
    if opened is None:
        return {}
    now = {field: session_state.value(field_key(form, field)) for field in opened.values}
    return {field: value for field, value in now.items() if value != opened.values[field]}


def draw_notice(form: str, fields: Fields | None = None) -> None:
    """Draw the fields changed by others since the form was opened, else the result of the latest save."""
    others = _changed_elsewhere(form, fields or {})
    if others:
        components.draw_notice(Notice("warn", "\n".join(_told(field) for field in others)))
    else:
        components.draw_notice(session_state.notice(form))


def save(
    form: str,
    change: Callable[[SavedSettings], SavedSettings],
    *,
    refuse: Refuse = lambda _settings: None,
    entered: Collection[str] = (),
    step_up_needed: bool = False,
) -> bool:
    """Save a change of the settings and show the result at the form. Return whether it was saved.

    `refuse` gets the settings to which the change would apply and returns a notice if it must not. `entered`
    has the paths of secrets that the user entered now; only those are sent to another server than before. A
    change of keys or addresses needs a step-up.
    """
    user = state.require(Role.ADMINISTRATOR)
    if step_up_needed and step_up.requires_confirmation(form):
        return False
    told = _save(user.name, change, refuse, entered)
    if told.tone == "good":
        session_state.remember_opened(form, None)
    session_state.set_notice(form, told)
    return told.tone == "good"


def preview(
    form: str,
    change: Callable[[SavedSettings], SavedSettings],
    *,
    refuse: Refuse = lambda _settings: None,
    entered: Collection[str] = (),
    step_up_needed: bool = False,
) -> Settings | None:
    """Return the settings that `save` would put in effect; if it would not, show why and return None."""
    state.require(Role.ADMINISTRATOR)
    if step_up_needed and step_up.requires_confirmation(form):
        return None
    source, found = state.core().settings, None
    try:
        settings = source.current()
        refused = refuse(settings)
        if refused is None:
            tried = source.saved()
            refused, found = _judged(source, settings, tried, change(tried), entered)
    except WppconnectError as error:
        refused = _failure(error)
    session_state.set_notice(form, refused)
    return found


def no_conflict(form: str, read: ReadFields) -> Refuse:
    """Return a function that refuses to save a form if another user changed a field since it was opened."""

    def refuse(settings: Settings) -> Notice | None:
        fields = read(settings)
        if fields is None:
            text = _("This was removed by someone else in the meantime. Your changes were not saved.")
            session_state.set_notice("settings", Notice("warn", text))
            return Notice("warn", text)
        others = _changed_elsewhere(form, fields)
        opened = session_state.opened(form)
        if not others or opened is None:
            return None
        # The notice shows the new values, so that the next save overwrites them deliberately.
        session_state.remember_opened(form, Opened(opened.values, _compared(fields)))
        still = _("Your changes were not saved; what you typed is still there. Check it and save again.")
        return Notice("warn", "\n".join([*(_told(field) for field in others), still]))

    return refuse


def _judged(
    source: SettingsSource,
    settings: Settings,
    saved: SavedSettings,
    change: SavedSettings,
    entered: Collection[str],
) -> tuple[Notice | None, Settings | None]:
    """Return the settings that a change would put in effect, or why it must not."""
    found = source.preview(change)
    changed_paths = changed_fields(saved, change)
    path = address_without_secret(settings, found, changed=changed_paths, entered=entered)
    if not path:
        return None, found
    if path.startswith("servers."):
        text = _("This address is a different server: enter its secret key again, too.")
    else:
        text = _("This address is a different server: enter its token again, too.")
    return Notice("warn", text), None


def _save(
    actor: str,
    change: Callable[[SavedSettings], SavedSettings],
    refuse: Refuse,
    entered: Collection[str],
) -> Notice:
    source = state.core().settings
    for _attempt in range(ATTEMPTS):
        settings = source.current()
        refused = refuse(settings)
        if refused is not None:
            return refused
        try:
            saved = source.saved()
            changes = change(saved)
            refused, _found = _judged(source, settings, saved, changes, entered)
            if refused is not None:
                return refused
            source.save(changes, expected_revision=settings.revision, actor=actor)
        except VersionConflictError:
            continue
        except WppconnectError as error:
            return _failure(error)
        return Notice("good", _("Saved. The change takes effect within a second."))
    return Notice("warn", _("Someone else is changing the settings at the same time. Save again."))


def _failure(error: WppconnectError) -> Notice:
    if isinstance(error, ConfigurationError):
        words = translator(current_locale())
        return Notice("bad", "\n".join(formatting.settings_problem(words, one) for one in error.explanations))
    return Notice("bad", formatting.cause(_, type(error).__name__))


def _compared(fields: Fields) -> dict[str, object]:
    return {name: field.value for name, field in fields.items()}


def _changed_elsewhere(form: str, fields: Fields) -> list[FieldNow]:
    opened = session_state.opened(form)
    if opened is None:
        return []
    found = {
        field.path: field
        for name, field in fields.items()
        if name in opened.compared and opened.compared[name] != field.value
    }
    return list(found.values())


def _told(field: FieldNow) -> str:
    change = state.core().settings.last_change(field.path)
    name = formatting.settings_field(translator(current_locale()), field.path)
    if change is None:
        return _("{field} was changed in the meantime, to: {value}").format(field=name, value=field.words)
    formatter = state.formatter(state.snapshot().taken_at)
    return _("{actor} changed {field} {moment}, to: {value}").format(
        actor=change.actor, field=name, moment=formatter.moment(change.at), value=field.words
    )
