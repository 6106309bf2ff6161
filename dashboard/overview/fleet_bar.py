"""The bar of bulk actions above the list, and their confirmation dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.models import SessionSnapshot
from core.operations.fleet import Action, Target
from dashboard import components, formatting, session_state, state
from dashboard.alerting.panel import problem_text
from dashboard.auth.users import Role
from dashboard.dialogs import opened
from dashboard.dialogs.until_form import draw_until
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.overview import fleet_actions
from dashboard.overview.fleet_actions import ACKNOWLEDGE_FORM, PAUSE_FORM, PLACE
from dashboard.overview.selection import Group, Grouping
from dashboard.text import fleet as fleet_text

QUESTION, PROBLEMS = "fleet", "problems"
FEWEST_PROBLEMS = 2
"""A single problem is acknowledged on its own page or card."""


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
                _draw_acknowledge_problems()
            else:
                _draw_bar(len(selected), [(one.server, one.session) for one in found])
    components.draw_notice(session_state.notice(PLACE))
    _draw_progress(formatter)
    _draw_acknowledged(formatter)


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


def draw_group(formatter: LocaleFormatter, group: Group) -> None:
    """Draw the heading of a group, and while the user is selecting the button that selects all of it."""
    if group.kind is Grouping.GATEWAY:
        title = _("Gateway {server}").format(server=group.name)
    else:
        title = group.name or _("No tag")
    sessions = group.sessions
    with st.container(key=f"group-{group.kind}-{group.name}", horizontal=True, vertical_alignment="center"):
        st.html(components.subheading(title, formatting.summary(formatter, sessions)))
        if session_state.selected() is not None and state.may(Role.OPERATOR):
            st.button(
                _("Select all {count}").format(count=len(sessions)),
                key=f"select-{group.kind}-{group.name}",
                on_click=fleet_actions.pick_all,
                args=([(one.server, one.session) for one in sessions],),
                type="tertiary",
            )


def ask(word: str, scope: str = "") -> None:
    """Open the dialog that shows the effect on each session and asks for confirmation.

    With the scope `PROBLEMS` it is about all problems instead of the selected sessions.
    """
    action = Action(word)
    title = _(fleet_text.TITLES[action])
    # Computed once for the dialog: after its answer the selection is empty.
    found = fleet_actions.preview_problems() if scope == PROBLEMS else fleet_actions.preview(action)
    confirm = fleet_actions.acknowledge_problems if scope == PROBLEMS else _ACTIONS[action]

    @st.dialog(title)
    def dialog() -> None:
        state.user()
        st.write(_(fleet_text.EXPLAINED[action]))
        components.findings([("good", _name(target)) for target in found.will])
        if found.skipped:
            components.soft(_("Not affected:"))
            named = [(_name(target), _(fleet_text.SKIPS[why])) for target, why in found.skipped]
            components.consequences([("idle", f"{name}: {why}") for name, why in named])
        if not found.will:
            components.note("idle", _("This would not change any of them."))
            if st.button(_("Close"), key="fleet-close"):
                st.rerun()
            return
        if action is Action.PAUSE:
            draw_until(PAUSE_FORM, may_stay_open=True)
        elif action is Action.ACKNOWLEDGE:
            draw_until(ACKNOWLEDGE_FORM, may_stay_open=False)
        label = _(fleet_text.LABELS[action]).format(count=len(found.will))
        components.answers(label, f"fleet-yes-{action}", confirm, ())

    dialog()


def _name(target: Target) -> str:
    """Return the session, or the gateway with the number of its sessions."""
    server, session = target
    gateway = None if session else state.snapshot().server(server)
    if gateway is None:
        return session
    return _("{server}: {count} sessions").format(server=server, count=len(gateway.sessions))


_ACTIONS = {
    Action.START: fleet_actions.start,
    Action.PAUSE: fleet_actions.pause,
    Action.RESUME: fleet_actions.resume,
    Action.ACKNOWLEDGE: fleet_actions.acknowledge,
}


def _draw_bar(count: int, found: Sequence[tuple[str, str]]) -> None:
    # The style sheet fixes its width, so that no button moves under the pointer when the count changes.
    words = escape(_("{count} selected").format(count=count))
    st.html(f'<div class="ops-soft ops-picked">{words}</div>', width="content")
    label = _("Select all {count}").format(count=len(found))
    st.button(label, key="select-all", on_click=fleet_actions.pick_all, args=(found,), type="tertiary")
    labels = {Action.START: _("Start ..."), Action.PAUSE: _("Pause ..."), Action.RESUME: _("Resume ...")}
    if state.settings().alertmanager is not None:
        labels[Action.ACKNOWLEDGE] = _("Acknowledge ...")
    for action, words in labels.items():
        if st.button(words, key=f"fleet-{action}", disabled=not count):
            opened.ask(QUESTION, action)
    st.button(_("Cancel"), key="select-none", on_click=fleet_actions.end_picking, type="tertiary")


def _draw_acknowledge_problems() -> None:
    count = len(fleet_actions.preview_problems().will)
    if count < FEWEST_PROBLEMS:
        return
    label = _("Acknowledge {count} problems ...").format(count=count)
    if st.button(label, key="acknowledge-problems", type="tertiary"):
        opened.ask(QUESTION, Action.ACKNOWLEDGE, PROBLEMS)


def _draw_acknowledged(formatter: LocaleFormatter) -> None:
    bulk = state.alerting().bulk()
    if bulk is None:
        return
    with st.container(key="fleet-acknowledged"):
        if bulk.busy:
            words = _("{name} is acknowledging several problems: {over} of {count} done.")
            count = len(bulk.targets)
            components.waiting(words.format(name=bulk.actor, over=count - len(bulk.busy), count=count))
            return
        done = [(one[1] or one[0]) for one in bulk.targets if one not in bulk.problems]
        words = _("Acknowledged by {name}: {names}").format(name=bulk.actor, names=", ".join(done))
        failed = [
            ("bad", f"{one[1] or one[0]}: {problem_text(formatter, code)}")
            for one, code in bulk.problems.items()
        ]
        components.findings([*([("good", words)] if done else []), *failed])
        st.button(_("Done"), key="fleet-acknowledged-done", on_click=fleet_actions.dismiss_acknowledged)


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
