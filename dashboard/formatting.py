"""Values to text. Pure functions, without Streamlit; those with localised output take a `LocaleFormatter` or
`Translate` first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from core.exceptions import SettingProblem
from core.messages import Message, render
from core.messages.operation import OUTCOMES, STEPS
from core.models import Outcome, Pause, Problem, QrCode, Reason, SessionSnapshot, Verdict
from core.monitor.self_healing import MOST_TRIES, Healed, due_at
from core.operation_status import SELF_HEALING
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.setting import setting_fields
from dashboard.i18n import (
    DEFAULT,
    Translate,
    format_day,
    format_exactly,
    format_moment,
    format_month,
    format_number,
    format_weekday,
    translator,
)
from dashboard.words import (
    CAUSES,
    LOOKS,
    NO_CODE,
    NO_END_TO_END,
    OPERATIONS,
    ORIGINS,
    OTHER_CAUSE,
    PROGRAMS,
    REASONS,
    SELF_HEALING_ACTS,
    look,
)

_TITLES = {"pause": "field.pause", "sessions": "field.sessions"} | {
    one.name: one.setting.title
    for model in (ServerFields, SessionFields, ProgramFields)
    for one in setting_fields(model)
}
"""By a setting's field: the message id of its name."""


@dataclass(frozen=True)
class LocaleFormatter:
    """The user's language and time zone, with the moment of drawing."""

    now: datetime
    zone: tzinfo = UTC
    locale: str = DEFAULT
    instead: Mapping[str, str] = field(default_factory=dict)
    """Replacements of texts before translation, by the original text."""

    @property
    def translate(self) -> Translate:
        """The function that translates into this language."""
        translate = translator(self.locale)
        return lambda text: translate(self.instead.get(text, text))

    def moment(self, at: datetime) -> str:
        """Return a moment in short form."""
        return format_moment(at, now=self.now, zone=self.zone, locale=self.locale)

    def exactly(self, at: datetime) -> str:
        """Return a moment with date, seconds and zone."""
        return format_exactly(at, zone=self.zone, locale=self.locale)

    def day(self, at: datetime) -> str:
        """Return the day of a moment: "3 Nov"."""
        return format_day(at, zone=self.zone, locale=self.locale)

    def month(self, month: str) -> str:
        """Return a month such as "2026-11" with its name."""
        return format_month(month, locale=self.locale)

    def weekday(self, number: int) -> str:
        """Return the short name of a day of the week; 0 is Monday."""
        return format_weekday(number, locale=self.locale)

    def number(self, value: float, digits: int) -> str:
        """Return a number with a fixed count of decimal digits."""
        return format_number(value, digits, locale=self.locale)

    def seconds_since(self, at: datetime) -> float:
        """Return the seconds since a moment; 0 for a moment in the future, as from clock skew."""
        return max(0.0, (self.now - at).total_seconds())


def duration(seconds: float) -> str:
    """Return a duration in its largest units, at most two: "8 s", "12 min", "3 h 5 min", "2 d 4 h"."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes == 0:
        return f"{whole} s"
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return _two(hours, "h", minutes % 60, "min")
    return _two(days, "d", hours % 24, "h")


def by_name(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts names naturally: "extra2" before "extra10"."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((0, int(one), "") if one.isdecimal() else (1, 0, one.casefold()) for one in parts)


def plain(name: str) -> str:
    """Return a name escaped for a Streamlit label, which is Markdown: "_x_" must not become emphasis.

    Underscores inside a word need no backslash, and screen readers would read it. An invisible word joiner
    before the @ keeps an e-mail address from becoming a link.
    """
    return re.sub(r"^_+|_+$", lambda edge: "\\_" * len(edge.group()), name).replace("@", "\u2060@")


def verdict_label(formatter: LocaleFormatter, verdict: Verdict) -> str:
    """Return the label of a verdict."""
    return formatter.translate(LOOKS[verdict].label)


def for_how_long(formatter: LocaleFormatter, since: datetime) -> str:
    """Return the time since a moment: "for 12 min"."""
    _ = formatter.translate
    return _("for {duration}").format(duration=duration(formatter.seconds_since(since)))


def summary(formatter: LocaleFormatter, sessions: Sequence[SessionSnapshot]) -> str:
    """Return the count of connected sessions among those neither paused nor in maintenance; empty if none."""
    _ = formatter.translate
    watched = [one for one in sessions if one.verdict != Verdict.PAUSED and one.maintenance_until is None]
    if not watched:
        return ""
    good = sum(one.verdict == Verdict.CONNECTED for one in watched)
    if good == len(watched):
        return _("All {count} connected").format(count=good)
    return _("{good} of {count} connected").format(good=good, count=len(watched))


def problems(sessions: Sequence[SessionSnapshot]) -> list[SessionSnapshot]:
    """Return the sessions that need somebody, the most urgent first."""
    found = [one for one in sessions if look(one).tone in ("bad", "warn")]
    return sorted(found, key=lambda one: look(one).urgency)


def tab_title(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return the title of a session's browser tab: "sales: connected"."""
    label = formatter.translate(look(session).label)
    return f"{session.session}: {label[0].lower()}{label[1:]}"


def last_connected(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return when the session was last connected; empty while it is."""
    _ = formatter.translate
    if session.verdict == Verdict.CONNECTED:
        return ""
    if session.last_connected is None:
        return _("Never connected")
    return _("Last connected {moment}").format(moment=formatter.moment(session.last_connected))


def last_answer(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return when WhatsApp last answered the end-to-end check, or that it is impossible; else empty."""
    if session.end_to_end is not None and session.end_to_end.is_possible is False:
        return formatter.translate(NO_END_TO_END)
    if session.end_to_end is None or session.end_to_end.passed_at is None:
        return ""
    _ = formatter.translate
    return _("WhatsApp last answered {moment}").format(moment=formatter.moment(session.end_to_end.passed_at))


def healing(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return the state of self-healing in the present outage; empty if it takes no part."""
    _ = formatter.translate
    known, due = session.healing, due_at(session)
    if known is None or session.lost_at is None:
        return ""
    if known.is_trying:
        return _("Self-healing is restarting the session: attempt {number} of {most}.").format(
            number=known.tries, most=MOST_TRIES
        )
    if known.outcome == Healed.NEEDS_PAIRING:
        return _("Self-healing cannot help: the session needs a phone.")
    if known.tries >= MOST_TRIES:
        return _(
            "Self-healing restarted the session {most} times without success. It needs your attention."
        ).format(most=MOST_TRIES)
    if due is not None:
        return _("Self-healing will restart the session at {moment}: attempt {number} of {most}.").format(
            moment=formatter.moment(max(due, formatter.now)), number=known.tries + 1, most=MOST_TRIES
        )
    return ""


def reason(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return the reason of the verdict, and the reason of the loss if it differs."""
    _ = formatter.translate
    if session.verdict in (Verdict.CONNECTED, Verdict.PAUSED):
        return ""
    told = [_(REASONS[session.reason])]
    if session.lost_reason not in (Reason.NONE, session.reason):
        told.append(_("Cause of the outage: {reason}").format(reason=_(REASONS[session.lost_reason])))
    return " ".join(text for text in told if text)


def why(formatter: LocaleFormatter, told: Reason) -> str:
    """Return the text of a reason; empty for `Reason.NONE`."""
    return formatter.translate(REASONS[told])


def pause(formatter: LocaleFormatter, told: Pause) -> str:
    """Return author, end and reason of a pause."""
    _ = formatter.translate
    if told.until is None:
        words = _("Paused by {name} until someone resumes it.").format(name=told.by)
    else:
        words = _("Paused by {name} until {moment}.").format(
            name=told.by, moment=formatter.moment(told.until)
        )
    return f"{words.removesuffix('.')}: {told.reason}" if told.reason else words


def maintenance(formatter: LocaleFormatter, until: datetime | None) -> str:
    """Return until when maintenance lasts; empty outside a window."""
    _ = formatter.translate
    return _("Maintenance until {moment}").format(moment=formatter.moment(until)) if until else ""


def step(formatter: LocaleFormatter, code: str) -> str:
    """Return the text of an operation's step; an unknown step as its code."""
    return formatter.translate(STEPS[code]) if code in STEPS else code


def outcome(formatter: LocaleFormatter, told: Outcome) -> str:
    """Return the text of an operation's outcome; an unknown outcome in the English of `core`."""
    if told.explanation is not None and not told.explanation.is_plain:
        return render(told.explanation, formatter.translate)
    return formatter.translate(OUTCOMES[told.code]) if told.code in OUTCOMES else told.message


def actor(formatter: LocaleFormatter, name: str) -> str:
    """Return the name of an actor: a user, or self-healing."""
    return formatter.translate(SELF_HEALING_ACTS) if name == SELF_HEALING else name


def no_code(formatter: LocaleFormatter, obstacle: str | None) -> str:
    """Return why pairing by code is unavailable; empty if it is available."""
    return formatter.translate(NO_CODE[obstacle]) if obstacle in NO_CODE else ""


def operation(formatter: LocaleFormatter, kind: str) -> str:
    """Return the name of an operation."""
    return formatter.translate(OPERATIONS[kind]) if kind in OPERATIONS else kind


def code_seconds_left(formatter: LocaleFormatter, qr: QrCode) -> int:
    """Return the remaining seconds of a QR code; 0 when its renewal is due."""
    return max(0, round(qr.life_seconds) - int(formatter.seconds_since(qr.first_seen)))


def seconds_until(formatter: LocaleFormatter, moment: datetime | None) -> int | None:
    """Return the seconds until a moment, at least 1; None if there is none or it has passed."""
    if moment is None or moment <= formatter.now:
        return None
    return int((moment - formatter.now).total_seconds()) + 1


def pairing_code_groups(code: str) -> tuple[str, ...]:
    """Split a pairing code into groups of four, as the phone shows it."""
    plain = code.replace("-", "").replace(" ", "")
    return tuple(plain[start : start + 4] for start in range(0, len(plain), 4))


def origin(_: Translate, told: str) -> str:
    """Return the origin of a setting's value: the name of a variable, this page, or the default."""
    return _(ORIGINS[told]) if told in ORIGINS else _("from {variable}").format(variable=told)


def settings_field(_: Translate, path: str) -> str:
    """Return the name of a setting: "servers.main.sessions.sales.enabled" is "main, sales, Checked"."""
    match path.split("."):
        case ["servers", server, "sessions", session, *fields]:
            names = [server, session]
        case ["servers", server, *fields]:
            names = [server]
        case fields:
            names = []
    titles = (render(Message(_TITLES[field]), _) if field in _TITLES else field for field in fields)
    return ", ".join([*names, *titles])


def settings_problem(_: Translate, problem: SettingProblem | Message | str) -> str:
    """Return an error in the settings with the field's name and the correction."""
    if isinstance(problem, SettingProblem):
        text = render(problem.text, _) if isinstance(problem.text, Message) else problem.text
        return f"{settings_field(_, problem.path)}: {text}"
    return render(problem, _) if isinstance(problem, Message) else problem


def cause(_: Translate, kind: str) -> str:
    """Return the short cause of a failure by the class name of its error; the log has the details."""
    return _(CAUSES.get(kind, OTHER_CAUSE))


def problem(_: Translate, told: Problem) -> str:
    """Return why a gateway or a session did not answer."""
    if told.explanation is None or told.explanation.is_plain:
        return cause(_, told.kind)
    return render(told.explanation, _)


def program(_: Translate, holder: str) -> str:
    """Return the name of the program that checks a gateway, without its process id."""
    name = holder.partition("[")[0]
    return _(PROGRAMS[name]) if name in PROGRAMS else name


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
