"""Count a gateway's calls per minute, and measure how soon losses are detected, on simulated clocks.

Runs a real prober with a gateway in memory, so that the results do not depend on the machine. A loss is
detected by the session's own probe; the figure is the worst of sessions from all parts of the round.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "core"))

from watched_gateway import FakePage, Probing, probing  # type: ignore[import-not-found, unused-ignore]

from core.models import SessionState, Verdict

SESSIONS = (1, 10, 300)
RELEASES = {"older routes": None, "manager protocol": "2.11.0"}
COSTS = {"strong secret": 4, "weak secret": 10}
TICK_SECONDS = 0.1
SETTLED_SECONDS = 30.0
LEAST_SECONDS = 60.0
"""The least duration of counting; two rounds of all sessions if they take longer."""


@dataclass(frozen=True)
class Load:
    """The counts of one combination."""

    sessions: int
    protocol: str
    secret: str
    calls_a_minute: float
    unlink_seen_seconds: float
    frozen_page_seen_seconds: float

    def line(self) -> str:
        """Return the line."""
        return (
            f"{self.sessions:>4} sessions, {self.protocol:<16}, {self.secret:<13} "
            f"{self.calls_a_minute:>7.0f} calls a minute   "
            f"unlink seen in {self.unlink_seen_seconds:>5.1f} s at most, "
            f"frozen page in {self.frozen_page_seen_seconds:>5.1f} s"
        )


def loads() -> list[Load]:
    """Return the counts of every combination."""
    return [
        measure(count, protocol, secret) for count in SESSIONS for protocol in RELEASES for secret in COSTS
    ]


def measure(count: int, protocol: str, secret: str, *, tries: int = 3) -> Load:
    """Return the counts of one combination. Losses happen at different moments of the round."""
    with tempfile.TemporaryDirectory() as directory:
        main = settled(Path(directory), count, protocol, secret)
        before, began = main.client.calls.total(), main.elapsed.seconds
        main.advance(max(LEAST_SECONDS, 2 * main.published().interval_seconds), tick=TICK_SECONDS)
        calls = (main.client.calls.total() - before) / (main.elapsed.seconds - began) * 60
        names = [f"s{number * count // tries}" for number in range(min(tries, count))]
        frozen = [lose(main, name, 1.7 * number, freeze) for number, name in enumerate(names)]
        unlinked = [lose(main, name, 1.7 * number, unlink) for number, name in enumerate(names)]
    return Load(count, protocol, secret, calls, max(unlinked), max(frozen))


def settled(directory: Path, count: int, protocol: str, secret: str) -> Probing:
    """Return a running prober of a gateway with all sessions connected."""
    main = probing(directory, *(f"s{number}" for number in range(count)))
    main.client.release, main.client.tokens.token_cost = RELEASES[protocol], COSTS[secret]
    main.advance(SETTLED_SECONDS, tick=TICK_SECONDS)
    return main


def freeze(page: FakePage) -> Verdict:
    """Freeze a page, and return the verdict to be reached."""
    page.answers_after_seconds = 60.0
    return Verdict.UNRESPONSIVE


def unlink(page: FakePage) -> Verdict:
    """Unlink a session, and return the verdict to be reached."""
    page.state = SessionState.CLOSED
    return Verdict.DISCONNECTED


def lose(main: Probing, name: str, after_seconds: float, loss: Callable[[FakePage], Verdict]) -> float:
    """Lose a session a moment after its probe, and return the seconds until that is detected."""
    main.client.pages[name] = FakePage()
    while main.session(name).verdict != Verdict.CONNECTED:
        main.advance(TICK_SECONDS, tick=TICK_SECONDS)
    probed = main.client.calls[f"quick {name}"]
    while main.client.calls[f"quick {name}"] == probed:
        main.advance(TICK_SECONDS, tick=TICK_SECONDS)
    main.advance(after_seconds, tick=TICK_SECONDS)
    verdict, began = loss(main.client.pages[name]), main.elapsed.seconds
    while main.session(name).verdict != verdict:
        main.advance(TICK_SECONDS, tick=TICK_SECONDS)
    return float(main.elapsed.seconds - began)


def main() -> None:
    """Print the table."""
    for load in loads():
        print(load.line())


if __name__ == "__main__":
    main()
