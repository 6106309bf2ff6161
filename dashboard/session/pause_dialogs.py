"""Dialogs that ask for the reason and the end of a pause."""

from __future__ import annotations

import streamlit as st

from dashboard import components, state
from dashboard.dialogs.until_form import draw_until
from dashboard.formatting import plain
from dashboard.i18n import gettext as _
from dashboard.session import actions


def ask_pause(server: str, session: str) -> None:
    """Open the dialog that pauses a session."""
    label = _("Pause {session}").format(session=plain(session))
    text = _("Meanwhile the session is not checked and raises no alerts. It keeps running on the gateway.")

    @st.dialog(_("Pause {session}?").format(session=plain(session)))
    def ask() -> None:
        state.user()
        st.write(text)
        draw_until(actions.pause_form(server, session), may_stay_open=True)
        components.answers(label, f"pause-yes-{server}-{session}", actions.pause, (server, session))

    ask()


def ask_pause_gateway(server: str) -> None:
    """Open the dialog that pauses a gateway."""
    label = _("Pause the gateway {server}").format(server=plain(server))
    text = _("Meanwhile its sessions are not checked and raise no alerts.")

    @st.dialog(_("Pause the gateway {server}?").format(server=plain(server)))
    def ask() -> None:
        state.user()
        st.write(text)
        draw_until(actions.pause_form(server, ""), may_stay_open=True)
        components.answers(label, f"pause-gateway-yes-{server}", actions.pause_gateway, (server,))

    ask()
