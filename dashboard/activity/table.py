"""Draw the activity: filter, table, pagination and download link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.models import HistoryEntry, Snapshot
from dashboard import components, state
from dashboard.activity import actions as activity_actions
from dashboard.activity import history_cache
from dashboard.activity.actions import PAGE, widget
from dashboard.activity.lines import PERIODS, USUAL_PERIOD, Lines, Wanted
from dashboard.activity.spreadsheet import PATH
from dashboard.formatting import LocaleFormatter, by_name
from dashboard.i18n import gettext as _
from dashboard.text.history import tell
from dashboard.words import HISTORY_KINDS


def draw_filter(snapshot: Snapshot) -> Wanted:
    """Draw the filter and return the query. The URL keeps it."""
    kinds = [one for one in HISTORY_KINDS if one in history_cache.visible_kinds()]
    servers = sorted((server.server for server in snapshot.servers), key=by_name)
    names = {one.session for server in snapshot.servers for one in server.sessions}
    sessions = sorted(names, key=by_name)
    with st.container(key="filter", horizontal=True, vertical_alignment="bottom"):
        period = choose("period", _("Time"), list(PERIODS), lambda one: _(PERIODS[one]), usual=USUAL_PERIOD)
        kind = choose("kind", _("Type"), kinds, lambda one: _(HISTORY_KINDS[one]))
        server = choose("server", _("Gateway"), servers, str) if len(servers) > 1 else ""
        session = choose("session", _("Session"), sessions, str)
        person = st.text_input(
            _("User"),
            value=st.query_params.get("person", ""),
            key=widget(PAGE, "person"),
            on_change=activity_actions.keep_filter,
            args=(PAGE,),
            placeholder=_("Everyone"),
            max_chars=100,
            width=180,
        )
    return Wanted(server=server, session=session, kind=kind, person=(person or "").strip(), period=period)


def table(formatter: LocaleFormatter, entries: Sequence[HistoryEntry]) -> str:
    """Return the entries as an HTML table, the newest first."""
    heads = (_("Time"), _("Session"), _("Event"), _("User"))
    rows = "".join(_row(formatter, entry) for entry in entries)
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return (
        f'<table class="ops-history ops-activity"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def draw_footer(lines: Lines) -> None:
    """Draw the pagination and the download link."""
    with st.container(key="pages", horizontal=True, vertical_alignment="center"):
        for label, key, page, offered in (
            (_("Newer"), "newer", lines.page - 1, lines.page > 1),
            (_("Older"), "older", lines.page + 1, lines.has_older),
        ):
            if lines.page > 1 or lines.has_older:
                st.button(label, key=key, disabled=not offered, on_click=activity_actions.turn, args=(page,))
        wanted = {name: value for name, value in vars(lines.wanted).items() if value}
        query = urlencode(wanted | {"zone": state.zone_name()})
        link = f'<a class="ops-anchor" href="{PATH[1:]}?{escape(query, quote=True)}" download>'
        words = escape(_("Download as CSV"))
        st.html(f"{link}{words}</a>", width="content")


def draw_nothing(wanted: Wanted) -> None:
    """Draw a note that no entry matches, with the next step."""
    with st.container(key="panel"):
        if wanted == Wanted(period="all"):
            components.note("idle", _("No activity yet. Changes of sessions appear here."))
            return
        components.note("idle", _("Nothing matches in this period."))
        label = _("Clear filters")
        st.button(label, key="show-all", on_click=activity_actions.show_all, type="primary")


def choose(
    name: str,
    label: str,
    options: Sequence[str],
    words: Callable[[str], str],
    *,
    usual: str = "",
    page: str = PAGE,
) -> str:
    """Draw one part of a filter, with its initial value from the URL; return it."""
    offered = options if usual else ["", *options]
    given = st.query_params.get(name, usual)
    if given not in offered:
        # A link may name a session that has been removed: its history is still there.
        offered = [*offered, given]
    return st.selectbox(
        label,
        offered,
        index=offered.index(given),
        format_func=lambda one: (words(one) if one in options else one) or _("All"),
        key=widget(page, name),
        on_change=activity_actions.keep_filter,
        args=(page,),
        width=180,
    )


def _row(formatter: LocaleFormatter, entry: HistoryEntry) -> str:
    told = tell(formatter, entry)
    exact = escape(formatter.exactly(entry.at), quote=True)
    _ = formatter.translate
    where = escape(_("Gateway {server}").format(server=entry.server)) if entry.server else ""
    if entry.session:
        where = components.session_link(entry.server or "", entry.session)
    tone = f' class="ops-says-{told.tone}"' if told.tone else ""
    result = f' <span class="ops-soft">{escape(told.result)}</span>' if told.result else ""
    return (
        f'<tr><td title="{exact}">{escape(formatter.moment(entry.at))}</td><td>{where}</td>'
        f"<td><span{tone}>{escape(told.what)}</span>{result}</td><td>{escape(entry.actor or '')}</td></tr>"
    )
