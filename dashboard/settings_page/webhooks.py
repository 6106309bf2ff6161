"""Draw the form that asks for webhooks that are unknown, so that no pairing has to."""

from __future__ import annotations

import streamlit as st

from core.settings.values import ServerSettings
from dashboard import components, session_state
from dashboard.formatting import by_name, plain
from dashboard.i18n import gettext as _
from dashboard.settings_page import actions as settings_actions
from dashboard.settings_page.fields import WEBHOOK_NONE, WEBHOOK_URL
from dashboard.settings_page.form import field_key


def draw_unknown_webhooks(server: ServerSettings) -> None:
    """Draw the question for the webhook of all sessions of which it is unknown, if there are any."""
    form = settings_actions.webhooks_form(server.name)
    names = sorted((one.name for one in server.sessions if one.webhook is None), key=by_name)
    if not names:
        components.draw_notice(session_state.notice(form))
        return
    labels = {WEBHOOK_NONE: _("There is no webhook"), WEBHOOK_URL: _("The webhook is:")}
    with st.form(form, border=False):
        components.subtitle(
            _("Webhook unknown: {count} of {all} sessions").format(
                count=len(names), all=len(server.sessions)
            ),
            level=3,
        )
        components.soft(
            _(
                "The webhook is the address of the application that receives the messages. Pairing may "
                "delete it on the gateway unless it is known here. While it is unknown, pairing asks first, "
                "even at night."
            )
        )
        st.radio(
            _("Webhook of these sessions"),
            list(labels),
            index=None,
            format_func=lambda word: labels[word],
            key=field_key(form, "webhook"),
        )
        st.text_input(
            _("Address of the webhook"),
            key=field_key(form, "webhook_url"),
            autocomplete="off",
            placeholder="https://",
            label_visibility="collapsed",
        )
        st.multiselect(
            _("Applies to"),
            names,
            format_func=plain,
            key=field_key(form, "sessions"),
            placeholder=_("All {count} sessions").format(count=len(names)),
        )
        components.draw_notice(session_state.notice(form))
        st.form_submit_button(
            _("Save webhook"),
            key=f"save-webhooks-{server.name}",
            on_click=settings_actions.save_webhooks,
            args=(server.name,),
        )
