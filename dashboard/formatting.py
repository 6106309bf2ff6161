"""Values to text; pure, no streamlit. Every function gets the reader's `LocaleFormatter` first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from core.exceptions import SettingProblem
from core.messages import Message, render
from core.models import Outcome, Pause, Problem, Reason, SessionSnapshot, Verdict, qr_life
from core.monitor.self_healing import MOST_TRIES, Healed, due_at
from core.operation_status import SELF_HEALING
from dashboard.i18n import DEFAULT, Translate, format_exactly, format_moment, format_number, translator
from dashboard.words import (
    CAUSES,
    FIELDS,
    LOOKS,
    NO_CODE,
    NO_END_TO_END,
    OPERATIONS,
    ORIGINS,
    OTHER_CAUSE,
    OUTCOMES,
    PROGRAMS,
    REASONS,
    SELF_HEALING_ACTS,
    STEPS,
)

_SET_ASIDE = re.compile(r"(?P<file>\S+) could not be read and was set aside as (?P<path>[^;]+);")
"""How the store's notices begin."""


@dataclass(frozen=True)
class LocaleFormatter:
    """The reader's language and clock at the moment of drawing."""

    now: datetime
    zone: tzinfo = UTC
    locale: str = DEFAULT
    instead: Mapping[str, str] = field(default_factory=dict)
    """Texts that say the same of what is drawn in other words."""

    @property
    def translate(self) -> Translate:
        """The gettext function of this language."""
        translate = translator(self.locale)
        return lambda text: translate(self.instead.get(text, text))

    def moment(self, at: datetime) -> str:
        """Write a moment briefly."""
        return format_moment(at, now=self.now, zone=self.zone, locale=self.locale)

    def exactly(self, at: datetime) -> str:
        """Write a moment with seconds and zone."""
        return format_exactly(at, zone=self.zone, locale=self.locale)

    def number(self, value: float, digits: int) -> str:
        """Write a number with so many digits behind the comma."""
        return format_number(value, digits, locale=self.locale)

    def seconds_since(self, at: datetime) -> float:
        """Count the seconds since a moment; clocks that differ a little give 0."""
        return max(0.0, (self.now - at).total_seconds())


def duration(seconds: float) -> str:
    """Write a span by its two largest units: "8 s", "12 min", "3 h 5 min", "2 d 4 h"."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes == 0:
        return f"{whole} s"
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return _two(hours, "h", minutes % 60, "min")
    return _two(days, "d", hours % 24, "h")


def plain(name: str) -> str:
    """Write a name for a label that Streamlit reads as Markdown: "_x_" is not to be read as emphasis.

    Inside a word an underscore is only itself; a backslash there would be read out to the blind. Before the @
    of an e-mail address comes a word joiner, which nobody sees or hears, or it would become a link.
    """
    return re.sub(r"^_+|_+$", lambda edge: "\\_" * len(edge.group()), name).replace("@", "\u2060@")


def verdict_label(voice: LocaleFormatter, verdict: Verdict) -> str:
    """Name a verdict."""
    return voice.translate(LOOKS[verdict].label)


def for_how_long(voice: LocaleFormatter, since: datetime) -> str:
    """Say "for 12 min"."""
    _ = voice.translate
    return _("for {duration}").format(duration=duration(voice.seconds_since(since)))


def summary(voice: LocaleFormatter, sessions: Sequence[SessionSnapshot]) -> str:
    """Count the connected sessions and those that need somebody; paused ones are nobody's business."""
    _ = voice.translate
    watched = [one for one in sessions if one.verdict != Verdict.PAUSED]
    if not watched:
        return ""
    good = sum(one.verdict == Verdict.CONNECTED for one in watched)
    if good == len(watched):
        return _("All {count} connected").format(count=good)
    return _("{good} of {count} connected").format(good=good, count=len(watched))


def last_connected(voice: LocaleFormatter, session: SessionSnapshot) -> str:
    """Say when the session was last connected; empty while it is."""
    _ = voice.translate
    if session.verdict == Verdict.CONNECTED:
        return ""
    if session.last_connected is None:
        return _("Never seen connected")
    return _("Last connected {moment}").format(moment=voice.moment(session.last_connected))


def last_answer(voice: LocaleFormatter, session: SessionSnapshot) -> str:
    """Say when WhatsApp last answered the end-to-end check, or that none can be made; empty without."""
    if session.end_to_end is not None and session.end_to_end.is_possible is False:
        return voice.translate(NO_END_TO_END)
    if session.end_to_end is None or session.end_to_end.passed_at is None:
        return ""
    _ = voice.translate
    return _("WhatsApp last answered {moment}").format(moment=voice.moment(session.end_to_end.passed_at))


def healing(voice: LocaleFormatter, session: SessionSnapshot) -> str:
    """Say what self-healing does about the present outage; empty where there is nothing to say."""
    _ = voice.translate
    known, due = session.healing, due_at(session)
    if known is None or session.lost_at is None:
        return ""
    if known.is_trying:
        return _("Self-healing is restarting it: try {number} of {most}.").format(
            number=known.tries, most=MOST_TRIES
        )
    if known.outcome == Healed.NEEDS_PAIRING:
        return _("Self-healing leaves it alone: it needs a phone.")
    if known.tries >= MOST_TRIES:
        return _("Self-healing restarted it {most} times and gave up. It needs you.").format(most=MOST_TRIES)
    if due is not None:
        return _("Self-healing will restart it at {moment}: try {number} of {most}.").format(
            moment=voice.moment(max(due, voice.now)), number=known.tries + 1, most=MOST_TRIES
        )
    return ""


def reason(voice: LocaleFormatter, session: SessionSnapshot) -> str:
    """Say why the verdict is what it is, and why the session was lost when that is something else."""
    _ = voice.translate
    if session.verdict in (Verdict.CONNECTED, Verdict.PAUSED):
        return ""
    told = [_(REASONS[session.reason])]
    if session.lost_reason not in (Reason.NONE, session.reason):
        told.append(_("Why it was lost: {reason}").format(reason=_(REASONS[session.lost_reason])))
    return " ".join(text for text in told if text)


def why(voice: LocaleFormatter, told: Reason) -> str:
    """Say what a reason means; empty when there is none."""
    return voice.translate(REASONS[told])


def pause(voice: LocaleFormatter, told: Pause) -> str:
    """Say who paused a session, until when and why."""
    _ = voice.translate
    if told.until is None:
        words = _("Paused by {name} until somebody resumes it.").format(name=told.by)
    else:
        words = _("Paused by {name} until {moment}.").format(name=told.by, moment=voice.moment(told.until))
    return f"{words.removesuffix('.')}: {told.reason}" if told.reason else words


def step(voice: LocaleFormatter, code: str) -> str:
    """Say what an operation is doing; a step that this page does not know is shown by its code."""
    return voice.translate(STEPS[code]) if code in STEPS else code


def outcome(voice: LocaleFormatter, told: Outcome) -> str:
    """Say how an operation ended; an outcome that this page does not know is told in core's English."""
    if told.explanation is not None and not told.explanation.is_plain:
        return render(told.explanation, voice.translate)
    return voice.translate(OUTCOMES[told.code]) if told.code in OUTCOMES else told.message


def actor(voice: LocaleFormatter, name: str) -> str:
    """Name who did something: a person, or self-healing."""
    return voice.translate(SELF_HEALING_ACTS) if name == SELF_HEALING else name


def no_code(voice: LocaleFormatter, obstacle: str | None) -> str:
    """Say why no pairing code can be had; empty when one may be asked for."""
    return voice.translate(NO_CODE[obstacle]) if obstacle in NO_CODE else ""


def operation(voice: LocaleFormatter, kind: str) -> str:
    """Name an operation."""
    return voice.translate(OPERATIONS[kind]) if kind in OPERATIONS else kind


def code_life(generation: int) -> int:
    """Tell for how many seconds WhatsApp lets a QR code live."""
    return round(qr_life(generation).total_seconds())


def code_seconds_left(voice: LocaleFormatter, first_seen: datetime, generation: int) -> int:
    """Count the seconds that a QR code still has; 0 when WhatsApp is about to renew it."""
    return max(0, code_life(generation) - int(voice.seconds_since(first_seen)))


def seconds_until(voice: LocaleFormatter, moment: datetime | None) -> int | None:
    """Count the seconds until a moment; None when there is none or it has passed."""
    if moment is None or moment <= voice.now:
        return None
    return int((moment - voice.now).total_seconds()) + 1


def pairing_code_groups(code: str) -> tuple[str, ...]:
    """Split a pairing code as the phone shows it: four and four."""
    plain = code.replace("-", "").replace(" ", "")
    return tuple(plain[start : start + 4] for start in range(0, len(plain), 4))


def origin(_: Translate, told: str) -> str:
    """Say where a setting's value comes from: a variable's name, this page, or the default."""
    return _(ORIGINS[told]) if told in ORIGINS else _("from {variable}").format(variable=told)


def settings_field(_: Translate, path: str) -> str:
    """Name a setting by its dotted path: "servers.main.sessions.sales.enabled" is "main, sales, Checked"."""
    parts = [part for part in path.split(".") if part not in ("servers", "sessions")]
    if path.endswith(".sessions"):
        parts.append("sessions")
    return ", ".join(_(FIELDS[part]) if part in FIELDS else part for part in parts)


def settings_problem(_: Translate, problem: SettingProblem | Message | str) -> str:
    """Tell a mistake in the settings by the field's name and the remedy."""
    if isinstance(problem, SettingProblem):
        text = render(problem.text, _) if isinstance(problem.text, Message) else problem.text
        return f"{settings_field(_, problem.path)}: {text}"
    return render(problem, _) if isinstance(problem, Message) else problem


def cause(_: Translate, kind: str) -> str:
    """Say briefly why something failed, by the class of its error; the details are in the log."""
    return _(CAUSES.get(kind, OTHER_CAUSE))


def problem(_: Translate, told: Problem) -> str:
    """Say why a gateway or a session gave no answer."""
    if told.explanation is None or told.explanation.is_plain:
        return cause(_, told.kind)
    return render(told.explanation, _)


def trouble(_: Translate, told: str) -> str:
    """Tell in the reader's language what of the stored things is not in force."""
    aside = _SET_ASIDE.match(told)
    if aside is None:
        return _(told)
    text = _(
        "{file} could not be read and was set aside as {path}; what it held is not in use. Save it again or "
        "restore a backup, then delete that file."
    )
    return text.format(**aside.groupdict())


def program(_: Translate, holder: str) -> str:
    """Name the program that checks a gateway, without the number of its process."""
    name = holder.partition("[")[0]
    return _(PROGRAMS[name]) if name in PROGRAMS else name


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
