"""Test the delivery of notifications: fire a test alert and time each step to its delivery."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from core.alertmanager.api import Alertmanager, NoticeCounts, Routed, increased
from core.exceptions import AlertmanagerError

ALERT = "WppconnectTestPager"
POLL_SECONDS = 0.2
TIMEOUT_SECONDS = 180.0
"""Per step: the shipped configuration waits up to a minute before it notifies of a resolved alert."""

T = TypeVar("T")


class Leg(StrEnum):
    """A step from us to the person on call."""

    ACCEPTED = "accepted"
    ROUTED = "routed"
    DELIVERED = "delivered"
    END_ACCEPTED = "end_accepted"
    END_DELIVERED = "end_delivered"
    ALSO_TOLD = "also_told"
    """Not a step: other receivers counted together with ours; the next notification may be theirs."""


@dataclass(frozen=True)
class Passed:
    """A completed step."""

    leg: Leg
    seconds: float
    """Since the alert, or its end, was posted."""
    names: tuple[str, ...] = ()
    """Receivers, or kinds of integration."""


class PagerCheck:
    """One test with its own alert; reports each step with its time."""

    def __init__(
        self,
        alertmanager: Alertmanager,
        report: Callable[[Passed], None],
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        stop: threading.Event | None = None,
    ) -> None:
        self._alertmanager = alertmanager
        self._report = report
        self._timeout_seconds = timeout_seconds
        self._stop = stop or threading.Event()
        self._started_at = datetime.now(UTC)
        # A unique session name creates a separate group: no earlier notification delays or absorbs this one.
        self._session = f"test-{self._started_at:%Y%m%dT%H%M%S%f}"
        self._clock = time.monotonic()

    def run(self) -> None:
        """Report each step; raise AlertmanagerError if a step fails."""
        try:
            kinds, others = self._fire()
        except BaseException:
            # End the alert after any failure, so that it causes no further notification.
            self._post(ends_at=datetime.now(UTC))
            raise
        self._end(kinds, others)

    def _fire(self) -> tuple[set[str], list[str]]:
        before = self._alertmanager.notice_counts()
        self._clock = time.monotonic()
        self._post(ends_at=self._started_at + timedelta(seconds=self._timeout_seconds + 600))
        self._passed(Leg.ACCEPTED)
        routed = self._wait(self._find, "was accepted, but is not listed")
        if routed.is_suppressed:
            text = "a silence or an inhibition suppresses the alert; end it and try again"
            raise AlertmanagerError(text, code="suppressed")
        listed_at = time.monotonic()
        self._passed(Leg.ROUTED, *routed.receivers)
        kinds, others = self._kinds(routed)
        group_wait = self._alertmanager.group_wait_seconds(routed.receivers)
        if others:
            self._report(Passed(Leg.ALSO_TOLD, 0.0, tuple(others)))
        # A notice counted before the group wait is over is another alert's; ours is never sent if the alert
        # ends before that.
        self._wait(
            lambda: time.monotonic() - listed_at >= group_wait and self._has_gone_out(before, kinds, others),
            "was routed, but no notice went out",
        )
        self._passed(Leg.DELIVERED, *sorted(kinds))
        return kinds, others

    def _end(self, kinds: set[str], others: list[str]) -> None:
        before = self._alertmanager.notice_counts()
        self._clock = time.monotonic()
        self._post(ends_at=datetime.now(UTC))
        self._passed(Leg.END_ACCEPTED)
        self._wait(
            lambda: self._has_gone_out(before, kinds, others), "was ended, but no notice of it went out"
        )
        self._passed(Leg.END_DELIVERED, *sorted(kinds))

    def _find(self) -> Routed | None:
        return self._alertmanager.find("session", self._session)

    def _kinds(self, routed: Routed) -> tuple[set[str], list[str]]:
        """Return the kinds of integration that notify of this alert, and other receivers that use them."""
        by_receiver = self._alertmanager.kinds()
        kinds = {kind for name in routed.receivers for kind in by_receiver.get(name, ())}
        if not kinds:
            text = f"receiver {', '.join(routed.receivers)} notifies nobody; choose another"
            raise AlertmanagerError(text, code="notifies_nobody")
        others = [name for name, used in by_receiver.items() if name not in routed.receivers and used & kinds]
        return kinds, others

    def _has_gone_out(self, before: NoticeCounts, kinds: set[str], others: list[str]) -> bool:
        now = self._alertmanager.notice_counts()
        given_up = increased(before.given_up, now.given_up, kinds)
        # With other receivers, the failed notification may be theirs.
        if given_up and not others:
            text = f"no notice could be delivered by {', '.join(given_up)}; see its log"
            raise AlertmanagerError(text, code="undelivered")
        return increased(before.delivered, now.delivered, kinds) == kinds

    def _post(self, *, ends_at: datetime) -> None:
        labels = {"alertname": ALERT, "severity": "critical", "server": "none", "session": self._session}
        annotations = {
            "summary": "This is a test of the pager.",
            "description": "Somebody is testing the pager. Nothing is wrong, and it ends by itself.",
        }
        moments = {"startsAt": self._started_at.isoformat(), "endsAt": ends_at.isoformat()}
        self._alertmanager.post({"labels": labels, "annotations": annotations, **moments})

    def _wait(self, condition: Callable[[], T | None], failure: str) -> T:
        deadline = time.monotonic() + self._timeout_seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                text = f"the alert {failure} within {self._timeout_seconds:g} s; see its log"
                raise AlertmanagerError(text, code="too_slow")
            if self._stop.wait(POLL_SECONDS):
                raise AlertmanagerError("the test was stopped; its alert has been ended", code="stopped")
        return value

    def _passed(self, leg: Leg, *names: str) -> None:
        self._report(Passed(leg, time.monotonic() - self._clock, names))
