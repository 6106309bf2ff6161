"""Count a gateway's calls per minute, and measure how soon an unlink is detected, on simulated clocks.

Runs a real prober with a gateway in memory, so that the results do not depend on the machine. An unlink is
detected by the session's own probe; the figure is the worst of sessions from all parts of the round.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "core"))

from watched_gateway import Probing, probing  # type: ignore[import-not-found, unused-ignore]

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

    def line(self) -> str:
        """Return the line."""
        return (
            f"{self.sessions:>4} sessions, {self.protocol:<16}, {self.secret:<13} "
            f"{self.calls_a_minute:>7.0f} calls a minute   "
            f"unlink seen in {self.unlink_seen_seconds:>5.1f} s at most"
        )


def loads() -> list[Load]:
    """Return the counts of every combination."""
    return [
        measure(count, protocol, secret) for count in SESSIONS for protocol in RELEASES for secret in COSTS
    ]


def measure(count: int, protocol: str, secret: str, *, tries: int = 3) -> Load:
    """Return the counts of one combination. Unlinks happen at different moments of the round."""
    with tempfile.TemporaryDirectory() as directory:
        main = settled(Path(directory), count, protocol, secret)
        before, began = main.client.calls.total(), main.elapsed.seconds
        main.advance(max(LEAST_SECONDS, 2 * main.published().interval_seconds), tick=TICK_SECONDS)
        calls = (main.client.calls.total() - before) / (main.elapsed.seconds - began) * 60
        names = [f"s{number * count // tries}" for number in range(min(tries, count))]
        seen = [unlink(main, name, 1.7 * number) for number, name in enumerate(names)]
    return Load(count, protocol, secret, calls, max(seen))


def settled(directory: Path, count: int, protocol: str, secret: str) -> Probing:
    """Return a running prober of a gateway with all sessions connected."""
    main = probing(directory, *(f"s{number}" for number in range(count)))
    main.client.release, main.client.tokens.token_cost = RELEASES[protocol], COSTS[secret]
    main.advance(SETTLED_SECONDS, tick=TICK_SECONDS)
    return main


def unlink(main: Probing, name: str, after_seconds: float) -> float:
    """Unlink a session a moment after its probe, and return the seconds until it is detected."""
    probed = main.client.calls[f"status {name}"]
    while main.client.calls[f"status {name}"] == probed:
        main.advance(TICK_SECONDS, tick=TICK_SECONDS)
    main.advance(after_seconds, tick=TICK_SECONDS)
    main.client.pages[name].state = SessionState.CLOSED
    began = main.elapsed.seconds
    while main.session(name).verdict != Verdict.DISCONNECTED:
        main.advance(TICK_SECONDS, tick=TICK_SECONDS)
    return float(main.elapsed.seconds - began)


def main() -> None:
    """Print the table."""
    for load in loads():
        print(load.line())


if __name__ == "__main__":
    main()
