"""Texts of bulk actions on sessions. Pure functions, without Streamlit."""

from __future__ import annotations

from core.messages.operation import OUTCOMES
from core.operations.fleet import Action, Item, Skip
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import N_

TITLES: dict[Action, str] = {
    Action.START: N_("Start several sessions?"),
    Action.PAUSE: N_("Pause several sessions?"),
    Action.RESUME: N_("Resume several sessions?"),
    Action.ACKNOWLEDGE: N_("Acknowledge several problems?"),
}
LABELS: dict[Action, str] = {
    Action.START: N_("Start {count}"),
    Action.PAUSE: N_("Pause {count}"),
    Action.RESUME: N_("Resume {count}"),
    Action.ACKNOWLEDGE: N_("Acknowledge {count}"),
}
EXPLAINED: dict[Action, str] = {
    Action.START: N_(
        "One at a time on each gateway, because each start launches a browser there. You can stop it."
    ),
    Action.PAUSE: N_(
        "Meanwhile the sessions are not checked and raise no alerts. They keep running on the gateway."
    ),
    Action.RESUME: N_("The sessions are checked again and raise alerts again."),
    Action.ACKNOWLEDGE: N_(
        "Alerts are silenced until each session is connected again, and each gateway answers again. They are "
        "still checked."
    ),
}
SKIPS: dict[Skip, str] = {
    Skip.GONE: N_("removed in the meantime"),
    Skip.CONNECTED: N_("already connected"),
    Skip.UNDER_WAY: N_("already starting"),
    Skip.NEEDS_PHONE: N_("needs a phone: pair it"),
    Skip.NEEDS_RESTART: N_("needs a restart: open it"),
    Skip.NOT_ANSWERING: N_("its gateway does not answer"),
    Skip.REFUSED: N_("its gateway refuses access"),
    Skip.UNKNOWN: N_("its state is unknown"),
    Skip.PAUSED: N_("paused"),
    Skip.GATEWAY_PAUSED: N_("its gateway is paused"),
    Skip.CHECKED: N_("not paused"),
    Skip.ACKNOWLEDGED: N_("already acknowledged"),
}
ENDS: dict[str, str] = {
    "gave_up": N_("not tried: three consecutive starts failed on its gateway"),
    "not_begun": N_("not started: stopped"),
}
GOOD = frozenset({"connected", "already_connected"})


def item(formatter: LocaleFormatter, told: Item) -> tuple[str, str]:
    """Return tone and text of one session in a bulk start."""
    _ = formatter.translate
    name = told.target[1]
    if told.running:
        return "wait", _("{session}: starting").format(session=name)
    if not told.outcome:
        return "wait", _("{session}: waiting").format(session=name)
    words = _(ENDS.get(told.outcome) or OUTCOMES.get(told.outcome, told.outcome))
    return ("good" if told.outcome in GOOD else "bad"), f"{name}: {words}"
