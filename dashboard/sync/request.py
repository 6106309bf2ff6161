"""Draw the change request: its plan to approve, its progress, or its result."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.messages import as_sentence, render
from core.sync.change_requests import ChangeKind, ChangeRequest, RequestState
from core.sync.editing import NEW, OLD
from core.sync.plan import Plan
from core.sync.progress import StepState
from dashboard import components
from dashboard.cache.sync_view import SyncView
from dashboard.formatting import LocaleFormatter, plain
from dashboard.i18n import gettext as _
from dashboard.sync import actions as sync_actions
from dashboard.sync.actions import LEAVE_OUT
from dashboard.text import sync as sync_text
from dashboard.text.sync import REQUEST_STATES, STATES

STEP_LOOKS = {
    StepState.RUNNING: ("wait", "dots"),
    StepState.DONE: ("good", "check"),
    StepState.FAILED: ("bad", "cross"),
}


def draw_request(formatter: LocaleFormatter, view: SyncView) -> None:
    """Draw the newest change request; its result stays until the next one."""
    request = view.request
    if request is None:
        return
    with st.container(key="card-sync-order"):
        st.html(components.subheading(sync_text.title(formatter, request), _who(formatter, request)))
        if request.state is RequestState.PLANNED and request.plan is not None:
            draw_approval(formatter, view, request, request.plan)
        elif request.state is RequestState.DONE:
            draw_result(request)
        else:
            draw_progress(request)
        draw_steps(request)
        if request.state is RequestState.ASKED:
            draw_withdrawal(request)


def draw_approval(formatter: LocaleFormatter, view: SyncView, request: ChangeRequest, plan: Plan) -> None:
    """Draw what approving means, and the two ways to go on."""
    if note := as_sentence(request.note, _):
        components.note("warn", note)
    components.consequences(sync_text.consequences(formatter, request, plan))
    if plan.is_blocked:
        draw_blocked(request, plan)
        return
    for file in plan.files:
        draw_diff(f"{file.folder}/{file.file}", file.diff)
    waiting = [one.container for one in plan.containers if one.waiting and request.kind is ChangeKind.APPLY]
    for name in waiting:
        st.checkbox(_("Leave out {target}").format(target=plain(name)), key=LEAVE_OUT + name)
    with st.container(horizontal=True):
        if waiting:
            st.button(_("Plan again"), key="sync-again", on_click=sync_actions.plan_again, args=(request.id,))
        st.button(
            _("Approve and carry out"),
            key="sync-approve",
            type="primary",
            disabled=view.agent is None,
            on_click=sync_actions.approve,
            args=(request.id, plan.digest),
        )
        draw_withdrawal(request)


def draw_blocked(request: ChangeRequest, plan: Plan) -> None:
    """Say what keeps everything from being written, and offer to leave it out."""
    components.note(
        "bad", _("Nothing is written until this is resolved. Fix it, or leave it out."), icon="cross"
    )
    for target in plan.wrong:
        label = _(STATES[target.state].label)
        why = render(target.why, _) if target.why else ""
        st.checkbox(
            _("Leave out {target}").format(target=plain(target.target)),
            key=LEAVE_OUT + target.target,
        )
        components.soft(f"{label}: {why}" if why else label)
    for container in plan.refused_containers:
        # Why stands above, with what happens to containers.
        st.checkbox(
            _("Leave out {target}").format(target=plain(container.container)),
            key=LEAVE_OUT + container.container,
        )
    with st.container(horizontal=True):
        if request.kind is ChangeKind.APPLY:
            st.button(
                _("Plan again"),
                key="sync-again",
                type="primary",
                on_click=sync_actions.plan_again,
                args=(request.id,),
            )
        draw_withdrawal(request)


def draw_withdrawal(request: ChangeRequest) -> None:
    """Draw the button that withdraws the request."""
    st.button(_("Withdraw"), key="sync-withdraw", on_click=sync_actions.withdraw, args=(request.id,))


def draw_progress(request: ChangeRequest) -> None:
    """Draw that something is going on, or that it did not come to its end."""
    words = _(REQUEST_STATES[request.state])
    if request.state is RequestState.FAILED:
        components.note("bad", as_sentence(request.note, _), title=words, icon="cross")
    elif request.state is RequestState.WITHDRAWN:
        components.soft(words)
    else:
        components.waiting(words)


def draw_result(request: ChangeRequest) -> None:
    """Draw what came of it, and what is left to do."""
    done = request.result
    if done is None:
        return
    if done.lost_sessions:
        components.note("warn", _("Done, but some sessions have not reconnected."), icon="warning")
    else:
        components.note("good", render(done.message, _), icon="check")
    for note in filter(None, (as_sentence(one, _) for one in done.notes)):
        components.soft(note)
    for name in done.lost_sessions:
        server, _slash, session = name.partition("/")
        text = _("{session} was connected before and has not reconnected.").format(session=session)
        components.note("bad", text, icon="cross")
        st.button(
            _("Re-pair {session}").format(session=plain(session)),
            key=f"sync-pair-{name}",
            on_click=sync_actions.open_session,
            args=(server, session),
        )


def draw_steps(request: ChangeRequest) -> None:
    """Draw what was done step by step."""
    if not request.steps:
        return
    rows = []
    for event in request.steps:
        tone, shape = STEP_LOOKS[event.state]
        words = components.prose(as_sentence(event.note, _))
        note = f' <span class="ops-soft">{words}</span>' if words else ""
        rows.append(
            f'<li class="ops-tone-{tone}">{components.shape(shape)}'
            f"<span>{escape(render(event.message, _))}{note}</span></li>"
        )
    st.html(f'<ul class="ops-findings">{"".join(rows)}</ul>')


def draw_diff(name: str, diff: str) -> None:
    """Offer to look at what changes in a file; every value in it is masked."""
    with st.expander(_("What changes in {file}").format(file=plain(name))):
        shown = diff.replace(OLD, _("‹current value›")).replace(NEW, _("‹new value›"))
        st.code(shown, language="diff")


def _who(formatter: LocaleFormatter, request: ChangeRequest) -> str:
    moment = formatter.moment(request.changed_at)
    if request.approved_by and request.approved_by != request.actor:
        return _("asked for by {name}, approved by {other}, {moment}").format(
            name=request.actor, other=request.approved_by, moment=moment
        )
    return _("asked for by {name}, {moment}").format(name=request.actor, moment=moment)
