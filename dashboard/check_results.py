"""Draw what a gateway said to the questions of the settings page."""

from __future__ import annotations

import streamlit as st

from dashboard import components, state
from dashboard.checks import Discovery, Finding
from dashboard.i18n import gettext as _
from dashboard.words import CHECKS

RESULT_SECONDS = 1


@st.fragment(run_every=RESULT_SECONDS)
def draw_results(server: str) -> None:
    """Draw what the gateway said; background threads ask it."""
    state.user()
    check = state.background().job(("check", server))
    if check.running:
        components.waiting(_("Asking the gateway"))
    elif isinstance(check.value, tuple):
        components.findings([draw_finding(one) for one in check.value])
    found = state.background().job(("discover", server))
    if found.running:
        components.waiting(_("Asking the gateway for its sessions"))
    elif isinstance(found.value, Discovery):
        draw_discovery(found.value)


def draw_finding(finding: Finding) -> tuple[str, str]:
    """Tell one answer of the connection test: its tone and its words."""
    well, ill, unknown = CHECKS[finding.code]
    tone, words = {True: ("good", well), False: ("bad", ill), None: ("idle", unknown)}[finding.ok]
    detail = f" ({finding.detail})" if finding.detail else ""
    return tone, _(words) + detail


def draw_discovery(found: Discovery) -> None:
    """Tell which sessions were found."""
    if found.problem == "unreadable":
        components.note("warn", _("The gateway's list of sessions could not be understood."), icon="warning")
    elif found.problem:
        components.note("bad", found.problem, icon="cut")
    elif found.added:
        text = _("Added, paused: {sessions}. Resume those that you want checked.")
        components.note("good", text.format(sessions=", ".join(found.added)), icon="check")
    else:
        components.note("idle", _("The gateway has no session that is not here already."))
    if found.odd:
        text = _("Left out, because such names break tokens or files on the gateway: {sessions}")
        components.note("warn", text.format(sessions=", ".join(found.odd)), icon="warning")
