"""Texts of a session that runs without a browser: the gateway may use an engine that has none."""

from __future__ import annotations

from dataclasses import replace

from core.doctor.diagnosis import Cause, Check
from core.messages.operation import OUTCOMES, STEPS
from core.models import Reason, SessionSnapshot
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import N_, Translate
from dashboard.text.diagnosis_words import CAUSES, CHECKS
from dashboard.words import REASONS, RESTART_MEANS, START_DOUBTED

_ANSWERS, _NO_ANSWER, _NOT_ASKED = CHECKS[Check.PAGE_ANSWERS]

WITHOUT_BROWSER: dict[str, str] = {
    REASONS[Reason.PAGE_NOT_ANSWERING]: N_(
        "The gateway reports connected, but the session does not answer in time."
    ),
    REASONS[Reason.WHATSAPP_NOT_ANSWERING]: N_("The session answers, but WhatsApp does not answer it."),
    REASONS[Reason.BROWSER_DEAD]: N_("The gateway reports connected, but the session has no connection."),
    REASONS[Reason.START_TOO_SLOW]: N_("The session has been starting for too long."),
    STEPS["waiting_for_browser"]: N_("The session is starting on the gateway"),
    STEPS["waiting_after_close"]: N_("Waiting for the old attempt to end"),
    START_DOUBTED: N_(
        "This is taking longer than usual. If the gateway's log shows an error, the session will not "
        "start: after 4 minutes it counts as stuck."
    ),
    RESTART_MEANS: N_("Closes the session on the gateway and starts it again. A linked phone stays linked."),
    OUTCOMES["close_refused"]: N_(
        "The session is starting or waiting for a phone, and ends on its own within a minute."
    ),
    OUTCOMES["remove_too_early"]: N_(
        "Nothing was removed: an earlier attempt may still run. Try again in two minutes."
    ),
    OUTCOMES["stuck"]: N_("The session did not start on the gateway. Restart the session."),
    _ANSWERS: N_("The session answers"),
    _NO_ANSWER: N_("The session does not answer"),
    _NOT_ASKED: N_("The session was not checked"),
    CAUSES[Cause.PAGE_FROZEN]: N_(
        "The gateway reports connected, but the session does not answer in time. Restart the session."
    ),
    CAUSES[Cause.BROWSER_DEAD]: N_(
        "The gateway reports connected, but the session has no connection. Restart the session."
    ),
    CAUSES[Cause.STARTING]: N_("The session is starting on the gateway. Wait up to four minutes."),
    CAUSES[Cause.STUCK]: N_(
        "The session has been starting for over four minutes and will not start. Look for the error in the "
        "gateway's log, then restart the session."
    ),
    CAUSES[Cause.PROFILE_BUSY]: N_(
        "The session cannot start because an earlier attempt is still running. Restart the session in two "
        "minutes."
    ),
}
"""Replacements by the text of a session with a browser."""


def translate_for(session: SessionSnapshot | None) -> Translate:
    """Return the texts in English that fit the session's engine, for a terminal."""
    if session is None or session.has_browser is not False:
        return str
    return lambda text: WITHOUT_BROWSER.get(text, text)


def formatter_for(formatter: LocaleFormatter, session: SessionSnapshot) -> LocaleFormatter:
    """Return the formatter whose texts fit the session's engine."""
    return replace(formatter, instead=WITHOUT_BROWSER) if session.has_browser is False else formatter
