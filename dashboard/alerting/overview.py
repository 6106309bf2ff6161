"""Draw what Alertmanager does: the alerts that fire, the silences of sessions, the receivers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from html import escape
from typing import cast

import streamlit as st

from core.alertmanager.api import Alertmanager, FiringAlert, Silence
from core.exceptions import AlertmanagerError
from core.models import SessionSnapshot, Snapshot
from core.settings.values import AlertmanagerSettings
from dashboard import components, navigation, state
from dashboard.alerting.panel import draw_end_button, draw_pager
from dashboard.auth.users import Role
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.text import alerts as alert_text
from dashboard.text.links import runbook

MAX_AGE_SECONDS = 5.0
FIRST_SECONDS = 0.5
OURS = "Wppconnect"
"""The names of our alerts begin with it; others share the Alertmanager."""
NAMED = 3
"""More sessions of one silence are counted."""

_JOB = "alertmanager"


@dataclass(frozen=True)
class Overview:
    """What Alertmanager knows."""

    firing: Sequence[FiringAlert] = ()
    """Our alerts that call for somebody, the newest first."""
    receivers: Mapping[str, Iterable[str]] | None = None
    """Kinds of integration by receiver."""
    problem: str = ""
    """`AlertmanagerError.code` if it could not be asked, else ""."""


def read() -> Overview | None:
    """Return what Alertmanager knows; None until it is read, or if none is configured."""
    settings = state.settings().alertmanager
    if settings is None:
        return None
    found = state.background().fresh(_JOB, lambda: _ask(settings), max_age_seconds=MAX_AGE_SECONDS)
    return cast("Overview | None", found)


def begin() -> None:
    """Start asking Alertmanager and wait for it briefly."""
    read()
    state.background().wait(_JOB, FIRST_SECONDS)


def draw_overview(snapshot: Snapshot) -> None:
    """Draw everything; the next step if no Alertmanager is configured."""
    settings, formatter = state.settings().alertmanager, state.formatter(snapshot.taken_at)
    if settings is None:
        with st.container(key="panel"):
            components.note("idle", _("No Alertmanager is set up. Enter its address in the settings."))
            if state.may(Role.ADMINISTRATOR):
                st.page_link(navigation.SETTINGS.script, label=_("Settings"))
        return
    known = read()
    if known is None:
        components.soft(_("Loading..."))
    elif known.problem:
        components.note("bad", alert_text.problem(formatter, known.problem), icon="warning")
    else:
        _draw_firing(formatter, known.firing)
        _draw_silences(formatter, snapshot, state.alerting().silences(settings).found)
        _draw_receivers(known.receivers or {})
    if state.may(Role.OPERATOR):
        components.subtitle(_("Test"))
        draw_pager(formatter)


def _ask(settings: AlertmanagerSettings) -> Overview:
    try:
        with closing(Alertmanager(settings)) as client:
            firing = [one for one in client.firing() if one.name.startswith(OURS) and one.severity != "none"]
            return Overview(sorted(firing, key=lambda one: one.since, reverse=True), client.kinds())
    except AlertmanagerError as error:
        return Overview(problem=error.code)


def _draw_firing(formatter: LocaleFormatter, firing: Sequence[FiringAlert]) -> None:
    components.subtitle(_("Firing alerts"))
    if not firing:
        components.soft(_("No firing alerts."))
        return
    rows = []
    for one in firing:
        exact = escape(formatter.exactly(one.since), quote=True)
        where = components.session_link(one.server, one.session) if one.session else escape(one.server)
        silenced = escape(_("silenced")) if one.is_silenced else ""
        link = components.new_tab_link(runbook(one.name), _("Runbook"))
        rows.append(
            f'<tr><td title="{exact}">{escape(formatter.moment(one.since))}</td><td>{where}</td>'
            f'<td>{escape(one.summary or one.name)} <span class="ops-soft">{silenced}</span> '
            f"{link}</td></tr>"
        )
    _draw_table((_("Since"), _("Session"), _("Alert")), rows)


def _draw_silences(formatter: LocaleFormatter, snapshot: Snapshot, silences: Sequence[Silence]) -> None:
    components.subtitle(_("Silences"))
    sessions = [one for server in snapshot.servers for one in server.sessions]
    is_any = False
    for silence in sorted(silences, key=lambda one: one.until):
        covered = [one for one in sessions if silence.covers(one.server, one.session)]
        if covered or any(silence.gateway == one.server for one in snapshot.servers):
            is_any = True
            _draw_silence(formatter, silence, covered)
    if not is_any:
        components.soft(_("No session is silenced."))


def _draw_silence(formatter: LocaleFormatter, silence: Silence, covered: Sequence[SessionSnapshot]) -> None:
    names = silence.gateway or ", ".join(one.session for one in covered[:NAMED])
    if len(covered) > NAMED and not silence.gateway:
        names = _("{names} and {count} more").format(names=names, count=len(covered) - NAMED)
    with st.container(key=f"silence-{silence.id}", horizontal=True, vertical_alignment="center"):
        words = alert_text.silence(formatter, silence)
        st.html(f'<div class="ops-break"><b>{escape(names)}</b><br>{escape(words)}</div>')
        # Any other that covers several was made in Alertmanager, and is ended there.
        if silence.gateway and state.may(Role.OPERATOR):
            draw_end_button((silence.gateway, ""), silence)
        elif len(covered) == 1 and state.may(Role.OPERATOR):
            draw_end_button((covered[0].server, covered[0].session), silence)


def _draw_receivers(receivers: Mapping[str, Iterable[str]]) -> None:
    components.subtitle(_("Receivers"))
    nobody = _("no recipients")
    rows = [
        f"<tr><td>{escape(name)}</td><td>{escape(', '.join(sorted(kinds)) or nobody)}</td></tr>"
        for name, kinds in receivers.items()
    ]
    _draw_table((_("Receiver"), _("Channels")), rows)


def _draw_table(heads: Sequence[str], rows: Sequence[str]) -> None:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(rows)
    st.html(f'<table class="ops-history"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')
