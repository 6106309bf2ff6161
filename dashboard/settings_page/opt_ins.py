"""Optional features of a gateway: off by default, each with its cost and risk."""

from __future__ import annotations

import streamlit as st

from core.settings.values import Settings
from dashboard import components, state
from dashboard.i18n import gettext as _
from dashboard.settings_page.form import field_key, label


def draw_opt_ins(form: str, settings: Settings, server: str) -> None:
    """Draw the fields, inside a gateway's form."""
    path = f"servers.{server}"
    st.number_input(
        label(
            _("Minutes between two end-to-end checks, 0 for never"), settings, f"{path}.end_to_end_minutes"
        ),
        step=5.0,
        format="%g",
        key=field_key(form, "end_to_end_minutes"),
    )
    components.soft(
        _(
            "A gateway goes on saying connected when its browser has lost WhatsApp. With this check each "
            "session asks WhatsApp to look up a number: its own with digits added, which is nobody's. It "
            "costs the gateway two calls. WhatsApp may take frequent look-ups for misuse and block the "
            "number: 15 minutes or more are advised, and less than 5 is refused."
        )
    )
    found = state.snapshot().server(server)
    if found is not None and found.end_to_end_offered is False:
        components.soft(_("This gateway does not offer what the check asks: it finds out nothing here."))
    st.toggle(
        label(_("Self-healing: restart sessions that do not respond"), settings, f"{path}.self_healing"),
        key=field_key(form, "self_healing"),
    )
    components.soft(
        _(
            "A session that does not respond, or is stuck while starting, is closed and started again: one "
            "at a time, after a minute, at most three times in an outage, each time after a longer wait. "
            "Each restart is a new browser on the gateway. Left alone are sessions that were unlinked, "
            "logged out, closed or paused, those that wait for a scan, and whatever somebody is working on."
        )
    )
