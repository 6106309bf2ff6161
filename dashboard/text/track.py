"""How a session has fared, in words and as a heartbeat bar; pure, no streamlit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from core.models import Reason, Verdict
from core.reasons import Loss
from core.uptime.records import Slot, TrackRecord, Window, together
from core.uptime.timeline import Span
from core.uptime.uptime import Uptime, is_measured
from dashboard.formatting import LocaleFormatter, duration, verdict_label
from dashboard.i18n import N_
from dashboard.words import LOOKS

WINDOWS: dict[Window, str] = {Window.DAY: "24 h", Window.WEEK: "7 d", Window.MONTH: "30 d"}

LOSSES: dict[Loss, str] = {
    Loss.CLOSED: N_("removed on the phone, or closed elsewhere"),
    Loss.GATEWAY: N_("gateway down or restarted"),
    Loss.PAGE: N_("WhatsApp page dead or frozen"),
    Loss.OPERATOR: N_("closed or logged out here"),
    Loss.OTHER: N_("other or not known"),
}


LOW = 0.95
"""Uptimes below it catch the eye."""
FULL = 0.99
"""A window of which this much has been measured is full: a restart of the prober leaves a gap."""


@dataclass(frozen=True)
class Beat:
    """Slots beside each other of which the same is to be said."""

    look: str
    """good | partly | bad | paused | none"""
    since: datetime
    until: datetime
    count: int
    text: str
    """What happened in this time."""


def percent(voice: LocaleFormatter, share: float | None) -> str:
    """Write an uptime; what is not quite 100 % never reads as 100 %."""
    if share is None:
        return "–"
    if share == 1:
        return "100 %"
    digits = 2 if share >= 0.99 else 1
    # Rounded far behind the comma first: 0.9934 is a little less in binary.
    cut = int(round(share * 100 * 10**digits, 6)) / 10**digits
    return f"{voice.number(min(cut, 99.99), digits)} %"


def uptimes(voice: LocaleFormatter, record: TrackRecord | None) -> str:
    """Return the uptime of each window; the exact numbers are in the tooltips."""
    _ = voice.translate
    told = []
    for window, name in WINDOWS.items():
        counted = record.uptimes[window] if record else None
        share = counted.share if counted else None
        if counted is None or share is None:
            exact = _("Not measured yet")
        else:
            exact = _("Connected {connected} of {measured} measured").format(
                connected=duration(counted.connected_seconds), measured=duration(counted.measured_seconds)
            )
        tone = "" if share is None or share >= LOW else " ops-low"
        told.append(
            f'<span class="ops-uptime" title="{escape(exact, quote=True)}">'
            f'<b class="ops-number{tone}">{escape(percent(voice, share))}</b> {name}</span>'
            f"{_measured(voice, counted, window)}"
        )
    return f'<div class="ops-uptimes">{"".join(told)}</div>'


def _measured(voice: LocaleFormatter, counted: Uptime | None, window: Window) -> str:
    """Return how much of a window has been measured, as long as that is not the whole of it."""
    _ = voice.translate
    if counted is None or counted.share is None:
        return ""
    # Of several sessions together each one's time counts.
    whole = window.length.total_seconds() * counted.sessions
    if counted.measured_seconds >= FULL * whole:
        return ""
    measured = duration(counted.measured_seconds / counted.sessions)
    text = _("({duration} measured)").format(duration=measured)
    return f' <span class="ops-soft" data-ops="measured">{escape(text)}</span>'


def heartbeat(voice: LocaleFormatter, session: str, record: TrackRecord | None) -> str:
    """Return the last day as a bar of half hours; neighbours of which the same is to be said are one."""
    _ = voice.translate
    name = _("The last 24 hours of {session}").format(session=session)
    items = []
    for beat in beats(voice, record.slots if record else ()):
        when = f"{voice.moment(beat.since)} – {voice.moment(beat.until)}"
        told = escape(f"{when}: {beat.text}", quote=True)
        items.append(
            f'<li class="ops-beat ops-beat-{beat.look}" style="--n:{beat.count}" title="{told}">'
            f'<span class="ops-unseen">{told}</span></li>'
        )
    if not items:
        told = escape(_("Not known yet"), quote=True)
        items = [f'<li class="ops-beat ops-beat-none" style="--n:48" title="{told}"></li>']
    return f'<ul class="ops-beats" aria-label="{escape(name, quote=True)}">{"".join(items)}</ul>'


def beats(voice: LocaleFormatter, slots: Sequence[Slot]) -> Iterator[Beat]:
    """Put together what is to be said of the slots."""
    kept: Beat | None = None
    for slot in slots:
        beat = _beat(voice, slot)
        if kept is not None and (kept.look, kept.text) == (beat.look, beat.text):
            kept = Beat(kept.look, kept.since, beat.until, kept.count + 1, kept.text)
            continue
        if kept is not None:
            yield kept
        kept = beat
    if kept is not None:
        yield kept


def fleet(voice: LocaleFormatter, records: Collection[TrackRecord], *, lost_now: bool = False) -> str:
    """Return how all sessions together have fared; `lost_now`: one of them is without connection."""
    _ = voice.translate
    record = together(records)
    if record is None:
        return ""
    told = [*lost_and_back(voice, record, lost_now=lost_now), *losses(voice, record.disconnects)]
    lines = "".join(f"<li>{escape(one)}</li>" for one in told)
    title = escape(_("All sessions together"))
    return (
        f'<section class="ops-fleet"><h2 class="ops-subtitle">{title}</h2>'
        f'{uptimes(voice, record)}<ul class="ops-plain">{lines}</ul></section>'
    )


def lost_and_back(voice: LocaleFormatter, record: TrackRecord, *, lost_now: bool = False) -> list[str]:
    """Tell how often connections were lost in 30 days, and how long it took to get them back."""
    _ = voice.translate
    count = sum(record.disconnects.values())
    if not count:
        # A record is read a moment later than what is shown beside it.
        return [] if lost_now else [_("Never lost in the last 30 days")]
    told = [_("Lost in the last 30 days: {count}").format(count=count)]
    if record.mean_recovery_seconds is not None:
        mean = duration(record.mean_recovery_seconds)
        told.append(_("Connected again after {duration} on average").format(duration=mean))
    return told


def losses(voice: LocaleFormatter, counts: Mapping[Loss, int]) -> list[str]:
    """Tell how often a session was lost, the commonest reason first."""
    _ = voice.translate
    named = [(count, _(LOSSES[loss])) for loss, count in counts.items()]
    return [f"{count} × {name}" for count, name in sorted(named, key=lambda one: -one[0])]


def loss(voice: LocaleFormatter, reason: Reason) -> str:
    """Say who or what ended a connection."""
    return voice.translate(LOSSES[Loss.of(reason)])


def _beat(voice: LocaleFormatter, slot: Slot) -> Beat:
    _ = voice.translate
    measured = [one for one in slot.spans if is_measured(one.verdict)]
    down = [one for one in measured if one.verdict is not Verdict.CONNECTED]
    if not measured:
        is_paused = any(one.verdict is Verdict.PAUSED for one in slot.spans)
        look, text = (
            ("paused", verdict_label(voice, Verdict.PAUSED)) if is_paused else ("none", _("Not measured"))
        )
    elif not down:
        look, text = "good", verdict_label(voice, Verdict.CONNECTED)
    elif len(down) < len(measured):
        look, text = "partly", _told(voice, down)
    else:
        look, text = "bad", verdict_label(voice, _longest(down))
    return Beat(look, slot.since, slot.until, 1, text)


def _told(voice: LocaleFormatter, down: Sequence[Span]) -> str:
    seconds: dict[Verdict, float] = {}
    for one in down:
        if one.verdict is not None:
            seconds[one.verdict] = seconds.get(one.verdict, 0.0) + one.seconds
    return ", ".join(
        f"{verdict_label(voice, verdict)} {duration(seconds[verdict])}"
        for verdict in sorted(seconds, key=lambda verdict: -seconds[verdict])
        if seconds[verdict] >= 1 or len(seconds) == 1
    )


def _longest(down: Sequence[Span]) -> Verdict:
    """Return what lasted longest; of two that lasted alike the more urgent one."""
    seconds: Counter[Verdict] = Counter()
    for one in down:
        if one.verdict is not None:
            seconds[one.verdict] += round(one.seconds)
    return min(seconds, key=lambda verdict: (-seconds[verdict], LOOKS[verdict].urgency))
