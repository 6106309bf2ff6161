"""Which sessions the overview shows, and in which order; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from core.models import SessionSnapshot, Verdict
from dashboard.words import LOOKS

VERDICTS = tuple(sorted(LOOKS, key=lambda verdict: LOOKS[verdict].urgency))
"""All verdicts, the most urgent first."""


def in_order(
    sessions: Iterable[SessionSnapshot], handled: Collection[tuple[str, str]] = ()
) -> list[SessionSnapshot]:
    """Put problems first; of equal ones those that somebody takes care of already come last."""
    return sorted(
        sessions,
        key=lambda one: (
            LOOKS[one.verdict].urgency,
            (one.server, one.session) in handled,
            one.server,
            one.session,
        ),
    )


def chosen(
    sessions: Iterable[SessionSnapshot], *, text: str, server: str, verdicts: Collection[str]
) -> list[SessionSnapshot]:
    """Keep what a reader looks for: each word of the text in the names, the gateway, one of the verdicts."""
    words = text.casefold().split()
    return [
        one
        for one in sessions
        if (not server or one.server == server)
        and (not verdicts or one.verdict in verdicts)
        and all(word in f"{one.session} {one.server}".casefold() for word in words)
    ]


def present(sessions: Sequence[SessionSnapshot], wanted: Collection[str]) -> dict[Verdict, int]:
    """Count the sessions by verdict; one that is looked for is told also when there is none."""
    counts = Counter(one.verdict for one in sessions)
    return {one: counts[one] for one in VERDICTS if counts[one] or one in wanted}
