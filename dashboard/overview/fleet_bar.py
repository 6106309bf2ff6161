"""The bar of bulk actions above the list, and their confirmation dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.models import SessionSnapshot
from core.operations.fleet import Action
from dashboard import components, session_state, state
from dashboard.auth.users import Role
from dashboard.dialogs import opened
from dashboard.dialogs.until_form import draw_until
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.overview import fleet_actions
from dashboard.overview.fleet_actions import PAUSE_FORM, PLACE
from dashboard.text import fleet as fleet_text

QUESTION = "fleet"


def draw_fleet(formatter: LocaleFormatter, found: Sequence[SessionSnapshot], *, offer: bool) -> None:
    """Draw the bar, if offered or in use, and the progress of a bulk start."""
    if not state.may(Role.OPERATOR):
        return
    selected = session_state.selected()
    if offer or selected is not None:
        with st.container(key="fleet", horizontal=True, vertical_alignment="center"):
            if selected is None:
                label = _("Select several")
                st.button(label, key="select", on_click=fleet_actions.begin_picking, type="tertiary")
            else:
                _draw_bar(len(selected), [(one.server, one.session) for one in found])
    components.draw_notice(session_state.notice(PLACE))
    _draw_progress(formatter)


def draw_pick(session: SessionSnapshot) -> None:
    """Draw the checkbox that selects a session, while the user is selecting."""
    selected = session_state.selected()
    if selected is None or not state.may(Role.OPERATOR):
        return
    names = (session.server, session.session)
    ticked = names in selected
    st.checkbox(
        _("Select {session}").format(session=session.session),
        value=ticked,
        key=fleet_actions.box_key(*names, ticked=ticked),
        on_change=fleet_actions.keep_box,
        args=names,
        kwargs={"ticked": ticked},
        label_visibility="collapsed",
    )


def ask(word: str) -> None:
    """Open the dialog that shows the effect on each session and asks for confirmation."""
    action = Action(word)
    title = _(fleet_text.TITLES[action])
    # Computed once for the dialog: after its answer the selection is empty.
    found = fleet_actions.preview(action)

    @st.dialog(title)
    def dialog() -> None:
        state.user()
        st.write(_(fleet_text.EXPLAINED[action]))
        components.findings([("good", name) for _server, name in found.will])
        if found.skipped:
            components.soft(_("Not affected:"))
            named = [(target[1], _(fleet_text.SKIPS[why])) for target, why in found.skipped]
            components.consequences([("idle", f"{name}: {why}") for name, why in named])
        if not found.will:
            components.note("idle", _("This would not change any of them."))
            if st.button(_("Close"), key="fleet-close"):
                st.rerun()
            return
        if action is Action.PAUSE:
            draw_until(PAUSE_FORM, may_stay_open=True)
        label = _(fleet_text.LABELS[action]).format(count=len(found.will))
        components.answers(label, f"fleet-yes-{action}", _ACTIONS[action], ())

    dialog()


_ACTIONS = {
    Action.START: fleet_actions.start,
    Action.PAUSE: fleet_actions.pause,
    Action.RESUME: fleet_actions.resume,
}


def _draw_bar(count: int, found: Sequence[tuple[str, str]]) -> None:
    # The style sheet fixes its width, so that no button moves under the pointer when the count changes.
    words = escape(_("{count} selected").format(count=count))
    st.html(f'<div class="ops-soft ops-picked">{words}</div>', width="content")
    label = _("Select all {count}").format(count=len(found))
    st.button(label, key="select-all", on_click=fleet_actions.pick_all, args=(found,), type="tertiary")
    labels = {Action.START: _("Start ..."), Action.PAUSE: _("Pause ..."), Action.RESUME: _("Resume ...")}
    for action, words in labels.items():
        if st.button(words, key=f"fleet-{action}", disabled=not count):
            opened.ask(QUESTION, action)
    st.button(_("Cancel"), key="select-none", on_click=fleet_actions.end_picking, type="tertiary")


def _draw_progress(formatter: LocaleFormatter) -> None:
    progress = state.fleet().progress()
    if progress is None:
        return
    over = sum(bool(item.outcome) for item in progress.items)
    words = _("{name} is starting several sessions: {over} of {count} done.")
    told = words.format(name=progress.actor, over=over, count=len(progress.items))
    with st.container(key="fleet-progress"):
        if progress.running:
            components.waiting(told)
        else:
            components.soft(told)
        components.findings([fleet_text.item(formatter, item) for item in progress.items])
        if not progress.running:
            st.button(_("Done"), key="fleet-dismiss", on_click=fleet_actions.dismiss)
        else:
            label = _("Stopping after this one") if progress.stopping else _("Stop")
            st.button(label, key="fleet-stop", on_click=fleet_actions.stop, disabled=progress.stopping)
