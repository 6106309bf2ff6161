"""Session: state, next step and history of one session; opened by `/session?server=...&session=...`."""

import streamlit as st

from core.gateways.protocol import Capability
from core.gateways.registry import offers
from core.models import SessionSnapshot, Verdict
from dashboard import components, formatting, navigation, session_state, state
from dashboard.activity import history_cache
from dashboard.alerting.panel import (
    ask_acknowledge,
    draw_acknowledgement,
    draw_alerting_problem,
    draw_end,
    silence_line,
)
from dashboard.auth.users import Role
from dashboard.dialogs import opened
from dashboard.dialogs.opened import draw_asked
from dashboard.doctor.panel import draw_doctor
from dashboard.formatting import LocaleFormatter, plain
from dashboard.fragments import fragment
from dashboard.handoff.panel import draw_handoff
from dashboard.i18n import gettext as _
from dashboard.session import actions
from dashboard.session.controls import Control, controls
from dashboard.session.history import draw_session_history, draw_states
from dashboard.session.pairing import draw_panel
from dashboard.session.pause_dialogs import ask_pause
from dashboard.text import links as link_text
from dashboard.text.engine import formatter_for
from dashboard.words import look

REFRESH_SECONDS = 1


def draw_header(formatter: LocaleFormatter, session: SessionSnapshot) -> None:
    """Draw the name, the verdict and its reason."""
    title, tone = formatting.tab_title(formatter, session), look(session).tone
    st.html(components.heading(session.session, session.server) + components.tab_state(title, tone))
    with st.container(key="state", horizontal=True, vertical_alignment="center"):
        badge, since = components.badge(formatter, session), components.since(formatter, session)
        st.html(f'<div class="ops-line">{badge}{since}</div>', width="content")
        draw_acknowledgement(session)
    components.draw(
        components.maintenance_line(formatter, session)
        + components.facts(formatter, session)
        + components.pause_line(formatter, session)
        + silence_line(formatter, session)
        + components.about(formatter, session)
    )
    draw_alerting_problem(formatter, session.server, session.session)


def links(session: SessionSnapshot) -> str:
    """Return the links to the runbook of an outage and to the session's dashboard in Grafana, as HTML."""
    runbook, grafana_url = link_text.runbook_of(session), state.settings().grafana_url
    found = [components.new_tab_link(runbook, _("Runbook"))] if runbook else []
    if grafana_url is not None:
        address = link_text.grafana(grafana_url, session.server, session.session)
        found.append(components.new_tab_link(address, "Grafana"))
    return f'<div class="ops-line ops-links">{"".join(found)}</div>' if found else ""


@fragment(run_every=REFRESH_SECONDS)
def draw_session(server: str, name: str) -> None:
    """Draw the verdict and the available actions. Reads memory only."""
    state.user()
    session_state.switch_to_requested_page()
    snapshot = state.snapshot()
    formatter = state.formatter(snapshot.taken_at)
    session = snapshot.session(server, name)
    if session is None:
        draw_missing(server, name)
        return
    formatter = formatter_for(formatter, session)
    if session.enabled and session.verdict != Verdict.CONNECTED:
        state.watch(server, name)
    draw_header(formatter, session)
    components.troubles()
    found = snapshot.server(server)
    if found is not None and session.maintenance_until is None:
        components.banners(formatter, found)
    with st.container(key="panel"):
        draw_panel(formatter, session, state.operation(server, name))
        if session.verdict is Verdict.CONNECTED:
            draw_end(formatter, session)
    # Below the code: it has to be whole on the screen, with all that is said above it.
    components.draw(links(session))
    draw_handoff(formatter, session, state.operation(server, name))
    draw_doctor(formatter, session, state.operation(server, name))


def draw_missing(server: str, name: str) -> None:
    """Draw a note that the session does not exist, with possible causes."""
    text = _(
        "There is no session {session} on {server}. It may have been removed or renamed in the settings."
    )
    components.note("warn", text.format(session=name, server=server), icon="question")


@fragment(run_every=REFRESH_SECONDS)
def draw_controls(server: str, name: str) -> None:
    """Draw the less common actions that the session's state allows."""
    state.user()
    session = state.snapshot().session(server, name)
    if session is None:
        return
    gateway = state.snapshot().server(server)
    can_close = gateway is not None and offers(gateway, Capability.CLOSE)
    offered = controls(session, state.operation(server, name), can_close=can_close)
    if not offered:
        return
    names, key = (server, name), f"{server}-{name}"
    with (
        st.expander(_("More for {session}").format(session=plain(name)), key=f"more-{key}"),
        st.container(horizontal=True),
    ):
        if Control.RESTART in offered:
            label = _("Restart {session}").format(session=plain(name))
            st.button(label, key=f"restart-more-{key}", on_click=actions.restart, args=names)
        if Control.CLOSE in offered:
            label = _("Close {session}").format(session=plain(name))
            if st.button(label, key=f"close-{key}"):
                opened.ask("close", *names)
        if Control.LOG_OUT in offered:
            label = _("Log out {session}").format(session=plain(name))
            if st.button(label, key=f"logout-{key}"):
                opened.ask("log_out", *names)
        if Control.PAUSE in offered:
            label = _("Pause {session}").format(session=plain(name))
            if st.button(label, key=f"pause-{key}"):
                opened.ask("pause", *names)


def ask_close(server: str, name: str) -> None:
    """Open the dialog that confirms closing a session."""
    label = _("Close {session}").format(session=plain(name))
    text = _(
        "The session stops sending and receiving until it is started again. A linked phone stays linked: "
        "no scan will be needed."
    )

    @st.dialog(_("Close {session}?").format(session=plain(name)))
    def ask() -> None:
        state.user()
        st.write(text)
        components.answers(label, f"close-yes-{server}-{name}", actions.close, (server, name))

    ask()


def ask_log_out(server: str, name: str) -> None:
    """Open the dialog that confirms unlinking a phone."""
    label = _("Log out {session}").format(session=plain(name))
    text = _(
        "The phone is unlinked. This cannot be undone: to use the session again, someone with the phone "
        "must scan a new code. The session is also paused."
    )

    @st.dialog(_("Log out {session}?").format(session=plain(name)))
    def ask() -> None:
        state.user()
        st.write(text)
        components.answers(label, f"logout-yes-{server}-{name}", actions.log_out, (server, name))

    ask()


state.user()
server_name = st.query_params.get("server", "")
session_name = st.query_params.get("session", "")
if st.query_params.get("pair") == "1":
    # Removed from the URL: a reload or a bookmark must not act as a click on an alert's link.
    del st.query_params["pair"]
    session_state.set_alert_link(server_name, session_name)
history_cache.begin_history(server_name, session_name)
history_cache.begin_track_records()
with st.container(key="ops-back"):
    st.page_link(navigation.SESSIONS.script, label=_("← All sessions"))
main, side = st.columns([3, 2], gap="medium")
with main:
    draw_session(server_name, session_name)
    if state.snapshot().session(server_name, session_name) is not None:
        draw_states(server_name, session_name)
with side:
    known = state.snapshot().session(server_name, session_name)
    if known is not None:
        if state.may(Role.OPERATOR):
            draw_controls(server_name, session_name)
        draw_session_history(server_name, session_name)
draw_asked({"acknowledge": ask_acknowledge, "close": ask_close, "log_out": ask_log_out, "pause": ask_pause})
