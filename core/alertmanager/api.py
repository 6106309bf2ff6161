"""Client for Alertmanager's HTTP API: post and find alerts, notification counts, silences.

Every failure is an AlertmanagerError with a text for the operator that contains no password.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from core.exceptions import (
    AlertmanagerError,
    ConnectError,
    RequestTimeoutError,
    RetryLaterError,
    WppconnectError,
)
from core.logs import showable
from core.settings.values import AlertmanagerSettings
from core.transport import Answer, Transport

log = logging.getLogger(__name__)

COUNTER = re.compile(
    r"^alertmanager_(notification_requests_total|notification_requests_failed_total|notifications_failed_total)"
    r'\{[^}]*\bintegration="(\w+)"[^}]*\} (\S+)$',
    re.MULTILINE,
)
DURATION = re.compile(r"(\d+)(ms|[smhdwy])")
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
DEFAULT_GROUP_WAIT = "30s"
INTEGRATIONS = "_configs"

EARLIEST, LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""Times that every time zone can represent: silences may last "for ever", and Go's zero time is in year 1."""
REPETITION = re.compile(r"[*+?{]")
NESTED = re.compile(r"\)[*+?{]")
MOST_REPETITIONS = 3
"""With more repetitions, or nested ones, Python's matching may take for ever and block the whole page;
Alertmanager's cannot."""

REFUSALS: Mapping[int, str] = {
    **dict.fromkeys((401, 403, 407), "refused"),
    **dict.fromkeys((404, 405, 410, 421), "unreadable"),
    **dict.fromkeys((502, 503, 504, *range(520, 528), 530), "unreachable"),
}
"""Codes by HTTP status: what a proxy without Alertmanager behind it responds is no refusal. Of others the
request failed."""
REFUSAL_TEXTS: Mapping[str, str] = {
    "refused": "refused the request",
    "unreachable": "cannot be reached",
    "failed": "could not handle the request",
}

T = TypeVar("T")


@dataclass(frozen=True)
class Routed:
    """The receivers of an alert."""

    receivers: tuple[str, ...]
    is_suppressed: bool


@dataclass(frozen=True)
class NoticeCounts:
    """Notifications since Alertmanager started, by kind of integration."""

    delivered: Mapping[str, int]
    given_up: Mapping[str, int]


@dataclass(frozen=True)
class Matcher:
    """A condition on one label."""

    label: str
    value: str
    is_regex: bool
    is_equal: bool

    def accepts(self, value: str) -> bool:
        """Return whether a label value meets the condition; False for a pattern that may be too slow."""
        if not self.is_regex:
            return (self.value == value) == self.is_equal
        if NESTED.search(self.value) or len(REPETITION.findall(self.value)) > MOST_REPETITIONS:
            return False
        try:
            return bool(re.fullmatch(self.value, value)) == self.is_equal
        except (re.error, RecursionError, OverflowError):
            return False  # Alertmanager's regular expressions differ slightly from Python's.


@dataclass(frozen=True)
class Silence:
    """A silence: matching alerts cause no notifications for its duration."""

    id: str
    author: str
    comment: str
    since: datetime
    until: datetime
    matchers: tuple[Matcher, ...]

    @property
    def gateway(self) -> str:
        """The gateway whose alerts, those of its sessions included, are all that it matches; else ""."""
        if len(self.matchers) != 1:
            return ""
        (only,) = self.matchers
        return only.value if only.label == "server" and only.is_equal and not only.is_regex else ""

    def covers(self, server: str, session: str) -> bool:
        """Return whether it silences all alerts of a session, or of a gateway itself (empty session).

        False if it also matches other labels.
        """
        labels = {"server": server, "session": session}
        return all(one.label in labels and one.accepts(labels[one.label]) for one in self.matchers)


@dataclass(frozen=True)
class FiringAlert:
    """An alert that fires, silenced or not."""

    name: str
    server: str
    """"" for an alert about no gateway."""
    session: str
    """"" for an alert about no session."""
    severity: str
    summary: str
    since: datetime
    is_silenced: bool


class Alertmanager:
    """One Alertmanager; usable from any thread. Close it after use."""

    def __init__(self, settings: AlertmanagerSettings, *, answer_seconds: float = 10.0) -> None:
        self._url = settings.address
        self._headers = {"Authorization": settings.authorization} if settings.authorization else {}
        self._answer_seconds = answer_seconds
        self._transport = Transport(
            self._url,
            connect_timeout_seconds=min(3.0, answer_seconds),
            proxy=None,
            user_agent="wppconnect-ops",
        )

    def post(self, alert: Mapping[str, Any]) -> None:
        """Post an alert."""
        self._ask("POST", "/api/v2/alerts", json_body=[alert])

    def find(self, label: str, value: str) -> Routed | None:
        """Return the receivers of the alert with this label; None if Alertmanager has no such alert."""

        def read(answer: Any) -> Routed | None:
            if not answer:
                return None
            names = tuple(receiver["name"] for receiver in answer[0]["receivers"])
            return Routed(names, is_suppressed=answer[0]["status"]["state"] == "suppressed")

        return self._read(read, "/api/v2/alerts?filter={matcher}", matcher=f'{label}="{value}"')

    def kinds(self) -> dict[str, set[str]]:
        """Return each receiver's kinds of integration, from Alertmanager's configuration."""
        return self._read_configuration(
            lambda configuration: {
                str(receiver["name"]): {
                    key.removesuffix(INTEGRATIONS) for key in receiver if key.endswith(INTEGRATIONS)
                }
                for receiver in configuration["receivers"]
            }
        )

    def group_wait_seconds(self, receivers: Collection[str]) -> float:
        """Return how long a new group's first notification to any of these receivers waits at most."""
        waits = self._read_configuration(lambda configuration: list(_group_waits(configuration["route"])))
        return max((wait for receiver, wait in waits if receiver in receivers), default=0.0)

    def notice_counts(self) -> NoticeCounts:
        """Return the notification counts by kind of integration; Alertmanager has no finer ones."""
        counts: dict[str, dict[str, int]] = {}
        body = self._ask("GET", "/metrics").body
        try:
            for name, kind, value in COUNTER.findall(body.decode(errors="replace")):
                of_name = counts.setdefault(name, {})
                of_name[kind] = of_name.get(kind, 0) + int(float(value))
        except (ValueError, OverflowError):
            raise self._unreadable() from None
        failed = counts.get("notification_requests_failed_total", {})
        requests = counts.get("notification_requests_total", {})
        return NoticeCounts(
            delivered={kind: count - failed.get(kind, 0) for kind, count in requests.items()},
            given_up=counts.get("notifications_failed_total", {}),
        )

    def silences(self) -> tuple[Silence, ...]:
        """Return the active and pending silences."""

        def read(answer: Any) -> tuple[Silence, ...]:
            return tuple(_silence(one) for one in answer if one["status"]["state"] != "expired")

        return self._read(read, "/api/v2/silences")

    def firing(self) -> tuple[FiringAlert, ...]:
        """Return the alerts that fire and are not inhibited."""

        def read(answer: Any) -> tuple[FiringAlert, ...]:
            return tuple(_firing(one) for one in answer)

        return self._read(read, "/api/v2/alerts?inhibited=false")

    def silence(
        self, server: str, session: str, *, author: str, comment: str, since: datetime, until: datetime
    ) -> str:
        """Silence all alerts of a session, or of a gateway (empty session); return the silence's id."""
        labels = {"server": server, **({"session": session} if session else {})}
        matchers = [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in labels.items()
        ]
        moments = {"startsAt": since.isoformat(), "endsAt": until.isoformat()}
        body = {"matchers": matchers, **moments, "createdBy": author, "comment": comment}
        return self._read(lambda answer: str(answer["silenceID"]), "/api/v2/silences", json_body=body)

    def expire(self, silence: str) -> None:
        """Expire a silence."""
        self._ask("DELETE", "/api/v2/silence/{silence}", silence=silence)

    def close(self) -> None:
        """Close the connections; calls in progress end."""
        self._transport.close()

    def _read(self, read: Callable[[Any], T], route: str, *, json_body: Any = None, **path: str) -> T:
        answer = self._ask("POST" if json_body else "GET", route, json_body=json_body, **path)
        try:
            return read(json.loads(answer.body))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise self._unreadable() from None

    def _read_configuration(self, read: Callable[[Any], T]) -> T:
        def parse(answer: Any) -> T:
            try:
                return read(YAML(typ="safe", pure=True).load(answer["config"]["original"]))
            except YAMLError:
                raise self._unreadable() from None

        return self._read(parse, "/api/v2/status")

    def _ask(self, method: str, route: str, *, json_body: Any = None, **path: str) -> Answer:
        try:
            answer = self._transport.request(
                method,
                route,
                path=path,
                operation="ask Alertmanager",
                timeout_seconds=self._answer_seconds,
                headers=self._headers,
                json_body=json_body,
            )
        except (ConnectError, RequestTimeoutError) as error:
            why = "no answer in time" if isinstance(error, RequestTimeoutError) else "no connection"
            raise AlertmanagerError(f"{self._url} cannot be reached ({why})", code="unreachable") from None
        except RetryLaterError:
            raise AlertmanagerError(f"{self._url} asks for a later retry", code="busy") from None
        except WppconnectError:
            raise self._unreadable() from None
        if answer.status_code >= 400:
            raise self._refusal(answer.status_code)
        return answer

    def _refusal(self, status: int) -> AlertmanagerError:
        code = REFUSALS.get(status, "failed")
        if code == "unreadable":
            return self._unreadable()
        log.warning("alertmanager_request_failed status=%d", status)
        return AlertmanagerError(f"{self._url} {REFUSAL_TEXTS[code]} ({status})", code=code)

    def _unreadable(self) -> AlertmanagerError:
        text = f"{self._url} answers, but not as Alertmanager does; look at ALERTMANAGER_URL"
        return AlertmanagerError(text, code="unreadable")


def increased(before: Mapping[str, int], now: Mapping[str, int], kinds: Collection[str]) -> set[str]:
    """Return the kinds whose count has increased."""
    return {kind for kind in kinds if now.get(kind, 0) > before.get(kind, 0)}


def _group_waits(
    route: Mapping[str, Any], receiver: str = "", group_wait: str = DEFAULT_GROUP_WAIT
) -> Iterator[tuple[str, float]]:
    """Yield the receiver of each route and its wait in seconds; a route inherits what it does not set."""
    receiver, group_wait = route.get("receiver", receiver), route.get("group_wait", group_wait)
    yield receiver, sum(int(number) * SECONDS[unit] for number, unit in DURATION.findall(group_wait))
    for child in route.get("routes", ()):
        yield from _group_waits(child, receiver, group_wait)


def _firing(told: Any) -> FiringAlert:
    labels = told["labels"]
    name, server, session, severity = (
        showable(str(labels.get(label, ""))) for label in ("alertname", "server", "session", "severity")
    )
    return FiringAlert(
        name,
        server,
        session,
        severity,
        summary=showable(str(told["annotations"].get("summary", ""))),
        since=_moment(told["startsAt"]),
        is_silenced=bool(told["status"]["silencedBy"]),
    )


def _silence(told: Any) -> Silence:
    # isEqual was added in 0.22; a matcher without it tests for equality.
    matchers = (
        Matcher(str(one["name"]), str(one["value"]), bool(one["isRegex"]), bool(one.get("isEqual", True)))
        for one in told["matchers"]
    )
    return Silence(
        id=str(told["id"]),
        author=showable(str(told["createdBy"])),
        comment=showable(str(told["comment"])),
        since=_moment(told["startsAt"]),
        until=_moment(told["endsAt"]),
        matchers=tuple(matchers),
    )


def _moment(told: str) -> datetime:
    moment = datetime.fromisoformat(told)
    if moment.tzinfo is None:
        raise ValueError("it names no time zone")
    return min(max(moment, EARLIEST), LATEST)
