"""Draw the main panel of the session page, one function per `Panel`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

from core.gateways.protocol import Capability
from core.gateways.registry import offers
from core.models import START_DOUBT, SessionSnapshot, Verdict
from core.operation_status import OperationStatus
from core.phone_numbers import is_masked
from dashboard import components, formatting, session_state, state
from dashboard.auth.users import Role
from dashboard.formatting import LocaleFormatter, plain
from dashboard.i18n import gettext as _
from dashboard.session import actions
from dashboard.session.auto_pair import (
    asks_first,
    draw_what_begins_by_itself,
    earlier_code_lines,
    next_code_follows,
    rounds_line,
    rounds_so_far,
)
from dashboard.session.panel import Panel, asks_for_new_code, choose, tells_result
from dashboard.text.phone import example
from dashboard.words import (
    CODE_MAY_BE_REPLACED,
    CODE_STEPS,
    CODE_STILL_WAITED_FOR,
    FIXED_IN_SETTINGS,
    IF_A_PASSKEY_IS_ASKED,
    NEXT_CODE_FOLLOWS,
    RESTART_MEANS,
    START_DOUBTED,
)


@dataclass(frozen=True)
class View:
    """The data of a panel."""

    formatter: LocaleFormatter
    session: SessionSnapshot
    operation: OperationStatus | None

    @property
    def shown(self) -> OperationStatus:
        """Return the operation; raise LookupError if there is none. For panels that require one."""
        if self.operation is None:
            raise LookupError("this panel shows an operation")
        return self.operation


def draw_panel(
    formatter: LocaleFormatter, session: SessionSnapshot, operation: OperationStatus | None
) -> None:
    """Draw the result of the latest operation and the panel that fits the session's state."""
    panel = choose(session, operation, formatter.now)
    components.draw_notice(session_state.notice(actions.place(session.server, session.session)))
    follows = next_code_follows(formatter, session, operation)
    if operation is not None and panel != Panel.CONFIRM_WEBHOOK and tells_result(session, operation):
        _draw_result(formatter, operation, next_code_follows=follows)
    view = View(formatter, session, operation)
    draw_what_begins_by_itself(formatter, session, operation, panel)
    if not state.may(Role.OPERATOR) and _is_for_operators(panel, session):
        _draw_for_viewer(view)
    elif asks_first(session, panel):
        _draw_which_phone(view)
    else:
        _DRAWN[panel](view)


def _draw_which_phone(view: View) -> None:
    """Draw the choice of an alert's link on a phone: a code to type here, or a QR code for another phone."""
    server, name = view.session.server, view.session.session
    components.subtitle(_("Is WhatsApp on this phone?"))
    components.soft(_("A phone cannot scan its own screen: get a pairing code to type in WhatsApp."))
    account = view.session.account
    number = account.number if account is not None and not is_masked(account.number or "") else None
    if number:
        st.button(
            _("Get a pairing code for {number}").format(number=f"+{number}"),
            key=f"code-known-{server}-{name}",
            on_click=actions.pair_by_known_number,
            args=(server, name),
            type="primary",
            width="stretch",
        )
    else:
        _draw_number_form(server, name)
    components.soft(_("With WhatsApp on another phone, scan a QR code from this screen."))
    _button(_("Show the QR code"), "repair", view.session, actions.pair)


def _draw_result(formatter: LocaleFormatter, operation: OperationStatus, *, next_code_follows: bool) -> None:
    if operation.interrupted:
        text = _("This was interrupted because the program stopped. Start it again.")
        components.note("warn", text, icon="warning")
    elif operation.outcome is not None:
        text = formatting.outcome(formatter, operation.outcome)
        if operation.outcome.code in FIXED_IN_SETTINGS:
            text = components.next_step(text)
        if next_code_follows:
            text = _(NEXT_CODE_FOLLOWS)
        tone, icon = ("good", "check") if operation.outcome.ok else ("warn", "warning")
        title = _("{operation}, {moment}:").format(
            operation=formatting.operation(formatter, operation.kind),
            moment=formatter.moment(operation.outcome.at),
        )
        components.note(tone, text, title=title, icon=icon)


def _draw_qr(view: View) -> None:
    left = formatting.seconds_until(view.formatter, view.operation.step_until) if view.operation else None
    components.live_code(view.formatter, view.session, attempt_left=left)
    how = _("On the phone: WhatsApp, Settings, Linked devices, Link a device.")
    # An empty line keeps its height, or the layout would shift when it is filled.
    lines = (how, rounds_line(view.session), *earlier_code_lines(view.session))
    st.html("".join(f'<div class="ops-center ops-soft ops-kept">{escape(line)}</div>' for line in lines))


def _draw_code(view: View) -> None:
    code = view.shown.pairing_code or ""
    groups = formatting.pairing_code_groups(code)
    spelt = " ".join(code)
    st.html(
        f'<div class="ops-code" role="img" aria-label="{escape(spelt, quote=True)}" data-ops="pairing-code">'
        + "".join(f'<span aria-hidden="true">{escape(group)}</span>' for group in groups)
        + "</div>"
    )
    left = formatting.seconds_until(view.formatter, view.shown.step_until)
    is_counted = left is not None
    text = _("Code expires in {seconds} s").format(seconds=left) if is_counted else _(CODE_STILL_WAITED_FOR)
    if view.shown.code_may_be_replaced(view.formatter.now):
        components.note("warn", _(CODE_MAY_BE_REPLACED), icon="warning")
    else:
        big = " ops-big" if is_counted else ""
        st.html(f'<div class="ops-center{big}" data-ops="code-left">{escape(text)}</div>')
    steps = (_(step) for step in CODE_STEPS)
    st.html(f'<ol class="ops-steps">{"".join(f"<li>{escape(one)}</li>" for one in steps)}</ol>')


def _draw_progress(view: View) -> None:
    words = formatting.step(view.formatter, view.shown.step)
    elapsed = formatting.duration(view.formatter.seconds_since(view.shown.step_since))
    left = formatting.seconds_until(view.formatter, view.shown.step_until)
    more = _("at most {seconds} s left").format(seconds=left) if left else ""
    by = _("Started by {actor} {moment}").format(
        actor=formatting.actor(view.formatter, view.shown.actor),
        moment=view.formatter.moment(view.shown.started_at),
    )
    doubt = (
        view.formatter.translate(START_DOUBTED) if view.shown.start_is_doubtful(view.formatter.now) else ""
    )
    components.waiting(f"{words}, {elapsed}", more, doubt, by)
    if view.shown.by_itself and state.may(Role.OPERATOR):
        label = _("Stop this and re-pair {session}").format(session=plain(view.session.session))
        _button(label, "take-over", view.session, actions.pair)


def _draw_linking(view: View) -> None:
    elapsed = formatting.duration(view.formatter.seconds_since(view.session.since))
    components.waiting(
        f"{formatting.why(view.formatter, view.session.reason)} {elapsed}", _(IF_A_PASSKEY_IS_ASKED)
    )


def _draw_starting(view: View) -> None:
    elapsed = formatting.duration(view.formatter.seconds_since(view.session.since))
    doubt = (
        view.formatter.translate(START_DOUBTED)
        if view.formatter.now - view.session.since >= START_DOUBT
        else ""
    )
    components.waiting(f"{formatting.step(view.formatter, 'waiting_for_browser')}, {elapsed}", doubt)


def _draw_success(view: View) -> None:
    title = _("{session} is connected").format(session=view.session.session)
    lasted = ""
    if view.session.outage_seconds is not None:
        span = formatting.duration(view.session.outage_seconds)
        text = _("The outage lasted {duration}.").format(duration=span)
        lasted = f"<div>{escape(text)}</div>"
    st.html(
        f'<div class="ops-success ops-good" role="status" data-ops="success">{components.shape("check")}'
        f"<strong>{escape(title)}</strong>{lasted}</div>"
    )
    _button(_("Back to all sessions"), "done", view.session, actions.back_to_sessions, kind="primary")


def _draw_connected(_view: View) -> None:
    text = _("This session is connected and responding. No action is needed.")
    components.note("good", text, icon="check")


def _draw_offer(view: View) -> None:
    server, name = view.session.server, view.session.session
    gateway = state.snapshot().server(server)
    if gateway is None or not offers(gateway, Capability.PAIRING_CODE):
        _draw_offer_of_qr(view)
        return
    by_qr, by_number = st.tabs([_("QR code"), _("Pairing code")], key=f"how-{server}-{name}")
    with by_qr:
        _draw_offer_of_qr(view)
    with by_number:
        why_none = formatting.no_code(view.formatter, state.core().operations.code_obstacle(server, name))
        if why_none:
            components.note("idle", why_none, icon="info")
        else:
            _draw_number_form(server, name)


def _draw_offer_of_qr(view: View) -> None:
    name = view.session.session
    expired = asks_for_new_code(view.session, view.operation)
    if expired:
        label = _("Show a new code for {session}")
    elif view.session.ever_connected:
        label = _("Re-pair {session}")
    else:
        label = _("Pair {session}")
    _button(label.format(session=plain(name)), "repair", view.session, actions.pair, kind="primary")
    if view.session.ever_connected:
        text = _("If the pairing is still valid, the session connects without a scan.")
        components.soft(text)
    if expired:
        follows = next_code_follows(view.formatter, view.session, view.operation)
        components.soft(rounds_line(view.session) if follows else rounds_so_far(view.session))


def _draw_number_form(server: str, name: str) -> None:
    with st.form(f"code-form-{server}-{name}", border=False):
        st.text_input(
            _("Phone number with country code"),
            key=actions.phone_key(server, name),
            type="phone",
            placeholder=example(state.region()),
            max_chars=24,
            autocomplete="off",
        )
        st.form_submit_button(
            _("Get a pairing code for {session}").format(session=plain(name)),
            key=f"code-{server}-{name}",
            on_click=actions.pair_by_code,
            args=(server, name),
            width="stretch",
        )


def _draw_offer_restart(view: View) -> None:
    label = _("Restart {session}").format(session=plain(view.session.session))
    _button(label, "restart", view.session, actions.restart, kind="primary")
    components.soft(view.formatter.translate(RESTART_MEANS))


def _draw_confirm_webhook(view: View) -> None:
    server, name = view.session.server, view.session.session
    components.note(
        "warn",
        _(
            "The gateway may have a webhook for this session: the address of the application that receives "
            "its messages. The gateway does not report it, and this pairing replaces all saved options, so "
            "the webhook would be lost and the application would receive no more messages."
        ),
        title=_("This may delete a webhook."),
        icon="warning",
    )
    if state.may(Role.ADMINISTRATOR):
        _button(_("Enter the webhook in the settings"), "webhook", view.session, actions.open_settings)
    with st.form(f"confirm-form-{server}-{name}", border=False):
        st.text_input(
            _("Or type {session} to pair without a webhook").format(session=plain(name)),
            key=actions.confirm_key(server, name),
            autocomplete="off",
        )
        st.form_submit_button(
            _("Pair and delete the webhook"),
            key=f"wipe-{server}-{name}",
            on_click=actions.pair_and_wipe_webhook,
            args=(server, name, view.shown.mode),
            width="stretch",
        )
    _button(_("Cancel"), "dismiss", view.session, actions.dismiss, kind="tertiary")


def _draw_paused(view: View) -> None:
    components.note(
        "idle", _("This session is paused: it is not checked and raises no alerts."), icon="pause"
    )
    label = _("Resume {session}").format(session=plain(view.session.session))
    _button(label, "resume", view.session, actions.resume, kind="primary")


def _draw_unauthorized(view: View) -> None:
    text = _("Until the gateway accepts the secret key, this session cannot be checked or paired.")
    components.note("bad", text, icon="lock")
    if state.may(Role.ADMINISTRATOR):
        _button(_("Check the secret key"), "secret", view.session, actions.open_settings, kind="primary")
        return
    found = state.snapshot().server(view.session.server)
    if found is None or found.secret_key_valid is not False:
        # Otherwise the banner above says it.
        components.soft(_("Ask an administrator to do this."))


def _draw_unreachable(view: View) -> None:
    text = _("No action is possible until the gateway answers again. This page keeps trying.")
    components.note("bad", text, icon="cut")
    if state.may(Role.ADMINISTRATOR):
        _button(_("Check the address"), "address", view.session, actions.open_settings, kind="primary")


def _draw_unknown(_view: View) -> None:
    components.waiting(_("Waiting for the first check of this session"))


def _is_for_operators(panel: Panel, session: SessionSnapshot) -> bool:
    # A viewer's snapshot has no QR code: a session that waits for a scan then has the panel WAITING.
    return panel in _FOR_OPERATORS or (panel is Panel.WAITING and session.verdict == Verdict.WAITING_FOR_QR)


def _draw_for_viewer(view: View) -> None:
    if view.session.verdict == Verdict.WAITING_FOR_QR:
        text = _("This session is waiting for a phone. Only operators see the QR code; your role is viewer.")
    elif view.session.verdict == Verdict.PAUSED:
        text = _("This session is paused: it is not checked and raises no alerts.")
    else:
        text = _("Only an operator can do this. Ask an operator; you can follow the progress here.")
    components.note("idle", text, icon="lock")


def _button(
    label: str,
    key: str,
    session: SessionSnapshot,
    action: Callable[[str, str], None],
    *,
    kind: Literal["primary", "secondary", "tertiary"] = "secondary",
) -> None:
    st.button(
        label,
        key=f"{key}-{session.server}-{session.session}",
        on_click=action,
        args=(session.server, session.session),
        type=kind,
        width="stretch",
    )


_FOR_OPERATORS = {
    Panel.QR,
    Panel.CODE,
    Panel.CONFIRM_WEBHOOK,
    Panel.OFFER_PAIRING,
    Panel.OFFER_RESTART,
    Panel.PAUSED,
}

_DRAWN: dict[Panel, Callable[[View], None]] = {
    Panel.QR: _draw_qr,
    Panel.CODE: _draw_code,
    Panel.LINKING: _draw_linking,
    Panel.PROGRESS: _draw_progress,
    Panel.SUCCESS: _draw_success,
    Panel.CONNECTED: _draw_connected,
    Panel.CONFIRM_WEBHOOK: _draw_confirm_webhook,
    Panel.OFFER_PAIRING: _draw_offer,
    Panel.OFFER_RESTART: _draw_offer_restart,
    Panel.STARTING: _draw_starting,
    Panel.PAUSED: _draw_paused,
    Panel.UNAUTHORIZED: _draw_unauthorized,
    Panel.UNREACHABLE: _draw_unreachable,
    Panel.WAITING: _draw_unknown,
}
