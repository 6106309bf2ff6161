"""Draw the results of the checks on the settings page."""

from __future__ import annotations

import streamlit as st

from core.messages.operation import STEPS
from core.models import Outcome
from dashboard import components, formatting, state
from dashboard.doctor.panel import draw_diagnosis
from dashboard.fragments import fragment
from dashboard.i18n import N_
from dashboard.i18n import gettext as _
from dashboard.settings_page.checks import Asked, Discovery
from dashboard.settings_page.found_sessions import draw_discovery

RESULT_SECONDS = 1

QUESTIONS = {
    "check": N_("Diagnosis is running"),
    "discover": N_("Looking for sessions"),
    "remove": STEPS["removing"],
}


@fragment(run_every=RESULT_SECONDS)
def draw_results(server: str, drawn: tuple[str, ...]) -> None:
    """Draw the results of the background checks of a gateway.

    `drawn` are the sessions in the list below. If the settings have others, the whole page is rerun.
    """
    state.user()
    present = state.settings().server(server)
    if present is not None and tuple(one.name for one in present.sessions) != drawn:
        st.rerun()
    for question, words in QUESTIONS.items():
        if state.background().job((question, server)).running:
            components.waiting(_(words))
            continue
        asked = answer(question, server)
        if asked is None:
            continue
        if isinstance(asked.result, Outcome):
            draw_outcome(asked.result)
            continue
        formatter = state.formatter(state.snapshot().taken_at)
        if isinstance(asked.result, Discovery):
            draw_discovery(formatter, server, asked.result)
        else:
            draw_diagnosis(asked.result)
        is_saved = asked.is_of_saved(state.settings().server(server))
        told = (
            _("Asked by {actor} {moment}, with the saved settings.")
            if is_saved
            else _("Asked by {actor} {moment}, with settings that are not saved yet.")
        )
        components.soft(told.format(actor=asked.actor, moment=formatter.moment(asked.at)))


def answer(question: str, server: str) -> Asked | None:
    """Return the latest result while it is valid; else discard it and return None."""
    value = state.background().job((question, server)).value
    snapshot = state.snapshot()
    found = snapshot.server(server)
    if not isinstance(value, Asked):
        return None
    if value.holds(state.settings().server(server), up=found.up if found else None, now=snapshot.taken_at):
        return value
    state.background().forget((question, server))
    return None


def draw_outcome(outcome: Outcome) -> None:
    """Draw the outcome of a removal."""
    text = formatting.outcome(state.formatter(state.snapshot().taken_at), outcome)
    components.note("good" if outcome.ok else "bad", text, icon="check" if outcome.ok else "cross")
