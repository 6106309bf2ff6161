"""Texts of acknowledgements and pager tests. Pure functions, without Streamlit."""

from __future__ import annotations

from core.alertmanager.api import Silence
from core.alertmanager.pager_check import Leg, Passed
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import N_

PROBLEMS: dict[str, str] = {
    "unreachable": N_(
        "Alertmanager cannot be reached. Check that it is running, and its address in the settings."
    ),
    "busy": N_("Alertmanager, or a proxy in front of it, asks for a pause. Try again in a minute."),
    "refused": N_("Alertmanager refused the request. Check the user, password or token in the settings."),
    "unreadable": N_(
        "Another service answers there instead of Alertmanager. Check the address in the settings."
    ),
    "suppressed": N_("A silence or an inhibition holds back the test alert. End it and try again."),
    "notifies_nobody": N_("The receiver has no recipients. Choose another one in alertmanager.yml."),
    "undelivered": N_("The alert could not be delivered. See Alertmanager's log."),
    "too_slow": N_("No alert was sent in time. See Alertmanager's log."),
    "stopped": N_("The test was stopped, and its alert ended."),
    "failed": N_("It failed. See the log for details."),
}

FIXED_IN_SETTINGS = frozenset({"unreachable", "refused", "unreadable"})
"""Problems whose next step only administrators can take."""

LEGS: dict[Leg, str] = {
    Leg.ACCEPTED: N_("accepted by Alertmanager"),
    Leg.ROUTED: N_("routed to {names}"),
    Leg.DELIVERED: N_("alert delivered by {names}"),
    Leg.END_ACCEPTED: N_("end accepted by Alertmanager"),
    Leg.END_DELIVERED: N_("end delivered by {names}"),
}
ALSO_TOLD = N_("{names} uses the same channel: check that both alerts arrived.")


def problem(formatter: LocaleFormatter, code: str) -> str:
    """Return the problem with the next step."""
    return formatter.translate(PROBLEMS.get(code, PROBLEMS["failed"]))


def silence(formatter: LocaleFormatter, told: Silence) -> str:
    """Return author, end and reason of an acknowledgement."""
    _ = formatter.translate
    words = _("Acknowledged by {name} until {moment}, alerts are silenced: {reason}")
    return words.format(name=told.author, moment=formatter.moment(told.until), reason=told.comment)


def leg(formatter: LocaleFormatter, passed: Passed) -> str:
    """Return a passed leg of the pager test with its duration."""
    names = ", ".join(passed.names)
    if passed.leg is Leg.ALSO_TOLD:
        return formatter.translate(ALSO_TOLD).format(names=names)
    seconds = formatter.number(passed.seconds, 1)
    return f"{seconds} s: {formatter.translate(LEGS[passed.leg]).format(names=names)}"
