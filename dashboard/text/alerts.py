"""Texts of acknowledgements and pager tests. Pure functions, without Streamlit."""

from __future__ import annotations

from core.alertmanager.api import Silence
from core.alertmanager.pager_check import Leg, Passed
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import N_

PROBLEMS: dict[str, str] = {
    "unreachable": N_("Alertmanager cannot be reached. Check that it runs, and its address in the settings."),
    "refused": N_("Alertmanager refused it. Check the user, password or token in the settings."),
    "unreadable": N_("What answers there is not Alertmanager. Check its address in the settings."),
    "suppressed": N_("A silence or an inhibition keeps the test back. End it and try again."),
    "notifies_nobody": N_("The receiver notifies nobody. Choose another one in alertmanager.yml."),
    "undelivered": N_("The notice could not be delivered. Alertmanager's log says why."),
    "too_slow": N_("No notice went out in time. Alertmanager's log says why."),
    "stopped": N_("The test was stopped, and its alert ended."),
    "failed": N_("It failed. The program's log says more."),
}

LEGS: dict[Leg, str] = {
    Leg.ACCEPTED: N_("accepted by Alertmanager"),
    Leg.ROUTED: N_("routed to {names}"),
    Leg.DELIVERED: N_("notice delivered by {names}"),
    Leg.END_ACCEPTED: N_("end accepted by Alertmanager"),
    Leg.END_DELIVERED: N_("end delivered by {names}"),
}
ALSO_TOLD = N_("{names} notifies in the same way: look whether both notices have arrived.")


def problem(formatter: LocaleFormatter, code: str) -> str:
    """Return the problem with the next step."""
    return formatter.translate(PROBLEMS.get(code, PROBLEMS["failed"]))


def silence(formatter: LocaleFormatter, told: Silence) -> str:
    """Return author, end and reason of an acknowledgement."""
    _ = formatter.translate
    words = _("Acknowledged by {name} until {moment}, nobody is notified: {reason}")
    return words.format(name=told.author, moment=formatter.moment(told.until), reason=told.comment)


def leg(formatter: LocaleFormatter, passed: Passed) -> str:
    """Return a passed leg of the pager test with its duration."""
    names = ", ".join(passed.names)
    if passed.leg is Leg.ALSO_TOLD:
        return formatter.translate(ALSO_TOLD).format(names=names)
    seconds = formatter.number(passed.seconds, 1)
    return f"{seconds} s: {formatter.translate(LEGS[passed.leg]).format(names=names)}"
