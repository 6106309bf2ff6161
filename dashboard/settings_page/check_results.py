"""Draw the results of the checks on the settings page."""

from __future__ import annotations

import streamlit as st

from core.models import Outcome
from dashboard import components, formatting, state
from dashboard.doctor.panel import draw_diagnosis
from dashboard.fragments import fragment
from dashboard.i18n import N_
from dashboard.i18n import gettext as _
from dashboard.settings_page.checks import Asked, Discovery
from dashboard.words import STEPS

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
        if isinstance(asked.result, Discovery):
            draw_discovery(asked.result)
        else:
            draw_diagnosis(asked.result)
        moment = state.formatter(state.snapshot().taken_at).moment(asked.at)
        components.soft(
            _("Asked by {actor} {moment}, with the saved settings.").format(actor=asked.actor, moment=moment)
        )


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


def draw_discovery(found: Discovery) -> None:
    """Draw the sessions found on the gateway."""
    if found.problem == "unreadable":
        components.note("warn", _("The gateway's list of sessions could not be understood."), icon="warning")
    elif found.problem:
        told = [formatting.settings_problem(_, one) for one in found.mistakes]
        components.note("bad", "\n".join(told) or formatting.cause(_, found.problem), icon="cut")
    elif found.added:
        text = _("Added, paused: {sessions}. Resume those that you want checked.")
        components.note("good", text.format(sessions=", ".join(found.added)), icon="check")
    else:
        components.note("idle", _("All sessions of the gateway are already here."))
    if found.odd:
        text = _("Not added, because these names break tokens or files on the gateway: {sessions}")
        components.note("warn", text.format(sessions=", ".join(found.odd)), icon="warning")
