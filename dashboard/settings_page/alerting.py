"""Draw the settings of Alertmanager."""

from __future__ import annotations

import streamlit as st

from core.settings.values import Settings
from dashboard import components
from dashboard.i18n import gettext as _
from dashboard.settings_page import alerting_actions as settings_alerting_actions
from dashboard.settings_page.alerting_actions import ALERTMANAGER, alertmanager_fields
from dashboard.settings_page.form import draw_notice, field_key, label, open_form


def draw_alerting(settings: Settings) -> None:
    """Draw the form of Alertmanager's address and token."""
    fields = alertmanager_fields(settings) or {}
    open_form(ALERTMANAGER, {name: field.drawn for name, field in fields.items()}, fields)
    is_set = settings.alertmanager is not None and settings.alertmanager.bearer_token is not None
    with st.container(key="card-settings-alertmanager"), st.form(ALERTMANAGER, border=False):
        components.subtitle("Alertmanager")
        components.soft(_("Used to acknowledge sessions and to test alerts. Leave empty to disable."))
        st.text_input(
            label(_("Address"), settings, "alertmanager_url"),
            key=field_key(ALERTMANAGER, "url"),
            autocomplete="off",
            placeholder="http://127.0.0.1:9093",
            help=_(
                "It may contain a user and password, http://user:password@host:9093; they are never shown."
            ),
        )
        st.text_input(
            label(_("Token, set"), settings, "alertmanager_bearer_token") if is_set else _("Token, not set"),
            key=field_key(ALERTMANAGER, "bearer_token"),
            type="password",
            autocomplete="new-password",
            help=_("Only if Alertmanager requires a token instead of a password. It is never shown again."),
        )
        draw_notice(ALERTMANAGER, fields)
        st.form_submit_button(
            _("Save Alertmanager"),
            key="save-alertmanager",
            on_click=settings_alerting_actions.save_alertmanager,
            type="primary",
        )
