"""Filter and order of the sessions in the overview. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from core.models import SessionSnapshot, Verdict
from dashboard.formatting import by_name
from dashboard.words import LOOKS, look

VERDICTS = tuple(sorted(LOOKS, key=lambda verdict: LOOKS[verdict].urgency))
"""All verdicts, the most urgent first."""


def in_order(
    sessions: Iterable[SessionSnapshot], handled: Collection[tuple[str, str]] = ()
) -> list[SessionSnapshot]:
    """Sort problems first; of equal verdicts, those in `handled` (acknowledged) last."""
    return sorted(
        sessions,
        key=lambda one: (
            look(one).urgency,
            (one.server, one.session) in handled,
            by_name(one.server),
            by_name(one.session),
        ),
    )


def chosen(
    sessions: Iterable[SessionSnapshot], *, text: str, server: str, verdicts: Collection[str]
) -> list[SessionSnapshot]:
    """Filter sessions by words that all occur in session or gateway name, by gateway, and by verdicts."""
    words = text.casefold().split()
    return [
        one
        for one in sessions
        if (not server or one.server == server)
        and (not verdicts or one.verdict in verdicts)
        and all(word in f"{one.session} {one.server}".casefold() for word in words)
    ]


def present(sessions: Sequence[SessionSnapshot], wanted: Collection[str]) -> dict[Verdict, int]:
    """Count the sessions by verdict, the most urgent first; wanted verdicts are included even with 0."""
    counts = Counter(one.verdict for one in sessions)
    return {one: counts[one] for one in VERDICTS if counts[one] or one in wanted}
