"""Sessions: every session with its verdict, uptime and main action, problems first."""

from collections.abc import Sequence

import streamlit as st

from core.models import ServerSnapshot, SessionSnapshot
from dashboard import components, formatting, session_state, state
from dashboard.activity import history_cache
from dashboard.alerting.panel import ask_acknowledge, silence_of
from dashboard.auth.users import Role
from dashboard.charts import availability
from dashboard.charts.probe_durations import draw_probe_durations
from dashboard.dialogs.opened import draw_asked
from dashboard.formatting import LocaleFormatter
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.overview import filter_bar as overview_filter
from dashboard.overview import fleet_bar
from dashboard.overview import selection as overview
from dashboard.overview.filter_bar import Filtered
from dashboard.overview.gateway_card import draw_card
from dashboard.overview.gateway_lines import draw_gateways
from dashboard.overview.row import Row, draw_row
from dashboard.overview.selection import Entry, Fold, Group
from dashboard.session import actions
from dashboard.session.pause_dialogs import ask_pause_gateway
from dashboard.text import track as track_text
from dashboard.words import look

REFRESH_SECONDS = 2


def draw_nothing_yet(servers: Sequence[ServerSnapshot]) -> None:
    """Draw the next step while no session is configured."""
    with st.container(key="panel"):
        if servers:
            text = _("No session is set up yet. Add one by name, or look for the gateway's sessions.")
        else:
            text = _("No gateway is set up yet. To start, enter the address of your WPPConnect Server.")
        components.note("idle", text)
        if not state.may(Role.ADMINISTRATOR):
            components.soft(_("Ask an administrator to do this."))
            return
        label = _("Add a session") if servers else _("Add a gateway")
        st.button(label, key="to-settings", on_click=actions.open_settings, type="primary")


def draw_entries(
    formatter: LocaleFormatter, groups: Sequence[Group], found: Sequence[Entry], *, shows_server: bool
) -> None:
    """Draw the current page of the list, with a heading above each group."""
    records = history_cache.track_records()
    headings = {id(one): group for group in groups for one in group.entries}
    above = None
    with st.container(key="session-rows"):
        for entry in overview_filter.on_page(found):
            group = headings.get(id(entry))
            if group is not above and group is not None:
                fleet_bar.draw_group(formatter, group)
            above = group
            if isinstance(entry, Fold):
                draw_card(formatter, entry, records)
            else:
                record = records.get((entry.server, entry.session))
                draw_row(formatter, Row(entry, record, shows_server))
    overview_filter.draw_pages(found)


def tab_state(sessions: Sequence[SessionSnapshot]) -> str:
    """Return title and icon of the browser's tab: the number of problems, and the tone of the worst."""
    found = formatting.problems(sessions)
    if not found:
        return components.tab_state(_("Sessions"), "good" if sessions else "idle")
    return components.tab_state(f"({len(found)}) " + _("Sessions"), look(found[0]).tone)


@fragment(run_every=REFRESH_SECONDS)
def draw_sessions() -> None:
    """Draw everything that changes. Reads memory only."""
    state.user()
    session_state.switch_to_requested_page()
    snapshot = state.snapshot()
    formatter = state.formatter(snapshot.taken_at)
    everything = [one for server in snapshot.servers for one in server.sessions]
    handled = [(one.server, one.session) for one in formatting.problems(everything) if silence_of(one)]
    sessions = overview.in_order(everything, handled)
    st.html(components.heading(_("Sessions"), formatting.summary(formatter, sessions)) + tab_state(sessions))
    components.troubles()
    above = st.container()
    servers = sorted((server.server for server in snapshot.servers), key=formatting.by_name)
    filtered = Filtered([])
    if sessions:
        filtered = overview_filter.draw_filter(formatter, sessions, servers)
    found, grouping = filtered
    entries = overview.entries(found, snapshot.servers)
    groups: list[Group] = []
    if grouping is not None:
        groups = overview.grouped(entries, overview_filter.settings_of_sessions(), grouping)
        entries = [one for group in groups for one in group.entries]
    folded = {one.gateway.server for one in entries if isinstance(one, Fold)}
    with above:
        for server in snapshot.servers:
            components.banners(formatter, server, is_folded=server.server in folded)
    if not sessions:
        draw_nothing_yet(snapshot.servers)
        return
    fleet_bar.draw_fleet(formatter, found, offer=len(sessions) > 1 and bool(found))
    if entries:
        draw_entries(formatter, groups, entries, shows_server=len(servers) > 1)
    else:
        overview_filter.draw_nothing_found()
    if len(sessions) > 1:
        lost_now = any(one.lost_at for one in sessions)
        components.draw(
            track_text.fleet(formatter, history_cache.track_records().values(), lost_now=lost_now)
        )
    draw_gateways(formatter, snapshot.servers)


history_cache.begin_track_records()
draw_sessions()
availability.begin()
availability.draw_availability()
draw_probe_durations()
draw_asked(
    {"acknowledge": ask_acknowledge, "pause-gateway": ask_pause_gateway, fleet_bar.QUESTION: fleet_bar.ask}
)
