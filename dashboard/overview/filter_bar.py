"""The filter and the pagination of the overview. Both are kept in the URL, so that links preserve them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from core.models import SessionSnapshot
from core.settings.values import SessionSettings, all_tags
from dashboard import components, session_state, state
from dashboard.formatting import LocaleFormatter, verdict_label
from dashboard.i18n import gettext as _
from dashboard.overview import actions as overview_actions
from dashboard.overview import selection as overview
from dashboard.overview.actions import GROUP, GROUPING, PAGE, SERVER, TAG, TEXT, VERDICT, VERDICTS
from dashboard.overview.selection import Entry, Grouping

FEW = 6
"""Up to this number of sessions the filter is hidden."""

ROWS = 25
"""Rows per page. More of them slow the browser down, and problems are sorted first."""


class Filtered(NamedTuple):
    """The sessions that match the filter, and what they are grouped by."""

    sessions: list[SessionSnapshot]
    grouping: Grouping | None = None


def settings_of_sessions() -> dict[tuple[str, str], SessionSettings]:
    """Return the settings of all sessions, by gateway and session."""
    return {(server.name, one.name): one for server in state.settings().servers for one in server.sessions}


def draw_filter(
    formatter: LocaleFormatter, sessions: Sequence[SessionSnapshot], servers: Sequence[str]
) -> Filtered:
    """Draw the filter and return the sessions that match."""
    wanted = st.query_params.get_all(VERDICT)
    names = (TEXT, SERVER, TAG, VERDICT, GROUP)
    if len(sessions) <= FEW and not any(name in st.query_params for name in names):
        return Filtered(list(sessions))
    known = settings_of_sessions()
    tags = all_tags(known.values())
    with st.container(key="filter", horizontal=True, vertical_alignment="top"):
        text = st.text_input(
            _("Find a session"),
            key=TEXT,
            type="search",
            placeholder=_("Part of the name"),
            live=True,
            bind="query-params",
            max_chars=60,
            width=260,
        )
        server = _draw_choice(SERVER, _("Gateway"), _("All gateways"), servers, least=2)
        tag = _draw_choice(TAG, _("Tag"), _("All tags"), tags, least=1)
        matching = overview.chosen(sessions, known, text=text or "", server=server, tag=tag)
        counts = overview.present(matching, wanted)
        if not counts:
            return Filtered([])
        verdicts = st.pills(
            _("Status"),
            list(counts),
            selection_mode="multi",
            default=[one for one in counts if one in wanted],
            format_func=lambda one: f"{verdict_label(formatter, one)} {counts[one]}",
            key=VERDICTS,
            on_change=overview_actions.keep_verdicts,
            wrap=True,
        )
        grouping = _draw_grouping(has_gateways=len(servers) > 1, has_tags=bool(tags))
    return Filtered(overview.chosen(matching, known, verdicts=verdicts), grouping)


def _draw_choice(key: str, label: str, every: str, words: Sequence[str], *, least: int) -> str:
    """Draw a selection where there is something to select; "" means all."""
    if len(words) < least:
        return ""
    return st.selectbox(
        label,
        ["", *words],
        format_func=lambda word: word or every,
        key=key,
        bind="query-params",
        width=170,
    )


def _draw_grouping(*, has_gateways: bool, has_tags: bool) -> Grouping | None:
    """Draw the selection of what the list is grouped by, where there is something to group by."""
    labels: dict[str, str] = {"": _("Not grouped")}
    if has_gateways:
        labels[Grouping.GATEWAY] = _("By gateway")
    if has_tags:
        labels[Grouping.TAG] = _("By tag")
    if len(labels) == 1:
        return None
    options, wanted = list(labels), st.query_params.get(GROUP, "")
    chosen = st.selectbox(
        _("Group"),
        options,
        index=options.index(wanted) if wanted in options else 0,
        format_func=lambda word: labels[word],
        key=GROUPING,
        on_change=overview_actions.keep_grouping,
        width=170,
    )
    return Grouping(chosen) if chosen else None


def draw_nothing_found() -> None:
    """Draw a note that no session matches, and a button that clears the filter."""
    with st.container(key="panel"):
        components.note("idle", _("No session matches."))
        st.button(_("Clear filters"), key="show-all", on_click=overview_actions.show_all, type="primary")


def on_page(found: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries on the current page of the list."""
    first = (_page(len(found)) - 1) * ROWS
    return found[first : first + ROWS]


def draw_pages(found: Sequence[Entry]) -> None:
    """Draw the pagination, if there is more than one page. It counts sessions, those of gateways included."""
    if len(found) > ROWS:
        first = (_page(len(found)) - 1) * ROWS
        before, here, count = (
            sum(map(overview.size, some)) for some in (found[:first], found[first : first + ROWS], found)
        )
        with st.container(key="pages", horizontal=True, vertical_alignment="center"):
            st.pagination(_pages(len(found)), key=PAGE, bind="query-params")
            told = _("{first} to {last} of {count}")
            components.soft(told.format(first=before + 1, last=before + here, count=count))


def _page(count: int) -> int:
    # The list may have become shorter since the page was chosen; Streamlit then also returns to page 1.
    page = (
        int(session_state.value(PAGE))
        if session_state.has_value(PAGE)
        else _number(st.query_params.get(PAGE, ""))
    )
    return page if 1 <= page <= _pages(count) else 1


def _pages(count: int) -> int:
    return max(1, -(-count // ROWS))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
