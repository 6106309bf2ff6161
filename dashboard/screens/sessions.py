"""Sessions: every session with its verdict, problems first, and the one button that fits."""

from collections.abc import Callable
from html import escape

import streamlit as st

from core.models import ServerSnapshot, SessionSnapshot, Verdict
from dashboard import actions, components, formatting, state
from dashboard.auth.users import Role
from dashboard.formatting import Voice, plain
from dashboard.i18n import gettext as _
from dashboard.words import LOOKS

REFRESH_SECONDS = 2


def draw_card(voice: Voice, session: SessionSnapshot) -> None:
    """Draw one session; keyed by its name, so that a click never hits a neighbour that moved there."""
    names = (session.server, session.session)
    params = {"server": session.server, "session": session.session}
    with st.container(key=f"card-{session.server}-{session.session}"):
        st.page_link(state.SESSION_PAGE, label=plain(session.session), query_params=params)
        st.html(
            f'<div class="ops-line">{components.badge(voice, session)}{components.since(voice, session)}'
            f'<span class="ops-soft">{escape(session.server)}</span></div>{components.facts(voice, session)}'
        )
        label, key, action, arguments = button(session)
        st.button(
            label.format(session=plain(session.session)),
            key=f"{key}-{session.server}-{session.session}",
            on_click=action,
            args=arguments or names,
            type="primary" if LOOKS[session.verdict].tone == "bad" else "secondary",
            width="stretch",
        )


def button(session: SessionSnapshot) -> tuple[str, str, Callable[..., None], tuple[str, ...]]:
    """Choose the one button: its label, its key's beginning, what it does, and with what if not the names."""
    match session.verdict:
        case _ if not state.may(Role.OPERATOR):
            return _("Open {session}"), "open", actions.open_session, ()
        case Verdict.DISCONNECTED if session.ever_connected:
            return _("Re-pair {session}"), "repair", actions.pair_from_list, ()
        case Verdict.DISCONNECTED:
            return _("Pair {session}"), "repair", actions.pair_from_list, ()
        case Verdict.STUCK | Verdict.UNRESPONSIVE:
            return _("Restart {session}"), "restart", actions.restart_from_list, ()
        case Verdict.UNAUTHORIZED if state.may(Role.ADMINISTRATOR):
            return _("Check the secret key"), "secret", actions.open_settings, (session.server,)
        case Verdict.UNREACHABLE if state.may(Role.ADMINISTRATOR):
            return _("Check the address"), "address", actions.open_settings, (session.server,)
        case Verdict.PAUSED:
            return _("Resume {session}"), "resume", actions.resume, ()
        case Verdict.WAITING_FOR_QR:
            return _("Show the QR code of {session}"), "open", actions.open_session, ()
        case _:
            return _("Open {session}"), "open", actions.open_session, ()


def draw_nothing_yet(servers: tuple[ServerSnapshot, ...]) -> None:
    """Say what to do while there is no session."""
    with st.container(key="panel"):
        if servers:
            text = _("No session is set up yet. Add one by its name, or let the gateway tell which it has.")
        else:
            text = _("No gateway is set up yet. Enter the address of your WPPConnect Server to begin.")
        components.note("idle", text)
        if not state.may(Role.ADMINISTRATOR):
            components.soft(_("An administrator can do that."))
            return
        label = _("Add a session") if servers else _("Add a gateway")
        st.button(label, key="to-settings", on_click=actions.open_settings, type="primary")


@st.fragment(run_every=REFRESH_SECONDS)
def draw_sessions() -> None:
    """Draw everything that changes; memory only."""
    state.user()
    state.follow()
    snapshot = state.snapshot()
    voice = state.voice(snapshot.taken_at)
    sessions = [session for server in snapshot.servers for session in server.sessions]
    sessions.sort(key=lambda one: (LOOKS[one.verdict].urgency, one.server, one.session))
    st.html(components.heading(_("Sessions"), formatting.summary(voice, sessions)))
    components.troubles()
    for server in snapshot.servers:
        components.banners(server)
    if not sessions:
        draw_nothing_yet(snapshot.servers)
        return
    with st.container(key="session-grid"):
        for session in sessions:
            draw_card(voice, session)
    st.html(components.watcher_lines(snapshot.servers, state.settings().interval_seconds))


draw_sessions()
