"""An hour of two gateways, probed by our own watcher, scraped every five seconds, and written down twice.

Once as the history log, once as the exposition that Prometheus would have read. Clocks only jump.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from watched_gateway import FakeClient, FakeTokens, Probing, server_settings

from core.exceptions import AuthenticationError, ConnectError, SecretKeyRejectedError
from core.models import ServerSnapshot, SessionState, Snapshot
from core.settings.values import Timeouts
from core.uptime.verdict_log import KINDS
from exporter.exposition import Exposition, Format
from exporter.own_metrics import OwnMetrics
from tests.fakes import FakeClock
from tests.support.timelines import Timelines, timelines

SECONDS, SCRAPE_SECONDS, TICK_SECONDS = 3615, 5, 0.25
SCRAPE_PHASE = 1.5
"""The exporter is scraped so long after each full five seconds."""
TARGET = 'job="wppconnect",instance="127.0.0.1:21466"'
ABSENT_SINCE, ABSENT_UNTIL = 2712, 2892
"""When no exporter is there, and nobody probes."""
MAIN, ANNEX = "main", "annex"
NEVER_PROBED, REFUSED = "quiet", "refused"
MAIN_SESSIONS = ("sales", "support", "hotline", REFUSED, "holiday", NEVER_PROBED, "new")


class RefusedTokens(FakeTokens):
    """Tokens of which one session's alone are refused and renewed."""

    def renewals(self, session: str) -> int:
        return self.renewed if session == REFUSED else 0

    def failures(self, session: str) -> dict[str, int]:
        return dict(self.counted) if session == REFUSED else {}


@dataclass
class Scrape:
    """One scrape: its moment, and what was published then; None while no exporter answered."""

    second: float
    servers: dict[str, ServerSnapshot] | None


class Hour:
    """The hour, lived through when it is made."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.begins_at = self.clock()
        self.scrapes: list[Scrape] = []
        self._client = FakeClient(*MAIN_SESSIONS)
        self._client.tokens = RefusedTokens()
        self._annex = FakeClient("web")
        self._main = self._probe(folder / MAIN, MAIN, self._client, *MAIN_SESSIONS, paused=(NEVER_PROBED,))
        self._second = self._probe(folder / ANNEX, ANNEX, self._annex, "web")
        self._expositions = Exposition(OwnMetrics("1", proc="/nowhere"))
        self._lines: list[str] = []
        self._live()
        self.timelines = self._timelines()

    def at(self, second: float) -> datetime:
        """Return a moment of the hour."""
        return self.begins_at + timedelta(seconds=second)

    def open_metrics(self) -> Iterator[str]:
        """Yield everything that Prometheus would have stored, with its timestamps."""
        yield from self._lines

    def scraped(self, second: float) -> dict[str, ServerSnapshot] | None:
        """Return what the latest scrape until then has read."""
        return next(one.servers for one in reversed(self.scrapes) if one.second <= second)

    def window(self, since: float, until: float) -> list[Scrape]:
        """Return the scrapes of a window that were answered."""
        return [one for one in self.scrapes if one.servers is not None and since <= one.second <= until]

    def _probe(
        self, folder: Path, name: str, client: FakeClient, *sessions: str, paused: tuple[str, ...] = ()
    ) -> Probing:
        server = server_settings(*sessions, paused=paused, name=name, end_to_end_minutes=0)
        return Probing(folder, server, client, holder="exporter[1]", clock=self.clock)

    def _live(self) -> None:
        self._client.pages["new"].state = SessionState.CLOSED
        self._annex.default_is_accepted = True
        script = sorted(self._script(), key=lambda step: step[0])
        for probing in (self._main, self._second):
            probing.watcher._state.record_start()
        for number in range(round(SECONDS / TICK_SECONDS)):
            second = number * TICK_SECONDS
            while script and script[0][0] <= second:
                script.pop(0)[1]()
            is_there = not ABSENT_SINCE <= second < ABSENT_UNTIL
            if is_there:
                for probing in (self._main, self._second):
                    probing.run_once()
            if second % SCRAPE_SECONDS == SCRAPE_PHASE:
                self._scrape(second, is_there=is_there)
            for probing in (self._main, self._second):
                probing.elapsed.seconds += TICK_SECONDS
            self.clock.advance(TICK_SECONDS)

    def _script(self) -> list[tuple[float, Callable[[], None]]]:
        """What happens, by second. Nothing happens near a full minute: that is when one asks Prometheus."""
        pages, client, tokens = self._client.pages, self._client, self._client.tokens

        def see(session: str, state: SessionState) -> Callable[[], None]:
            return lambda: setattr(pages[session], "state", state)

        def page(session: str, **fields: Any) -> Callable[[], None]:
            return lambda: [setattr(pages[session], name, value) for name, value in fields.items()] and None

        def count(reason: str) -> None:
            tokens.counted[reason] = tokens.counted.get(reason, 0) + 1

        def renew() -> None:
            tokens.renewed += 1

        def restart() -> None:
            client.uptime_seconds = 1.0

        def run_on() -> None:
            client.uptime_seconds = 500.0

        closed, connected, waiting = SessionState.CLOSED, SessionState.CONNECTED, SessionState.QRCODE
        refusal = AuthenticationError("refused", status_code=401)
        return [
            # sales: one outage that wanders between verdicts; its phone was unlinked.
            *((620, see("sales", closed)), (871, see("sales", waiting)), (932, see("sales", closed))),
            *((1112, see("sales", waiting)), (1234, see("sales", connected))),
            # support: its page comes and goes, five times.
            *((1400.0 + 140 * n, page("support", answers=False)) for n in range(5)),
            *((1443.0 + 140 * n, page("support", answers=True)) for n in range(5)),
            # hotline: its page freezes.
            (317, page("hotline", answers_after_seconds=60.0)),
            (738, page("hotline", answers_after_seconds=0.0)),
            # refused: its token is not accepted for ten minutes, and renewed in vain.
            *((1510, page("refused", error=refusal)), (2105, page("refused", error=None))),
            *((1515.0 + 60 * n, lambda: count("token_rejected")) for n in range(10)),
            *((1517.0 + 60 * n, renew) for n in range(10)),
            # holiday: paused for ten minutes, while its phone is away.
            (920, see("holiday", closed)),
            (945, lambda: self._pause(NEVER_PROBED, "holiday")),
            *((1520, see("holiday", connected)), (1547, lambda: self._pause(NEVER_PROBED))),
            # main: three restarts, and another secret key for a while.
            *((2420.0 + 70 * n, restart) for n in range(3)),
            *((2440.0 + 70 * n, run_on) for n in range(3)),
            (3025, lambda: setattr(client, "listing_error", SecretKeyRejectedError("no", status_code=400))),
            (3205, lambda: setattr(client, "listing_error", None)),
            # Nobody probes, and no exporter answers.
            (ABSENT_UNTIL, self._take_over),
            # annex: down for a while; "web" comes back with it.
            (3128, lambda: setattr(self._annex, "health_error", ConnectError("nobody listens"))),
            (3367, lambda: setattr(self._annex, "health_error", None)),
        ]

    def _pause(self, *paused: str) -> None:
        """Take over other settings, as the process that probes does."""
        self._main.server = server_settings(*MAIN_SESSIONS, paused=paused, name=MAIN, end_to_end_minutes=0)
        self._main.begin("exporter[1]")

    def _take_over(self) -> None:
        for probing in (self._main, self._second):
            probing.begin("exporter[2]")
            probing.watcher._state.record_start()

    def _scrape(self, second: float, *, is_there: bool) -> None:
        moment = f"{self.at(second).timestamp():.3f}"
        self._lines.append(f"up{{{TARGET}}} {is_there:d} {moment}\n")
        if not is_there:
            self.scrapes.append(Scrape(second, None))
            return
        latest = [probing.watcher.latest for probing in (self._main, self._second)]
        servers = {one.server: one for one in latest if one is not None}
        self.scrapes.append(Scrape(second, servers))
        now = self.clock()
        snapshot = Snapshot(taken_at=now, settings_revision=1, servers=tuple(servers.values()))
        body = self._expositions.body(snapshot, now, Timeouts(), Format.OPENMETRICS).decode()
        self._lines += (_stored(line, moment) for line in body.splitlines() if not line.startswith("#"))

    def _timelines(self) -> Timelines:
        now = self.at(SECONDS)
        found: Timelines = {}
        for probing in (self._main, self._second):
            latest = probing.watcher.latest
            assert latest is not None
            entries = probing.history.read(since=self.begins_at, kinds=KINDS)
            found |= timelines(entries, latest, now)
        return found


def _stored(line: str, moment: str) -> str:
    series, _, value = line.rpartition(" ")
    name, _, labels = series.partition("{")
    own = labels.removesuffix("}")
    return f"{name}{{{TARGET}{',' if own else ''}{own}}} {value} {moment}\n"
