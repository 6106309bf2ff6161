"""Draw the sessions that were found on a gateway, to choose from."""

from __future__ import annotations

import streamlit as st

from core.models import SessionState, Verdict
from dashboard import components, formatting, session_state, state
from dashboard.formatting import LocaleFormatter, plain
from dashboard.i18n import gettext as _
from dashboard.settings_page import actions as settings_actions
from dashboard.settings_page.actions import ADD_AS, CHECKED, PAUSED
from dashboard.settings_page.checks import Discovery
from dashboard.settings_page.form import field_key

VERDICTS = {
    SessionState.CONNECTED: Verdict.CONNECTED,
    SessionState.QRCODE: Verdict.WAITING_FOR_QR,
    SessionState.PHONECODE: Verdict.WAITING_FOR_CODE,
    SessionState.INITIALIZING: Verdict.STARTING,
    SessionState.CLOSED: Verdict.DISCONNECTED,
}
"""What an unproved state is called."""


def draw_discovery(formatter: LocaleFormatter, server: str, found: Discovery) -> None:
    """Draw the sessions that a gateway lists and the settings lack, each with its state."""
    if found.problem == "unreadable":
        components.note("warn", _("The gateway's list of sessions could not be understood."), icon="warning")
    elif found.problem:
        components.note("bad", formatting.cause(_, found.problem), icon="cut")
    else:
        configured = state.settings().server(server)
        known = {one.name for one in configured.sessions} if configured else set()
        names = [name for name in found.found if name not in known]
        if names:
            _draw_choice(formatter, server, found, names)
        else:
            components.note("idle", _("All sessions of the gateway are already here."))
        components.draw_notice(session_state.notice(settings_actions.found_form(server)))
    if found.odd:
        text = _("Not offered, because these names break tokens or files on the gateway: {sessions}")
        components.note("warn", text.format(sessions=", ".join(found.odd)), icon="warning")


def _draw_choice(formatter: LocaleFormatter, server: str, found: Discovery, names: list[str]) -> None:
    form = settings_actions.found_form(server)
    components.subtitle(_("Sessions found on {server}").format(server=server), level=3)
    ticked = 0
    for name in names:
        ticked += st.checkbox(
            f"{plain(name)} · {_state(formatter, found.found[name])}",
            value=found.found[name] is SessionState.CONNECTED,
            key=field_key(form, name),
        )
    if found.more:
        components.soft(_("{count} more will be listed once these are added.").format(count=found.more))
    if len(names) > 1:
        st.button(
            _("Select all {count}").format(count=len(names)),
            key=f"{form}-all",
            on_click=settings_actions.select_found,
            args=(server, names),
            type="tertiary",
        )
    labels = {CHECKED: _("Check them from now on"), PAUSED: _("Add them paused")}
    st.radio(
        _("How to add the selected sessions"),
        list(labels),
        format_func=lambda word: labels[word],
        key=field_key(form, ADD_AS),
        label_visibility="collapsed",
    )
    st.button(
        _("Add {count} selected").format(count=ticked),
        key=f"{form}-add",
        on_click=settings_actions.add_found,
        args=(server, names),
        type="primary",
        disabled=not ticked,
    )


def _state(formatter: LocaleFormatter, found: SessionState | None) -> str:
    verdict = VERDICTS.get(found) if found is not None else None
    return formatting.verdict_label(formatter, verdict or Verdict.UNKNOWN)
