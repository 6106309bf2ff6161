"""Draw how targets and containers stand, the backups and the history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape

import streamlit as st

from core.messages import render
from core.sync.change_requests import KnownBackup, SyncStatus
from core.sync.plan import ContainerChange, Plan, TargetPlan
from dashboard import components
from dashboard.activity import history_cache
from dashboard.cache.sync_view import SyncView
from dashboard.formatting import LocaleFormatter, plain
from dashboard.i18n import gettext as _
from dashboard.sync import actions as sync_actions
from dashboard.sync.actions import FORCE
from dashboard.sync.request import draw_diff
from dashboard.text import sync as sync_text
from dashboard.text.sync import ACTIONS, STATES, Look


def draw_targets(formatter: LocaleFormatter, plan: Plan, since: Mapping[str, datetime]) -> None:
    """Draw the state of every target, and for a file that differs what an apply would change."""
    components.subtitle(_("Where keys are used"))
    rows = "".join(_target_row(formatter, one, since.get(one.target)) for one in plan.targets)
    st.html(f'<ul class="ops-rows">{rows}</ul>')
    if not any(one.target.startswith("command:") for one in plan.targets):
        components.soft(
            _(
                "No command is listed, so a table of the older panel is left out: "
                "change its key there by hand."
            )
        )
    for file in plan.files:
        draw_diff(f"{file.folder}/{file.file}", file.diff)


def draw_containers(
    formatter: LocaleFormatter, view: SyncView, plan: Plan, since: Mapping[str, datetime]
) -> None:
    """Draw the state of every listed container."""
    if not plan.containers:
        return
    components.subtitle(_("Containers"))
    rows = "".join(_container_row(formatter, one, since.get(one.container)) for one in plan.containers)
    st.html(f'<ul class="ops-rows">{rows}</ul>')
    with st.expander(_("Restart a container")):
        components.soft(_("A restart reads no file: the container keeps its values."))
        for one in plan.containers:
            st.button(
                _("Restart {container}").format(container=plain(one.container)),
                key=f"sync-restart-{one.container}",
                disabled=view.is_busy or view.agent is None,
                on_click=sync_actions.restart,
                args=(one.container,),
            )


def draw_backups(formatter: LocaleFormatter, view: SyncView, status: SyncStatus) -> None:
    """Draw the backups, each with the way back to it."""
    if not status.backups:
        return
    with st.expander(_("Backups: restore earlier files")):
        for backup in status.backups:
            _draw_backup(formatter, view, backup)


def draw_history(formatter: LocaleFormatter) -> None:
    """Draw what happened, the newest first."""
    entries = history_cache.sync_history()
    if not entries:
        return
    components.subtitle(_("History"))
    rows = []
    for entry in entries:
        exact = escape(formatter.exactly(entry.at), quote=True)
        actor = f' <span class="ops-soft">({escape(entry.actor)})</span>' if entry.actor else ""
        rows.append(
            f'<tr><td title="{exact}">{escape(formatter.moment(entry.at))}</td>'
            f"<td>{escape(sync_text.history_line(formatter, entry))}{actor}</td></tr>"
        )
    st.html(f'<table class="ops-history"><tbody>{"".join(rows)}</tbody></table>')


def _draw_backup(formatter: LocaleFormatter, view: SyncView, backup: KnownBackup) -> None:
    files = ", ".join(backup.files) or _("no file")
    text = _("{moment}, before a change by {name}: {files}.").format(
        moment=formatter.moment(backup.at), name=backup.actor, files=files
    )
    key = _("The key of then comes back too.") if backup.changes_values else ""
    components.soft(f"{text} {key}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Restore from {moment}").format(moment=formatter.moment(backup.at)),
            key=f"sync-restore-{backup.id}",
            disabled=view.is_busy or view.agent is None,
            on_click=sync_actions.restore,
            args=(backup.id,),
        )
        st.checkbox(_("also over files that were changed since"), key=FORCE + backup.id)


def _target_row(formatter: LocaleFormatter, one: TargetPlan, since: datetime | None) -> str:
    detail = ", ".join(render(fact, _) for fact in one.facts)
    why = render(one.why, _) if one.why else ""
    return _row(formatter, STATES[one.state], one.target, detail, why, since)


def _container_row(formatter: LocaleFormatter, one: ContainerChange, since: datetime | None) -> str:
    return _row(formatter, ACTIONS[one.action], one.container, "", one.sentences(_), since)


def _row(
    formatter: LocaleFormatter, look: Look, name: str, detail: str, why: str, since: datetime | None
) -> str:
    label = _(look.label)
    if since is not None:
        label = _("{state} since {moment}").format(state=label, moment=formatter.moment(since))
    lines = "".join(f'<div class="ops-soft">{components.prose(text)}</div>' for text in (detail, why) if text)
    return (
        f'<li><div class="ops-row-name"><b>{escape(name)}</b>{lines}</div>'
        f'<span class="ops-badge ops-{look.tone}">{components.shape(look.shape)}{escape(label)}</span></li>'
    )
