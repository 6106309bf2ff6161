"""Texts and heartbeat bar of a track record. Pure functions, without Streamlit."""

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
from core.uptime.uptime import Uptime
from dashboard.formatting import LocaleFormatter, duration, verdict_label
from dashboard.i18n import N_
from dashboard.words import LOOKS

WINDOWS: dict[Window, str] = {Window.DAY: "24 h", Window.WEEK: "7 d", Window.MONTH: "30 d"}

LOSSES: dict[Loss, str] = {
    Loss.CLOSED: N_("removed on the phone, or closed elsewhere"),
    Loss.GATEWAY: N_("gateway down or restarted"),
    Loss.PAGE: N_("WhatsApp Web crashed or frozen"),
    Loss.OPERATOR: N_("closed or logged out here"),
    Loss.OTHER: N_("other or unknown"),
}


LOW = 0.95
"""Uptimes below it are highlighted."""
FULL = 0.99
"""Share of a window that must be measured to count as complete; a restart of the prober leaves a gap."""


@dataclass(frozen=True)
class Beat:
    """Adjacent slots with the same look and text."""

    look: str
    """"good", "partly", "bad", "paused" or "none"."""
    since: datetime
    until: datetime
    count: int
    text: str
    """The states in this period."""


def percent(formatter: LocaleFormatter, share: float | None) -> str:
    """Return an uptime as text, a dash without one; less than 100 % is never rounded up to 100 %."""
    if share is None:
        return "–"
    if share == 1:
        return "100 %"
    digits = 2 if share >= 0.99 else 1
    # Rounded to six decimals before truncation: 0.9934 is slightly less in binary.
    cut = int(round(share * 100 * 10**digits, 6)) / 10**digits
    return f"{formatter.number(min(cut, 99.99), digits)} %"


def uptimes(formatter: LocaleFormatter, record: TrackRecord | None) -> str:
    """Return the uptime of each window as HTML, with the exact figures as tooltips."""
    _ = formatter.translate
    told = []
    for window, name in WINDOWS.items():
        counted = record.uptimes[window] if record else None
        share = counted.share if counted else None
        if counted is None or share is None:
            exact = _("No data yet")
        else:
            exact = _("Connected {connected} of {measured} measured").format(
                connected=duration(counted.connected_seconds), measured=duration(counted.measured_seconds)
            )
        tone = "" if share is None or share >= LOW else " ops-low"
        told.append(
            f'<span class="ops-uptime" title="{escape(exact, quote=True)}">'
            f'<b class="ops-number{tone}">{escape(percent(formatter, share))}</b> {name}</span>'
            f"{_measured(formatter, counted, window)}"
        )
    return f'<div class="ops-uptimes">{"".join(told)}</div>'


def _measured(formatter: LocaleFormatter, counted: Uptime | None, window: Window) -> str:
    """Return the measured part of a window as HTML; empty if the window is complete."""
    _ = formatter.translate
    if counted is None or counted.share is None:
        return ""
    # In a combined record the time of every session counts.
    whole = window.length.total_seconds() * counted.sessions
    if counted.measured_seconds >= FULL * whole:
        return ""
    measured = duration(counted.measured_seconds / counted.sessions)
    text = _("({duration} measured)").format(duration=measured)
    return f' <span class="ops-soft" data-ops="measured">{escape(text)}</span>'


def heartbeat(formatter: LocaleFormatter, session: str, record: TrackRecord | None) -> str:
    """Return the last 24 hours as a bar of half hours in HTML, with equal neighbours merged."""
    _ = formatter.translate
    name = _("The last 24 hours of {session}").format(session=session)
    items = []
    for beat in beats(formatter, record.slots if record else ()):
        when = f"{formatter.moment(beat.since)} – {formatter.moment(beat.until)}"
        told = escape(f"{when}: {beat.text}", quote=True)
        items.append(
            f'<li class="ops-beat ops-beat-{beat.look}" style="--n:{beat.count}" title="{told}">'
            f'<span class="ops-unseen">{told}</span></li>'
        )
    if not items:
        told = escape(_("No data yet"), quote=True)
        items = [f'<li class="ops-beat ops-beat-none" style="--n:48" title="{told}"></li>']
    return f'<ul class="ops-beats" aria-label="{escape(name, quote=True)}">{"".join(items)}</ul>'


def beats(formatter: LocaleFormatter, slots: Sequence[Slot]) -> Iterator[Beat]:
    """Yield the slots with equal neighbours merged."""
    kept: Beat | None = None
    for slot in slots:
        beat = _beat(formatter, slot)
        if kept is not None and (kept.look, kept.text) == (beat.look, beat.text):
            kept = Beat(kept.look, kept.since, beat.until, kept.count + 1, kept.text)
            continue
        if kept is not None:
            yield kept
        kept = beat
    if kept is not None:
        yield kept


def fleet(formatter: LocaleFormatter, records: Collection[TrackRecord], *, lost_now: bool = False) -> str:
    """Return the combined uptime and losses of all sessions; `lost_now`: one of them is not connected."""
    _ = formatter.translate
    record = together(records)
    if record is None:
        return ""
    told = [*lost_and_back(formatter, record, lost_now=lost_now), *losses(formatter, record.disconnects)]
    lines = "".join(f"<li>{escape(one)}</li>" for one in told)
    title = escape(_("All sessions"))
    return (
        f'<section class="ops-fleet"><h2 class="ops-subtitle">{title}</h2>'
        f'{uptimes(formatter, record)}<ul class="ops-plain">{lines}</ul></section>'
    )


def lost_and_back(formatter: LocaleFormatter, record: TrackRecord, *, lost_now: bool = False) -> list[str]:
    """Return the number of outages in 30 days, and the mean time to recover; empty if it was never up."""
    _ = formatter.translate
    count = sum(record.disconnects.values())
    if not count:
        # The record lags behind the state shown beside it. What was never up cannot have had an outage.
        was_up = record.uptimes[Window.MONTH].connected_seconds > 0
        return [_("No outages in 30 days")] if was_up and not lost_now else []
    told = [_("1 outage in 30 days") if count == 1 else _("{count} outages in 30 days").format(count=count)]
    if record.mean_recovery_seconds is not None:
        mean = duration(record.mean_recovery_seconds)
        told.append(_("Mean time to recover: {duration}").format(duration=mean))
    return told


def losses(formatter: LocaleFormatter, counts: Mapping[Loss, int]) -> list[str]:
    """Return the counts of losses by cause, the most frequent first."""
    _ = formatter.translate
    named = [(count, _(LOSSES[loss])) for loss, count in counts.items()]
    return [f"{count} × {name}" for count, name in sorted(named, key=lambda one: -one[0])]


def loss(formatter: LocaleFormatter, reason: Reason) -> str:
    """Return the cause of a connection loss."""
    return formatter.translate(LOSSES[Loss.of(reason)])


def _beat(formatter: LocaleFormatter, slot: Slot) -> Beat:
    _ = formatter.translate
    measured = [one for one in slot.spans if one.is_measured]
    down = [one for one in measured if one.verdict is not Verdict.CONNECTED]
    if not measured:
        look, text = "none", _("No data")
        if any(one.in_maintenance for one in slot.spans):
            look, text = "paused", _("Maintenance")
        elif any(one.verdict is Verdict.PAUSED for one in slot.spans):
            look, text = "paused", verdict_label(formatter, Verdict.PAUSED)
    elif not down:
        look, text = "good", verdict_label(formatter, Verdict.CONNECTED)
    elif len(down) < len(measured):
        look, text = "partly", _told(formatter, down)
    else:
        look, text = "bad", verdict_label(formatter, _longest(down))
    return Beat(look, slot.since, slot.until, 1, text)


def _told(formatter: LocaleFormatter, down: Sequence[Span]) -> str:
    seconds: dict[Verdict, float] = {}
    for one in down:
        if one.verdict is not None:
            seconds[one.verdict] = seconds.get(one.verdict, 0.0) + one.seconds
    return ", ".join(
        f"{verdict_label(formatter, verdict)} {duration(seconds[verdict])}"
        for verdict in sorted(seconds, key=lambda verdict: -seconds[verdict])
        if seconds[verdict] >= 1 or len(seconds) == 1
    )


def _longest(down: Sequence[Span]) -> Verdict:
    """Return the verdict with the longest total time; of equal ones, the most urgent."""
    seconds: Counter[Verdict] = Counter()
    for one in down:
        if one.verdict is not None:
            seconds[one.verdict] += round(one.seconds)
    return min(seconds, key=lambda verdict: (-seconds[verdict], LOOKS[verdict].urgency))
