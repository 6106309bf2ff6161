"""Draw acknowledgements and the pager test."""

from __future__ import annotations

from html import escape
from typing import Literal

import streamlit as st

from core.alertmanager.api import Silence
from core.models import ServerSnapshot, SessionSnapshot, Verdict
from core.operations.fleet import Target
from core.reasons import gateway_fault
from dashboard import components, state
from dashboard.alerting import actions as alert_actions
from dashboard.auth.users import Role
from dashboard.dialogs import opened
from dashboard.dialogs.until_form import draw_until
from dashboard.formatting import LocaleFormatter, plain
from dashboard.i18n import gettext as _
from dashboard.text import alerts as alert_text


def silence_of(session: SessionSnapshot) -> Silence | None:
    """Return the silence that acknowledges a session; None if there is none or it is not known."""
    settings = state.settings().alertmanager
    names = (session.server, session.session)
    found = state.alerting().silences(settings).of(*names) if settings else None
    # What Alertmanager was asked a moment ago may still hold one that we have ended meanwhile.
    if (
        found is not None
        and session.verdict == Verdict.CONNECTED
        and any(state.has_ended(*target, found.id) for target in (names, (session.server, "")))
    ):
        return None
    return found


def gateway_silence(server: ServerSnapshot) -> Silence | None:
    """Return the silence that acknowledges a gateway; None if there is none or it is not known."""
    settings = state.settings().alertmanager
    found = state.alerting().silences(settings).of(server.server, "") if settings else None
    if found is not None and gateway_fault(server) is None and state.has_ended(server.server, "", found.id):
        return None
    return found


def gateway_silence_line(formatter: LocaleFormatter, server: ServerSnapshot) -> str:
    """Return author, reason and end of a gateway's acknowledgement as HTML; empty if there is none."""
    found = gateway_silence(server)
    if found is None:
        return ""
    told = [alert_text.silence(formatter, found)]
    if state.ends_when_over(server.server, "", found.id):
        told.append(_("Ends when the gateway answers again."))
    return "".join(f'<div class="ops-soft ops-break">{escape(text)}</div>' for text in told)


def silence_line(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return author, reason and end of the acknowledgement as HTML; empty if there is none."""
    found = silence_of(session)
    if found is None:
        return ""
    told = [alert_text.silence(formatter, found)]
    if session.verdict != Verdict.CONNECTED:
        if state.ends_when_over(session.server, session.session, found.id):
            told.append(_("Ends when the session is connected again."))
        elif state.ends_when_over(session.server, "", found.id):
            told.append(_("Ends when the gateway answers again."))
    return "".join(f'<div class="ops-soft ops-break">{escape(text)}</div>' for text in told)


def draw_acknowledgement(session: SessionSnapshot) -> None:
    """Draw the button that acknowledges a session or ends its acknowledgement; nothing if neither applies."""
    if state.settings().alertmanager is None or not state.may(Role.OPERATOR):
        return
    names, found = (session.server, session.session), silence_of(session)
    if found is not None:
        draw_end_button((session.server, "") if found.gateway else names, found, width="content")
    elif session.verdict not in (Verdict.CONNECTED, Verdict.PAUSED) and not session.maintenance_until:
        _draw_begin_button(names, width="content")


def draw_gateway_acknowledgement(server: ServerSnapshot) -> None:
    """Draw the button that acknowledges a gateway with a fault or ends its acknowledgement."""
    if state.settings().alertmanager is None or not state.may(Role.OPERATOR):
        return
    found = gateway_silence(server)
    if found is not None:
        draw_end_button((server.server, ""), found)
    else:
        _draw_begin_button((server.server, ""), width="stretch")


def draw_alerting_problem(formatter: LocaleFormatter, server: str, session: str) -> None:
    """Draw why an acknowledgement of a session or gateway could not be set, ended or read."""
    settings = state.settings().alertmanager
    if settings is None:
        return
    problem = state.alerting().problem((server, session)) or state.alerting().silences(settings).problem
    if problem:
        components.note("warn", problem_text(formatter, problem), icon="warning")


def draw_end_button(
    target: Target, found: Silence, *, width: Literal["stretch", "content"] = "stretch"
) -> None:
    """Draw the button that ends an acknowledgement."""
    server, session = target
    st.button(
        _("Resume alerts for {session}").format(session=plain(session or server)),
        key=f"notify-{server}-{session}",
        on_click=alert_actions.notify_again,
        args=(*target, found.id),
        disabled=state.alerting().is_busy(target),
        width=width,
    )


def _draw_begin_button(target: Target, *, width: Literal["stretch", "content"]) -> None:
    server, session = target
    label, is_busy = _("Acknowledge {session}"), state.alerting().is_busy(target)
    key = f"acknowledge-{server}-{session}"
    if st.button(label.format(session=plain(session or server)), key=key, disabled=is_busy, width=width):
        opened.ask("acknowledge", *target)


def ask_acknowledge(server: str, session: str) -> None:
    """Open the dialog that acknowledges a session, or a gateway (empty session), with reason and end."""
    name = plain(session or server)
    label = _("Acknowledge {session}").format(session=name)
    if session:
        text = _("Alerts are silenced meanwhile. The session is still checked and its metrics continue.")
        keep = _("Keep after the session is connected again")
    else:
        text = _(
            "Alerts of the gateway and of all its sessions are silenced meanwhile. They are still checked."
        )
        keep = _("Keep after the gateway answers again")

    @st.dialog(_("Acknowledge {session}?").format(session=name))
    def ask() -> None:
        state.user()
        st.write(text)
        draw_until(alert_actions.form(server, session), may_stay_open=False)
        st.checkbox(keep, key=alert_actions.keep_key(server, session))
        key = f"acknowledge-yes-{server}-{session}"
        components.answers(label, key, alert_actions.acknowledge, (server, session))

    ask()


def draw_end(formatter: LocaleFormatter, session: SessionSnapshot) -> None:
    """Draw, for a connected session, whether its acknowledgement has ended or still applies."""
    ended = state.acknowledgement_ended(session.server, session.session, session.since)
    found = None if ended else silence_of(session)
    if ended:
        components.soft(_("The acknowledgement has ended: alerts for this session are sent again."))
    elif found is not None and not state.ends_when_over(session.server, session.session, found.id):
        text = _("Still acknowledged until {moment}: alerts for this session are silenced until then.")
        components.soft(text.format(moment=formatter.moment(found.until)))


def draw_pager(formatter: LocaleFormatter) -> None:
    """Draw the pager test and its progress; nothing if no Alertmanager is configured."""
    settings = state.settings().alertmanager
    if settings is None or not state.may(Role.OPERATOR):
        return
    test = state.alerting().test()
    is_running = test is not None and test.running
    with st.container(key="pager", horizontal=True, vertical_alignment="center"):
        components.soft(_("Alertmanager: {address}").format(address=settings.address))
        label = _("Send a test alert")
        st.button(label, key="test-pager", on_click=alert_actions.test_pager, disabled=is_running)
    if test is None:
        return
    told = _("Tested by {name} {moment}").format(name=test.actor, moment=formatter.moment(test.began))
    components.soft(told)
    components.findings([("good", alert_text.leg(formatter, one)) for one in test.passed])
    if is_running:
        components.waiting(
            _("On its way. The end of the alert is delivered too, which takes about two minutes.")
        )
    elif test.problem:
        components.note("bad", problem_text(formatter, test.problem), icon="warning")
    else:
        components.note("good", _("Alerts work: the test alert and its end were delivered."), icon="check")


def problem_text(formatter: LocaleFormatter, code: str) -> str:
    """Return a problem with Alertmanager, and who can take the next step."""
    text = alert_text.problem(formatter, code)
    return components.next_step(text) if code in alert_text.FIXED_IN_SETTINGS else text
