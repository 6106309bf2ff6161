"""Draw the doctor: what was asked, what came of it, the cause and the next step."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.doctor.diagnosis import Cause, Diagnosis
from core.models import SessionSnapshot, Verdict
from core.operation_status import OperationStatus
from core.version import version
from dashboard import components, state
from dashboard.auth.users import Role
from dashboard.diagnosis_text import TONES, answer, report, sentence
from dashboard.doctor_actions import examine_failed, examine_session
from dashboard.formatting import Voice, plain
from dashboard.i18n import gettext as _

WAITING = (Cause.STARTING, Cause.WAITING_FOR_SCAN, Cause.WAITING_FOR_CODE)


def draw_doctor(voice: Voice, session: SessionSnapshot, operation: OperationStatus | None) -> None:
    """Offer an examination, and draw the latest; one begins by itself after a pairing that failed."""
    if not state.may(Role.OPERATOR):
        return
    examine_failed(session, operation)
    doctor = state.examinations()
    found = doctor.latest(session.server, session.session)
    running = doctor.is_running(session.server, session.session)
    with st.container(key="doctor-box"):
        components.subtitle(_("Doctor"))
        if found is not None and not running and found.began_at < session.since:
            # The session has changed since: what was found out then would only mislead now.
            found = None
        if found is not None:
            draw_diagnosis(found)
            if found.cause is not None and not running:
                _draw_copy(voice, found)
        elif not running:
            components.soft(_("Asks the gateway one question after the other, until the cause is found."))
        if running:
            components.waiting(_("Asking the gateway"))
        else:
            st.button(
                _("Examine {session}").format(session=plain(session.session)),
                key=f"doctor-{session.server}-{session.session}",
                on_click=examine_session,
                args=(session.server, session.session),
                type="tertiary" if session.verdict == Verdict.CONNECTED else "secondary",
                width="stretch",
            )


def draw_diagnosis(found: Diagnosis) -> None:
    """Draw the cause first, then the answers that lead to it."""
    told = sentence(_, found)
    if told:
        tone = "good" if found.cause is Cause.WELL else "wait" if found.cause in WAITING else "warn"
        st.html(
            f'<div class="ops-note ops-{tone}" role="status" data-ops="diagnosis">'
            f"{components.shape('check' if tone == 'good' else 'info')}<div>{escape(told)}</div></div>"
        )
    components.findings([(TONES[one.result], answer(_, one)) for one in found.results])


def _draw_copy(voice: Voice, found: Diagnosis) -> None:
    with st.expander(_("Examined {moment}. Copy as text").format(moment=voice.moment(found.began_at))):
        st.code(report(_, found, version()), language=None, wrap_lines=True)
