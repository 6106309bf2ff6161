"""Draw the form that adds a gateway, and the test that it has to pass first."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard import components, formatting, session_state, state
from dashboard.doctor.panel import draw_diagnosis
from dashboard.formatting import plain
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.session_state import Notice
from dashboard.settings_page import actions as settings_actions
from dashboard.settings_page.actions import ADD_SERVER
from dashboard.settings_page.checks import CHOICE_LIFE, Trial
from dashboard.settings_page.form import draw_notice, field_key, open_form

TRIAL_SECONDS = 1


def draw_add_server(*, is_first: bool) -> None:
    """Draw the form that adds a gateway."""
    open_form(ADD_SERVER, {"name": "main" if is_first else "", "url": "", "secret_key": ""})
    with (
        st.container(key="add-gateway"),
        st.expander(_("Add a gateway"), expanded=is_first, key="add-gateway-form"),
    ):
        with st.form(ADD_SERVER, border=False):
            st.text_input(
                _("Name"),
                key=field_key(ADD_SERVER, "name"),
                max_chars=40,
                autocomplete="off",
                help=_("A name for it: 1 to 40 letters, digits, _ or -"),
            )
            st.text_input(
                _("Address"),
                key=field_key(ADD_SERVER, "url"),
                autocomplete="off",
                placeholder="http://127.0.0.1:21465",
            )
            st.text_input(
                _("Secret key"),
                key=field_key(ADD_SERVER, "secret_key"),
                type="password",
                autocomplete="new-password",
                help=_("The gateway's own secret key. It is never shown again."),
            )
            draw_notice(ADD_SERVER)
            st.form_submit_button(
                _("Test and add the gateway"),
                key="save-add-server",
                on_click=settings_actions.add_server,
                type="primary",
            )
        draw_trial()


@fragment(run_every=TRIAL_SECONDS)
def draw_trial() -> None:
    """Draw the test of the gateway that the user adds. If it failed, it is added only by another click."""
    key = settings_actions.trial_key(state.user().name)
    job = state.background().job(key)
    if job.running:
        components.waiting(_("Testing the gateway"))
        return
    trial = job.value
    if not isinstance(trial, Trial):
        return
    if trial.is_saved or datetime.now(UTC) - trial.at > CHOICE_LIFE:
        state.background().forget(key)
    if trial.is_saved:
        text = _("The gateway {server} passed its test and was added.").format(server=trial.server.name)
        session_state.set_notice("settings", Notice("good", text))
        session_state.remember_opened(ADD_SERVER, None)
        st.rerun()
    draw_diagnosis(trial.diagnosis)
    if trial.problems:
        components.note("bad", "\n".join(formatting.settings_problem(_, one) for one in trial.problems))
        return
    server = plain(trial.server.name)
    components.soft(_("{server} was not added. Correct the values and try again.").format(server=server))
    st.button(
        _("Add {server} anyway").format(server=server),
        key="add-untested",
        on_click=settings_actions.add_untested,
    )
