"""Draw the doctor: checks and results, the cause and the next step."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.doctor.diagnosis import Cause, Check, Diagnosis, Result
from core.messages import render
from core.models import SessionSnapshot, Verdict
from core.operation_status import OperationStatus
from core.version import version
from dashboard import components, state
from dashboard.auth.users import Role
from dashboard.doctor.actions import ask_whatsapp, examine_failed, examine_session
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import Translate
from dashboard.i18n import gettext as _
from dashboard.text.diagnosis import TONES, answer, report, sentence
from dashboard.text.diagnosis_words import FIXED_IN_SETTINGS

WAITING = (Cause.STARTING, Cause.WAITING_FOR_SCAN, Cause.WAITING_FOR_CODE)


def draw_doctor(
    formatter: LocaleFormatter, session: SessionSnapshot, operation: OperationStatus | None
) -> None:
    """Draw the latest diagnosis and the button of an examination; start one after a failed operation."""
    if not state.may(Role.OPERATOR):
        return
    examine_failed(session, operation)
    doctor = state.examinations()
    found = doctor.latest(session.server, session.session)
    running = doctor.is_running(session.server, session.session)
    with st.container(key="doctor-box"):
        components.subtitle(_("Diagnosis"))
        if found is not None and not running and found.began_at < session.since:
            # The session has changed since, so the diagnosis would mislead.
            found = None
        if found is not None:
            draw_diagnosis(found, formatter.translate)
            if found.cause is not None and not running:
                _draw_copy(formatter, found)
                _offer_whatsapp(session, found)
        elif not running:
            components.soft(_("Checks the gateway and the session step by step until the cause is found."))
        if running:
            components.waiting(_("Diagnosis is running"))
        else:
            st.button(
                _("Run diagnosis"),
                key=f"doctor-{session.server}-{session.session}",
                on_click=examine_session,
                args=(session.server, session.session),
                type="tertiary" if session.verdict == Verdict.CONNECTED else "secondary",
                width="stretch",
            )


def draw_diagnosis(found: Diagnosis, translate: Translate = _) -> None:
    """Draw the cause first, then the results that lead to it."""
    told = sentence(translate, found)
    if told and found.cause in FIXED_IN_SETTINGS:
        told = components.next_step(told)
    if told:
        tone = "good" if found.cause is Cause.WELL else "wait" if found.cause in WAITING else "warn"
        shape = components.shape("check" if tone == "good" else "info")
        st.html(
            f'<div class="ops-note ops-{tone}" role="status" data-ops="diagnosis">'
            f"{shape}<div>{components.prose(told)}</div></div>"
        )
    components.findings([(TONES[one.result], answer(translate, one)) for one in found.results])
    if found.hint is not None:
        components.soft(render(found.hint, translate))


def _draw_copy(formatter: LocaleFormatter, found: Diagnosis) -> None:
    components.soft(_("Diagnosis run {moment}").format(moment=formatter.moment(found.began_at)))
    text, label = (
        escape(report(formatter.translate, found, version()), quote=True),
        escape(_("Copy report")),
    )
    done = escape(_("Copied"), quote=True)
    st.html(
        f'<div class="ops-buttons"><button type="button" data-ops-copy="{text}" data-ops-done="{done}">'
        f"{label}</button></div>"
    )


def _offer_whatsapp(session: SessionSnapshot, found: Diagnosis) -> None:
    """Draw the button of the check that runs only on request, because WhatsApp notices it."""
    results = {one.check: one.result for one in found.results}
    if Check.END_TO_END in results or results.get(Check.PAGE_ANSWERS) is not Result.PASSED:
        return
    components.soft(
        _(
            "This check can also ask WhatsApp itself to look up an unassigned number. Do not run it often: "
            "WhatsApp may take it for misuse and block the number."
        )
    )
    st.button(
        _("Run diagnosis including WhatsApp"),
        key=f"doctor-whatsapp-{session.server}-{session.session}",
        on_click=ask_whatsapp,
        args=(session.server, session.session),
        width="stretch",
    )
