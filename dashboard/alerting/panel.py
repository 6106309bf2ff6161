"""Draw acknowledgements and the pager test."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.alertmanager.api import Silence
from core.models import SessionSnapshot, Verdict
from dashboard import components, state
from dashboard.alerting import actions as alert_actions
from dashboard.auth.users import Role
from dashboard.dialogs import opened
from dashboard.dialogs.until_form import draw_until
from dashboard.formatting import LocaleFormatter, plain
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.text import alerts as alert_text

REFRESH_SECONDS = 2


def silence_of(session: SessionSnapshot) -> Silence | None:
    """Return the silence that acknowledges a session; None if there is none or it is not known."""
    settings = state.settings().alertmanager
    names = (session.server, session.session)
    found = state.alerting().silences(settings).of(*names) if settings else None
    # What Alertmanager was asked a moment ago may still hold one that we have ended meanwhile.
    if found is not None and session.verdict == Verdict.CONNECTED and state.has_ended(*names, found.id):
        return None
    return found


def silence_line(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return author, reason and end of the acknowledgement as HTML; empty if there is none."""
    found = silence_of(session)
    told = escape(alert_text.silence(formatter, found)) if found else ""
    return f'<div class="ops-soft ops-break">{told}</div>' if told else ""


@fragment(run_every=REFRESH_SECONDS)
def draw_acknowledgement(server: str, name: str) -> None:
    """Draw the acknowledgement of a session, and the button that sets or ends it."""
    state.user()
    settings = state.settings().alertmanager
    snapshot = state.snapshot()
    session = snapshot.session(server, name)
    if settings is None or session is None:
        return
    formatter, found = state.formatter(snapshot.taken_at), silence_of(session)
    is_lost = session.verdict not in (Verdict.CONNECTED, Verdict.PAUSED)
    may_act = state.may(Role.OPERATOR)
    problem = state.alerting().problem((server, name)) or state.alerting().silences(settings).problem
    if found is None and not problem and not (is_lost and may_act):
        return
    with st.container(key="acknowledge-box"):
        components.subtitle(_("Alerts"))
        if problem:
            components.note("warn", alert_text.problem(formatter, problem), icon="warning")
        if found is not None:
            components.soft(alert_text.silence(formatter, found))
            if is_lost and state.ends_when_connected(server, name, found.id):
                components.soft(_("It ends once the session is connected again."))
        if may_act:
            _draw_button(session, found)


def draw_end_button(session: SessionSnapshot, found: Silence) -> None:
    """Draw the button that ends an acknowledgement."""
    names = (session.server, session.session)
    st.button(
        _("Notify again of {session}").format(session=plain(session.session)),
        key=f"notify-{session.server}-{session.session}",
        on_click=alert_actions.notify_again,
        args=(*names, found.id),
        disabled=state.alerting().is_busy(names),
        width="stretch",
    )


def _draw_button(session: SessionSnapshot, found: Silence | None) -> None:
    names = (session.server, session.session)
    if found is not None:
        draw_end_button(session, found)
        return
    label = _("Acknowledge {session}").format(session=plain(session.session))
    is_busy = state.alerting().is_busy(names)
    if st.button(label, key=f"acknowledge-{names[0]}-{names[1]}", disabled=is_busy, width="stretch"):
        opened.ask("acknowledge", *names)


def ask_acknowledge(server: str, session: str) -> None:
    """Open the dialog that acknowledges a session, with reason and end."""
    label = _("Acknowledge {session}").format(session=plain(session))
    text = _("Nobody is notified of it meanwhile. It is still checked, and its metrics go on.")

    @st.dialog(_("Acknowledge {session}?").format(session=plain(session)))
    def ask() -> None:
        state.user()
        st.write(text)
        draw_until(alert_actions.form(server, session), may_stay_open=False)
        st.checkbox(
            _("Keep it after the session is connected again"), key=alert_actions.keep_key(server, session)
        )
        key = f"acknowledge-yes-{server}-{session}"
        components.answers(label, key, alert_actions.acknowledge, (server, session))

    ask()


def draw_end(formatter: LocaleFormatter, session: SessionSnapshot) -> None:
    """Draw, for a connected session, whether its acknowledgement has ended or still applies."""
    ended = state.acknowledgement_ended(session.server, session.session, session.since)
    found = None if ended else silence_of(session)
    if ended:
        components.soft(_("Its acknowledgement has ended: alerts of this session notify people again."))
    elif found is not None and not state.ends_when_connected(session.server, session.session, found.id):
        text = _("Still acknowledged until {moment}: nobody is notified of this session until then.")
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
        label = _("Test my pager")
        st.button(label, key="test-pager", on_click=alert_actions.test_pager, disabled=is_running)
    if test is None:
        return
    told = _("Tested by {name} {moment}").format(name=test.actor, moment=formatter.moment(test.began))
    components.soft(told)
    components.findings([("good", alert_text.leg(formatter, one)) for one in test.passed])
    if is_running:
        components.waiting(_("On its way. The end of the alert is told, too: that takes about two minutes."))
    elif test.problem:
        components.note("bad", alert_text.problem(formatter, test.problem), icon="warning")
    else:
        components.note("good", _("The pager works: the notice and its end were delivered."), icon="check")
