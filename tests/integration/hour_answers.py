"""For every expression of the kit, by where it stands, what has to come out of it in the scripted hour."""

from __future__ import annotations

from functools import partial

from core.models import Reason, ServerSnapshot, Verdict
from core.reasons import Loss, ProbeFailure
from core.uptime.uptime import uptime
from exporter.collector import AUTH_FAILURE_REASONS
from tests.integration.hour_oracles import (
    NONE,
    RANGE,
    SHADES,
    SUMS_SECONDS,
    Oracle,
    Oracles,
    Series,
    Session,
    growing,
    labels,
    of,
)
from tests.integration.scripted_hour import REFUSED, SCRAPE_SECONDS

Answers = dict[str, list[Oracle]]


def near(second: float) -> float:
    """Tell how far an uptime may be from that of the page: 0.1 % of the hour when it is over.

    Before that an outage may last, of which one scrape has not told yet.
    """
    counted = second // SUMS_SECONDS * SUMS_SECONDS
    return 0.001 if counted >= RANGE else (SCRAPE_SECONDS + 0.001 * RANGE) / counted


PROBED_SECONDS = 10.0
"""What is known of a session may be so old: an interval, a publication, a scrape, until one asks."""
WINDOWS = ("1h", "24h", "7d", "30d")
"""All of them have seen this hour only."""


def flag(value: bool | None) -> float | None:
    """Write what may not be known as a sample."""
    return None if value is None else float(value)


def only(found: Series, value: float) -> Series:
    """Keep what is equal to a value, as a comparison does."""
    return {one: other for one, other in found.items() if other == value}


def above(found: Series, limit: float) -> Series:
    """Keep what is greater."""
    return {one: value for one, value in found.items() if value > limit}


def refusals(server: ServerSnapshot, *, session: str, reason: str) -> float:
    """Read how often a session's token was refused."""
    found = (one.auth_failures.get(reason, 0) for one in server.sessions if one.session == session)
    return float(sum(found))


def failures(server: ServerSnapshot, *, reason: str) -> float:
    """Read how many probes failed."""
    return float(server.probe_failures.get(reason, 0))


def renewals(server: ServerSnapshot) -> float:
    """Read how many tokens were obtained."""
    return float(sum(one.token_renewals for one in server.sessions))


def of_the_rules(known: Oracles) -> Answers:
    """Recording and alerting rules."""

    def sums(second: float, *, measured: bool) -> Series:
        since, until = known.hour.at(second - SUMS_SECONDS), known.hour.at(second)
        found = {of(one): uptime(known.hour.timelines[one], since, until) for one in known.sessions}
        return {
            one: counted.measured_seconds if measured else counted.connected_seconds
            for one, counted in found.items()
            if counted.measured_seconds
        }

    def failing(second: float) -> Series:
        def value(one: Session, verdict: Verdict | None) -> float | None:
            if verdict == Verdict.UNAUTHORIZED:
                return 1.0
            grown = known.grown(
                partial(refusals, session=one[1], reason="token_rejected"), one[0], second, 900
            )
            return grown if grown is not None and grown > 4.5 and verdict != Verdict.PAUSED else None

        return known.by_session(lambda one, span: value(one, span.verdict), second)

    def flapping(second: float) -> Series:
        counts = {of(one): float(known.losses(one, second, RANGE).total()) for one in known.sessions}
        return {} if known.is_blind(second) else above(counts, 3.5)

    def key(second: float) -> Series:
        return only(known.of_servers(lambda one: flag(one.secret_key_valid), second), 0)

    def default(second: float) -> Series:
        return only(known.of_servers(lambda one: flag(one.default_secret), second), 1)

    def nothing(_second: float) -> Series:
        return {}

    share = Oracle(known.uptimes, absolute=near)
    return {
        "server:wppconnect_up:last": [Oracle(known.up)],
        "server_session:wppconnect_session_connected:last": [Oracle(known.connected_last)],
        "server_session:wppconnect_session_lost:last": [Oracle(known.lost)],
        # Five seconds at each of the two ends of an outage.
        "server_session:wppconnect_session_connected_seconds:sum5m": [
            Oracle(lambda second: sums(second, measured=False), absolute=10.1)
        ],
        "server_session:wppconnect_session_measured_seconds:sum5m": [
            Oracle(lambda second: sums(second, measured=True), absolute=10.1)
        ],
        **{f"server_session:wppconnect_session_uptime:ratio{window}": [share] for window in WINDOWS},
        "WppconnectGatewayUnreachable": [Oracle(lambda second: only(known.up(second), 0))],
        "WppconnectSessionDisconnected": [Oracle(known.paged)],
        "WppconnectSecretKeyRejected": [Oracle(key)],
        "WppconnectProbeStale": [Oracle(nothing)],
        "WppconnectExporterAbsent": [Oracle(lambda second: {NONE: 5.0} if known.is_blind(second) else {})],
        "WppconnectAuthenticationFailing": [growing(failing)],
        "WppconnectGatewayRestartsOften": [
            growing(lambda second: above(known.growth(lambda one: one.restarts, second, RANGE), 2.5))
        ],
        "WppconnectSessionFlapping": [growing(flapping)],
        "WppconnectSessionEndToEndFailing": [Oracle(nothing)],
        "WppconnectDefaultSecretInUse": [Oracle(default)],
        "WppconnectWebVersionExpiresSoon": [Oracle(nothing)],
        "WppconnectSettingsRefused": [Oracle(nothing)],
        "WppconnectWatchdog": [Oracle(lambda _second: {NONE: 1.0})],
    }


def of_the_fleet(known: Oracles) -> Answers:
    """The dashboard of all gateways and sessions."""

    def losses(second: float) -> Series:
        counted = [known.losses(one, second) for one in known.sessions]
        return {labels(reason=one): float(sum(count[one] for count in counted)) for one in Loss}

    def refused(second: float) -> Series:
        return {
            one | labels(reason=reason): value
            for reason in AUTH_FAILURE_REASONS
            for one, value in known.growth(partial(refusals, session=REFUSED, reason=reason), second).items()
        }

    def failed(second: float) -> Series:
        return {
            one | labels(reason=reason): value
            for reason in ProbeFailure
            for one, value in known.growth(partial(failures, reason=reason), second).items()
        }

    def version(second: float) -> Series:
        servers = known.hour.scraped(second) or {}
        return {
            labels(server=name, version=one.version): 1.0
            for name, one in servers.items()
            if one.version is not None
        }

    def down(second: float) -> Series:
        return {NONE: 0.0 if known.is_blind(second) else float(len(only(known.up(second), 0)))}

    def alerts(second: float) -> Series:
        return {NONE: float(len(known.firing_at(second)))}

    def ever(second: float) -> Series:
        is_new = [known.was_connected(one, second) is None for one in known.sessions]
        return {NONE: 0.0 if known.is_blind(second) else float(sum(is_new))}

    share = Oracle(known.enabled_uptimes, absolute=near)
    shades = Oracle(lambda second: known.by_session(lambda _, span: SHADES.get(span.verdict, 0.0), second))
    interval = Oracle(lambda second: known.of_servers(lambda one: one.interval_seconds, second))
    return {
        "fleet, Connected": [known.counted(lambda _, span: span.verdict == Verdict.CONNECTED)],
        "fleet, Lost": [Oracle(lambda second: {NONE: float(len(known.lost(second)))})],
        "fleet, Never paired": [Oracle(ever)],
        "fleet, Paused": [known.counted(lambda _, span: span.verdict == Verdict.PAUSED)],
        "fleet, Gateways down": [Oracle(down)],
        "fleet, Alerts": [Oracle(alerts)],
        "fleet, Sessions": [shades],
        "fleet, Uptime": [share] * len(WINDOWS),
        "fleet, Disconnects by reason": [growing(losses)],
        "fleet, Recovery time": [known.recovery(0.5), known.recovery(0.95)],
        "fleet, Refused tokens and keys": [growing(refused)],
        "fleet, Failed probes by reason": [growing(failed)],
        "fleet, Tokens renewed": [growing(lambda second: known.growth(renewals, second))],
        "fleet, Probe duration, 95 %": [Oracle(known.probe_duration, absolute=0.001)],
        "fleet, Probe interval": [interval],
        "fleet, Gateways": [
            Oracle(version),
            Oracle(lambda second: {} if known.is_blind(second) else known.up(second)),
            Oracle(lambda second: known.of_servers(lambda one: flag(one.secret_key_valid), second)),
            Oracle(lambda second: known.of_servers(lambda one: flag(one.default_secret), second)),
            Oracle(lambda second: known.growth(lambda one: one.restarts, second, RANGE)),
        ],
        "fleet, annotation Outages": [Oracle(lambda second: dict.fromkeys(known.lost(second), 1.0))],
        "fleet, variable server": [interval],
        "fleet, variable session": [
            Oracle(
                lambda second: known.by_session(lambda _, span: float(span.verdict != Verdict.PAUSED), second)
            )
        ],
    }


def of_a_session(known: Oracles, one: Session) -> Answers:
    """The dashboard of one session, and the annotations of its alert."""

    def value(found: float | None) -> Series:
        return {} if found is None else {NONE: found}

    def here(second: float, found: float | None) -> Series:
        return {} if known.is_blind(second) else value(found)

    def connected(second: float) -> Series:
        return here(second, known.connected(one, known.span(one, second)))

    def since(second: float) -> Series:
        return {} if known.is_blind(second) else value(1000 * known.since(one, second).timestamp())

    def seen(second: float, factor: float = 1.0) -> Series:
        moment = known.was_connected(one, second)
        return value(None if moment is None else factor * moment)

    def probed(second: float) -> Series:
        is_paused = known.span(one, second).verdict == Verdict.PAUSED
        return here(second, None if is_paused else PROBED_SECONDS / 2)

    def why(second: float) -> Series:
        outage = known.outage(one, second)
        is_told = outage is not None and outage.reason != Reason.NONE and not known.is_blind(second)
        return {labels(reason=outage.reason): 1.0} if outage is not None and is_told else {}

    def verdicts(second: float) -> Series:
        if known.is_blind(second):
            return {}
        holds = known.span(one, second).verdict
        return {labels(state=verdict): float(verdict == holds) for verdict in Verdict}

    def losses(second: float) -> Series:
        counted = known.losses(one, second)
        return {labels(reason=reason): float(counted[reason]) for reason in Loss}

    def refused(second: float) -> Series:
        found = {
            reason: known.grown(partial(refusals, session=one[1], reason=reason), one[0], second)
            for reason in AUTH_FAILURE_REASONS
        }
        return {labels(reason=reason): value for reason, value in found.items() if value is not None}

    def renewed(second: float) -> Series:
        return value(known.grown(renewals, one[0], second))

    def lasted(second: float) -> Series:
        moment = known.was_connected(one, second)
        return value(None if moment is None else known.hour.at(second).timestamp() - moment)

    def uptimes(second: float) -> Series:
        # These panels keep the names of the series: one session, nothing to tell apart.
        return {found: share for found, share in known.uptimes(second).items() if found == of(one)}

    def lost(second: float) -> Series:
        return {found: 1.0 for found in known.lost(second) if found == of(one)}

    panel, alert = "session", "WppconnectSessionDisconnected"
    variables = of_the_fleet(known)
    named = {"1 h": "1h", "24 h": "24h", "7 d": "7d", "30 d": "30d"}
    return {
        f"{alert}, verdict": [Oracle(lambda second: only(verdicts(second), 1))],
        # Seen so an interval, a scrape and a publication earlier.
        f"{alert}, since": [Oracle(seen, absolute=PROBED_SECONDS)],
        f"{alert}, lasted": [Oracle(lasted, absolute=PROBED_SECONDS)],
        f"{alert}, reason": [Oracle(why)],
        # Self-healing is off.
        f"{alert}, tried": [Oracle(lambda _second: {})],
        f"{panel}, Now": [Oracle(connected)],
        f"{panel}, In this state since": [Oracle(since, absolute=2.0)],
        f"{panel}, Last seen connected": [
            Oracle(
                lambda second: {} if known.is_blind(second) else seen(second, 1000),
                absolute=1000 * PROBED_SECONDS,
            )
        ],
        f"{panel}, Age of the last probe": [Oracle(probed, absolute=PROBED_SECONDS / 2 + 1)],
        f"{panel}, Why it is lost": [Oracle(why)],
        f"{panel}, Verdict": [Oracle(verdicts)],
        **{f"{panel}, Uptime, {name}": [Oracle(uptimes, absolute=near)] for name in named},
        f"{panel}, Disconnects by reason": [growing(losses)],
        f"{panel}, Tokens": [growing(refused), growing(renewed)],
        f"{panel}, annotation Outages": [Oracle(lost)],
        f"{panel}, variable server": variables["fleet, variable server"],
        f"{panel}, variable session": [
            Oracle(
                lambda second: {
                    found: value
                    for found, value in variables["fleet, variable session"][0].expected(second).items()
                    if ("server", one[0]) in found
                }
            )
        ],
    }
