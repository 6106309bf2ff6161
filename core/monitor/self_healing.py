"""Rules of optional self-healing: which session is restarted when, and how attempts end.

The process that probes the gateway decides; an ordinary operation restarts the session. One session of a
gateway at a time, since each start launches a browser (contract, section 8, T7).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from core.gateways.protocol import Waits
from core.models import WAITS_FOR_A_PHONE, Healing, Reason, ServerSnapshot, SessionSnapshot, Verdict

MOST_TRIES = 3
"""Limit of attempts in one outage."""

USUAL = Waits()

NOT_BEGUN_AFTER = timedelta(seconds=30)
"""An attempt without an operation status by then never started: its process ended."""


class Healed(StrEnum):
    """How an attempt ended. Bounded: it is a metric label."""

    CONNECTED = "connected"
    NEEDS_PAIRING = "needs_pairing"
    """The session started and waits for a phone: no further attempt in this outage."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """An operator started another operation on the session, or the process ended."""
    NOT_NEEDED = "not_needed"
    """The session changed before anything was done; does not count as an attempt."""

    @classmethod
    def of(cls, code: str) -> Healed:
        """Return the result for an operation's outcome code."""
        return _ENDS.get(code, cls.FAILED)


_ENDS = {
    "connected": Healed.CONNECTED,
    "needs_pairing": Healed.NEEDS_PAIRING,
    "already_connected": Healed.NOT_NEEDED,
    "not_needed": Healed.NOT_NEEDED,
    "gave_way": Healed.INTERRUPTED,
    "stopped": Healed.INTERRUPTED,
}

_ENDED_ON_PURPOSE = frozenset(
    {
        Reason.CLOSED_ON_GATEWAY,
        Reason.CLOSED_BY_OPERATOR,
        Reason.LOGGED_OUT_BY_OPERATOR,
        Reason.CODE_EXPIRED,
        Reason.LINK_NOT_COMPLETED,
        Reason.NEVER_STARTED,
    }
)
"""Reasons of outages that were intended, or that only a phone can end."""


def due_at(session: SessionSnapshot, waits: Waits = USUAL) -> datetime | None:
    """Return when a session may next be restarted; None if self-healing must not restart it."""
    healing = session.healing
    if healing is None or healing.is_trying or healing.outcome == Healed.NEEDS_PAIRING:
        return None
    if healing.tries >= MOST_TRIES or not session.enabled or session.lost_at is None:
        return None
    if session.lost_reason in _ENDED_ON_PURPOSE or not _is_broken(session):
        return None
    first = session.since + timedelta(seconds=waits.before_healing)
    if healing.ended_at is None:
        return first
    pause = timedelta(seconds=waits.between_tries * 2.0 ** max(0, healing.tries - 1))
    return max(first, healing.ended_at + pause)


def choose(
    gateway: ServerSnapshot, sessions: Sequence[SessionSnapshot], now: datetime, waits: Waits = USUAL
) -> str | None:
    """Return the session to restart now; None if there is none, or the gateway is down or just started."""
    if not gateway.up or any(one.healing and one.healing.is_trying for one in sessions):
        return None
    # After its start a gateway launches every session that it knows; do not add to that load.
    settled = now - timedelta(seconds=waits.gateway_settles)
    if any(began and began > settled for began in (gateway.started_at, gateway.restarted_at)):
        return None
    due = [(moment, one) for one in sessions if (moment := due_at(one, waits)) is not None and moment <= now]
    may_help = [(moment, one) for moment, one in due if not _is_network_of_all(one, sessions)]
    return min(may_help, key=lambda pair: pair[0])[1].session if may_help else None


def begun(healing: Healing, now: datetime) -> Healing:
    """Return the state for a new attempt; publish it before the attempt, so that a crash cannot lose it."""
    return Healing(tries=healing.tries + 1, tried_at=now)


def ended(healing: Healing, outcome: Healed, now: datetime) -> Healing:
    """Return the state after the end of an attempt."""
    tries = healing.tries - (outcome == Healed.NOT_NEEDED)
    return healing.model_copy(update={"tries": tries, "ended_at": now, "outcome": outcome})


def follow(session: SessionSnapshot, now: datetime, waits: Waits = USUAL) -> Healing | None:
    """Return the attempts that still count: none once the session has been connected for `healed_for`.

    An outage that begins sooner counts as the same one, or the attempts would never end.
    """
    healing = session.healing
    if healing is None or healing.is_trying:
        return healing
    is_well = now - session.since >= timedelta(seconds=waits.healed_for)
    match session.verdict:
        case _ if session.verdict in WAITS_FOR_A_PHONE and session.lost_at is not None:
            # The pairing is lost, even if another process started the session.
            return healing.model_copy(update={"outcome": Healed.NEEDS_PAIRING})
        case Verdict.CONNECTED if healing.outcome == Healed.NEEDS_PAIRING or is_well:
            return Healing()
        case Verdict.PAUSED:
            return Healing()
        case _:
            return healing


def _is_broken(session: SessionSnapshot) -> bool:
    """Return whether the session needs a restart, or a start because an attempt left it closed."""
    if session.verdict in (Verdict.UNRESPONSIVE, Verdict.STUCK):
        return True
    healing, is_closed = session.healing, session.verdict == Verdict.DISCONNECTED
    was_ours = healing is not None and healing.outcome in (Healed.FAILED, Healed.INTERRUPTED)
    return is_closed and was_ours and session.reason not in _ENDED_ON_PURPOSE


def _is_network_of_all(session: SessionSnapshot, sessions: Sequence[SessionSnapshot]) -> bool:
    """Return whether WhatsApp answers no session of the gateway, as when its network is down.

    A browser that is started without network is worse off than one that waits for it.
    """
    if session.reason != Reason.WHATSAPP_NOT_ANSWERING:
        return False
    checked = [one.end_to_end for one in sessions if one.end_to_end and one.end_to_end.checked_at]
    return len(checked) > 1 and all(one.failures for one in checked)
