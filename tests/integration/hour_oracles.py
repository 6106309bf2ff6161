"""What every expression of the monitoring kit has to return in the scripted hour.

Sessions and outages come from the history log, through `core.uptime`, as the page reads it; what the
log does not tell (counts, the gateway's keys) from the snapshots.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from itertools import pairwise

from core.models import ServerSnapshot, Verdict
from core.monitor.histogram import BOUNDS_SECONDS, RECOVERY_BOUNDS_SECONDS
from core.reasons import Loss
from core.uptime.timeline import Span
from core.uptime.uptime import Outage, outages, uptime
from tests.integration.scripted_hour import (
    ABSENT_SINCE,
    ANNEX,
    MAIN,
    SCRAPE_PHASE,
    SCRAPE_SECONDS,
    SECONDS,
    Hour,
)

Labels = frozenset[tuple[str, str]]
Series = dict[Labels, float]
Session = tuple[str, str]

SUMS_SECONDS, INTERVAL, RATE, RANGE = 300.0, 300.0, 60.0, 3600.0
"""How often sums are recorded; what Grafana puts for its variables."""
RULES_SECONDS, RULES_PHASE = 15, 3.7
"""How often rules are evaluated, and how long after a full minute."""
GATEWAY, LOST = "WppconnectGatewayUnreachable", "WppconnectSessionDisconnected"
FOR = {GATEWAY: 120.0, LOST: 180.0}
SHADES = {
    Verdict.CONNECTED: 3.0,
    Verdict.PAUSED: 1.0,
    **dict.fromkeys((Verdict.WAITING_FOR_QR, Verdict.WAITING_FOR_CODE, Verdict.STARTING), 2.0),
}


def labels(**pairs: str) -> Labels:
    """Write a series' labels."""
    return frozenset(pairs.items())


def of(session: Session) -> Labels:
    """Write the labels of a session."""
    return labels(server=session[0], session=session[1])


NONE = labels()


@dataclass(frozen=True)
class Oracle:
    """What is right at a second of the hour, and how far from it an answer may be."""

    expected: Callable[[float], Series]
    absolute: float | Callable[[float], float] = 1e-6
    relative: float = 0.0

    def complaints(self, second: float, found: Series) -> Iterator[str]:
        """Yield what is wrong with an answer."""
        expected = self.expected(second)
        absolute = self.absolute(second) if callable(self.absolute) else self.absolute
        if set(expected) != set(found):
            missing, strange = set(expected) - set(found), set(found) - set(expected)
            yield f"at {second:g}: lacks {sorted(map(sorted, missing))}, has {sorted(map(sorted, strange))}"
        for one in set(expected) & set(found):
            is_unknown = math.isnan(expected[one]) and math.isnan(found[one])
            is_close = math.isclose(expected[one], found[one], rel_tol=self.relative, abs_tol=absolute)
            if not (is_unknown or is_close):
                yield f"at {second:g}: {sorted(one)} is {found[one]:g}, not {expected[one]:g}"


def probes_within(server: ServerSnapshot, *, number: int) -> float:
    """Read one bucket of the probes' durations."""
    return float(server.probe_seconds.buckets[number])


def growing(expected: Callable[[float], Series]) -> Oracle:
    """Judge an `increase`: it extrapolates to the ends of its window, up to one scrape of sixty."""
    return Oracle(expected, absolute=0.01, relative=0.035)


@dataclass
class Oracles:
    """Everything that is known of the hour, in the words of the panels."""

    hour: Hour

    @cached_property
    def sessions(self) -> list[Session]:
        """Every session."""
        return sorted(self.hour.timelines)

    @cached_property
    def outages(self) -> dict[Session, list[Outage]]:
        """Every outage, by session."""
        return {session: outages(self.hour.timelines[session]) for session in self.sessions}

    def scraped_at(self, second: float) -> datetime:
        """Return the moment of the latest scrape, or of the try."""
        return self.hour.at((second - SCRAPE_PHASE) // SCRAPE_SECONDS * SCRAPE_SECONDS + SCRAPE_PHASE)

    def span(self, session: Session, second: float) -> Span:
        """Return what a session was in when it was scraped last."""
        at = self.scraped_at(second)
        return next(one for one in self.hour.timelines[session] if one.since <= at < one.until)

    def since(self, session: Session, second: float) -> datetime:
        """Tell since when it has been in that; nobody has to look for it to stay paused."""
        holds, at = self.span(session, second), self.scraped_at(second)
        if holds.verdict != Verdict.PAUSED:
            return holds.since
        known = [one for one in self.hour.timelines[session] if one.since <= at and one.verdict is not None]
        return next(
            (
                later.since
                for later, earlier in pairwise(reversed(known))
                if earlier.verdict != Verdict.PAUSED
            ),
            known[0].since,
        )

    def last_span(self, session: Session, second: float) -> Span:
        """Return what was known of a session last, also while nobody looks."""
        return self.span(session, ABSENT_SINCE - SCRAPE_SECONDS if self.is_blind(second) else second)

    def is_blind(self, second: float) -> bool:
        """Tell whether no exporter answers."""
        return self.hour.scraped(second) is None

    def by_session(self, value: Callable[[Session, Span], float | None], second: float) -> Series:
        """Ask something of every session; nothing while no exporter answers."""
        if self.is_blind(second):
            return {}
        found = {of(one): value(one, self.span(one, second)) for one in self.sessions}
        return {one: value for one, value in found.items() if value is not None}

    def counted(self, holds: Callable[[Session, Span], bool]) -> Oracle:
        """Count the sessions of which something holds."""
        return Oracle(
            lambda second: {
                NONE: float(sum(self.by_session(lambda one, span: float(holds(one, span)), second).values()))
            }
        )

    def connected(self, session: Session, span: Span) -> float | None:
        """Tell what `session_connected` is."""
        return None if span.verdict == Verdict.PAUSED else float(span.verdict == Verdict.CONNECTED)

    def was_connected(self, session: Session, second: float) -> float | None:
        """Tell when a session was connected last; it may have been seen so a probe earlier."""
        at = self.scraped_at(second)
        seen = [
            min(one.until, at)
            for one in self.hour.timelines[session]
            if one.verdict == Verdict.CONNECTED and one.since <= at
        ]
        return max(seen).timestamp() if seen else None

    def connected_last(self, second: float) -> Series:
        """Tell the last word on every session that is not paused."""
        found = {one: self.connected(one, self.last_span(one, second)) for one in self.sessions}
        return {of(one): value for one, value in found.items() if value is not None}

    def lost(self, second: float) -> Series:
        """Tell which sessions are lost."""
        ever = {of(one) for one in self.sessions if self.was_connected(one, second) is not None}
        return {
            one: value for one, value in self.connected_last(second).items() if value == 0 and one in ever
        }

    @cached_property
    def firing(self) -> dict[float, set[tuple[str, Labels]]]:
        """Tell which alerts fire at each evaluation: a gateway's, and its sessions' that it holds back."""
        found: dict[float, set[tuple[str, Labels]]] = {}
        pending: dict[tuple[str, Labels], float] = {}
        before: set[tuple[str, Labels]] = set()
        for number in range(SECONDS // RULES_SECONDS):
            second = number * RULES_SECONDS + RULES_PHASE
            holds = {(GATEWAY, one) for one, value in self.up(second).items() if value == 0}
            down = {one for one in holds if second - pending.get(one, second) >= FOR[GATEWAY]}
            for one in self.lost(second):
                is_held_back = (GATEWAY, labels(server=dict(one)["server"])) in down
                if not is_held_back or (LOST, one) in before:
                    holds.add((LOST, one))
            pending = {one: pending.get(one, second) for one in holds}
            before = {one for one in holds if second - pending[one] >= FOR[one[0]]}
            found[second] = before
        return found

    def firing_at(self, second: float) -> set[tuple[str, Labels]]:
        """Tell it at the latest evaluation."""
        return self.firing[(second - RULES_PHASE) // RULES_SECONDS * RULES_SECONDS + RULES_PHASE]

    def paged(self, second: float) -> Series:
        """Tell which lost sessions are not held back by their gateway's alert."""
        firing = self.firing_at(second)
        return {
            one: value
            for one, value in self.lost(second).items()
            if (LOST, one) in firing or (GATEWAY, labels(server=dict(one)["server"])) not in firing
        }

    def up(self, second: float) -> Series:
        """Tell which gateways answer, from what their sessions were in."""
        down = {one[0] for one in self.sessions if self.last_span(one, second).verdict == Verdict.UNREACHABLE}
        return {labels(server=server): float(server not in down) for server in (MAIN, ANNEX)}

    def uptimes(self, second: float) -> Series:
        """Tell the share that the page tells, of what has been added up until then."""
        until = self.hour.at((second // SUMS_SECONDS) * SUMS_SECONDS)
        found = {one: uptime(self.hour.timelines[one], self.hour.begins_at, until) for one in self.sessions}
        return {of(one): counted.share for one, counted in found.items() if counted.share is not None}

    def enabled_uptimes(self, second: float) -> Series:
        """Tell it of what the exporter names now."""
        return {} if self.is_blind(second) else self.uptimes(second)

    def of_servers(self, value: Callable[[ServerSnapshot], float | None], second: float) -> Series:
        """Ask something of every gateway's snapshot; nothing while no exporter answers."""
        servers = self.hour.scraped(second) or {}
        found = {labels(server=name): value(one) for name, one in servers.items()}
        return {one: value for one, value in found.items() if value is not None}

    def grown(
        self, read: Callable[[ServerSnapshot], float], server: str, second: float, window: float = INTERVAL
    ) -> float | None:
        """Tell by how much a count grew in a window; a smaller one has begun anew."""
        scrapes = self.hour.window(second - window, second)
        counts = [read(one.servers[server]) for one in scrapes if one.servers is not None]
        if len(counts) < 2:
            return None
        return sum(after - before if after >= before else after for before, after in pairwise(counts))

    def growth(
        self, read: Callable[[ServerSnapshot], float], second: float, window: float = INTERVAL
    ) -> Series:
        """Tell it of every gateway."""
        found = {labels(server=name): self.grown(read, name, second, window) for name in (MAIN, ANNEX)}
        return {one: value for one, value in found.items() if value is not None}

    def losses(self, session: Session, second: float, window: float = INTERVAL) -> Counter[Loss]:
        """Count the outages of a session that began in a window."""
        scrapes = self.hour.window(second - window, second)
        first, last = self.hour.at(scrapes[0].second), self.hour.at(scrapes[-1].second)
        return Counter(Loss.of(one.reason) for one in self.outages[session] if first < one.since <= last)

    def outage(self, session: Session, second: float) -> Outage | None:
        """Return the outage that a session is in."""
        at = self.scraped_at(second)
        running = (
            one for one in self.outages[session] if one.since <= at and (not one.until or at < one.until)
        )
        return next(running, None)

    def recovery(self, quantile: float) -> Oracle:
        """Estimate a quantile of how long the outages lasted that have ended."""

        def expected(second: float) -> Series:
            at = self.scraped_at(second)
            lasted = [
                one.seconds(at)
                for found in self.outages.values()
                for one in found
                if one.recovered and one.until is not None and one.until <= at
            ]
            cumulative = [
                sum(one <= bound for one in lasted) for bound in (*RECOVERY_BOUNDS_SECONDS, math.inf)
            ]
            return {NONE: estimate(quantile, RECOVERY_BOUNDS_SECONDS, cumulative)}

        return Oracle(expected, absolute=0.5)

    def probe_duration(self, second: float) -> Series:
        """Estimate the 95th percentile of a minute's probes."""
        found = {}
        for server in (MAIN, ANNEX):
            grown = [
                self.grown(partial(probes_within, number=number), server, second, RATE)
                for number in range(len(BOUNDS_SECONDS) + 1)
            ]
            if None not in grown:
                found[labels(server=server)] = estimate(0.95, BOUNDS_SECONDS, [one or 0.0 for one in grown])
        return found


def estimate(quantile: float, bounds: tuple[float, ...], cumulative: list[float] | list[int]) -> float:
    """Estimate as Prometheus does: evenly within a bucket."""
    rank = quantile * cumulative[-1]
    if cumulative[-1] == 0:
        return math.nan
    number = next(number for number, count in enumerate(cumulative) if count >= rank)
    if number == len(bounds):
        return bounds[-1]
    below = cumulative[number - 1] if number else 0
    low = bounds[number - 1] if number else 0.0
    return low + (bounds[number] - low) * (rank - below) / (cumulative[number] - below)
