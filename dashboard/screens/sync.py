"""Sync: the targets of keys, their state, and the distribution of new keys."""

from datetime import UTC, datetime

import streamlit as st

from core.messages import render
from core.sync.plan import ContainerAction
from dashboard import components, formatting, session_state, state, step_up
from dashboard.auth.users import Role
from dashboard.cache.sync_view import SyncView
from dashboard.formatting import LocaleFormatter, plain
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.sync import actions as sync_actions
from dashboard.sync import request as sync_request
from dashboard.sync import tables as sync_tables

REFRESH_SECONDS = 1.5
# The agent checks every 10 s; a view older than this is marked as stale.
OLD_SECONDS = 60.0


def draw_troubles(view: SyncView) -> None:
    """Draw why no action is possible, with the next step."""
    components.draw_notice(session_state.notice(sync_actions.PLACE))
    if view.status is None and view.agent is None:
        text = _(
            "Nothing is set up yet. List the folders, files and containers that receive keys in a sync file, "
            "name it in WPPCONNECT_SYNC_FILE, and start: wppconnect-ops sync agent. docs/sync.md shows how."
        )
        components.note("idle", text)
    elif view.agent is None:
        text = _(
            "What is shown here may be outdated, and nothing can be started. Start: wppconnect-ops sync "
            "agent."
        )
        components.note("bad", text, title=_("The sync agent is not running."), icon="cut")
    if view.status is not None and view.status.problem:
        components.note(
            "bad", render(view.status.problem, _), title=_("The sync file is wrong."), icon="warning"
        )


def draw_age(formatter: LocaleFormatter, view: SyncView) -> None:
    """Draw since when the view is stale, and why; nothing during a change, when the agent does not check."""
    agent = view.agent
    if agent is None or view.is_running or (view.status is not None and view.status.problem):
        return
    looked = agent.checked_at
    if not agent.problem and (looked is None or formatter.seconds_since(looked) <= OLD_SECONDS):
        return
    title = _("The files cannot be read. What is shown here is outdated.")
    if looked is not None:
        title = _("The files could not be read since {moment}. What is shown here is from that time.")
        title = title.format(moment=formatter.moment(looked))
    text = _("See the log of the sync agent.")
    if agent.problem:
        text = _("The sync agent says: {problem}").format(problem=render(agent.problem, _))
    components.note("warn", text, title=title, icon="warning")


def draw_offers(view: SyncView) -> None:
    """Draw the buttons of possible changes; each creates a plan first."""
    status = view.status
    if status is None:
        return
    is_off = view.agent is None or view.is_busy
    with st.container(horizontal=True, key="sync-offers"):
        if view.plan is not None and view.plan.has_changes:
            st.button(
                _("Bring everything back in sync"),
                key="sync-apply",
                type="primary",
                disabled=is_off,
                on_click=sync_actions.bring_in_sync,
            )
        for kind in status.kinds:
            st.button(
                _("Generate a new {kind}").format(kind=plain(render(kind.message, _))),
                key=f"sync-generate-{kind.words}",
                disabled=is_off,
                on_click=sync_actions.generate,
                args=(kind.words,),
            )
    components.soft(_("You first see a plan. Nothing is changed until you approve it."))


def summary(formatter: LocaleFormatter, view: SyncView) -> str:
    """Return a short status of all targets with the time of the latest check; empty without a plan."""
    plan = view.plan
    if plan is None or view.status is None:
        return ""
    behind = len(view.status.since)
    is_files_only = all(one.action is ContainerAction.UNMANAGED for one in plan.containers)
    settled = _("The files are in sync") if is_files_only else _("Everything in sync")
    words = _("{count} not in sync").format(count=behind) if behind else settled
    if view.agent is None or view.agent.checked_at is None:
        return words
    ago = formatting.duration(formatter.seconds_since(view.agent.checked_at))
    looked = _("checked {duration} ago").format(duration=ago)
    return f"{words}, {looked}"


@fragment(run_every=REFRESH_SECONDS)
def draw_everything() -> None:
    """Draw the whole page. It changes while the agent works."""
    state.user()
    session_state.switch_to_requested_page()
    view = state.sync()
    formatter = state.formatter(datetime.now(UTC))
    st.html(components.heading(_("Sync"), summary(formatter, view)))
    components.troubles()
    draw_troubles(view)
    draw_age(formatter, view)
    sync_request.draw_request(formatter, view)
    draw_offers(view)
    if view.plan is not None and view.status is not None:
        since = view.status.since
        sync_tables.draw_targets(formatter, view.plan, since)
        sync_tables.draw_containers(formatter, view, view.plan, since)
        sync_tables.draw_backups(formatter, view, view.status)
    sync_tables.draw_history(formatter)


components.only_for(Role.ADMINISTRATOR)
step_up.draw()
draw_everything()
