"""`wppconnect-ops test-pager`: prove that a page goes out, and say how long each leg takes."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cli.alertmanager import Alertmanager, AlertmanagerError, Routed, Tally, increased
from cli.signals import ending_with_zero

ALERT = "WppconnectTestPager"
POLL_SECONDS = 0.2
FAILED = 1
MISCONFIGURED = 2
INTERRUPTED = 130

T = TypeVar("T")


def test_pager(environ: Mapping[str, str], *, timeout_seconds: float) -> int:
    """Fire, wait, end, wait; returns the exit code."""
    from cli.environment import read_environment
    from core.exceptions import ConfigurationError

    try:
        url = read_environment(environ, Path.cwd()).get("ALERTMANAGER_URL", "").strip()
    except ConfigurationError as error:
        return _complain("; ".join(error.problems), MISCONFIGURED)
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        return _complain(
            "ALERTMANAGER_URL: set it to Alertmanager's address, for example http://127.0.0.1:9093",
            MISCONFIGURED,
        )
    try:
        with ending_with_zero(signal.SIGTERM):
            PagerTest(Alertmanager(url), timeout_seconds=timeout_seconds).run()
    except AlertmanagerError as error:
        return _complain(str(error), FAILED)
    except KeyboardInterrupt:
        return _complain("left; the alert has been ended", INTERRUPTED)
    return 0


class PagerTest:
    """One test: an alert of its own, and the times of its legs."""

    def __init__(self, alertmanager: Alertmanager, *, timeout_seconds: float) -> None:
        self._alertmanager = alertmanager
        self._timeout_seconds = timeout_seconds
        self._started_at = datetime.now(UTC)
        # A session name of its own makes a group of its own: no older notice delays or swallows this one.
        self._session = f"test-{self._started_at:%Y%m%dT%H%M%S%f}"

    def run(self) -> None:
        """Report each leg; raises AlertmanagerError when one of them fails."""
        try:
            kinds, others = self._fire()
        except BaseException:
            # However it was left: nobody is to be paged by it again.
            self._post(ends_at=datetime.now(UTC))
            raise
        self._end(kinds, others)
        if others:
            print(
                f"Alertmanager counts by kind, and {', '.join(others)} notifies in the same way: look whether"
            )
            print("both notices have arrived.")

    def _fire(self) -> tuple[set[str], list[str]]:
        before = self._alertmanager.tally()
        clock = time.monotonic()
        self._post(ends_at=self._started_at + timedelta(seconds=self._timeout_seconds + 600))
        _report("accepted by Alertmanager", clock)
        routed = self._wait(self._find, "was accepted, but is not listed")
        if routed.is_suppressed:
            raise AlertmanagerError("a silence or an inhibition suppresses the alert; end it and try again")
        _report(f"routed to {', '.join(routed.receivers)}", clock)
        kinds, others = self._kinds(routed)
        self._wait(lambda: self._has_gone_out(before, kinds, others), "was routed, but no notice went out")
        _report(f"notice delivered by {', '.join(sorted(kinds))}", clock)
        return kinds, others

    def _end(self, kinds: set[str], others: list[str]) -> None:
        before = self._alertmanager.tally()
        clock = time.monotonic()
        self._post(ends_at=datetime.now(UTC))
        _report("end accepted by Alertmanager", clock)
        self._wait(
            lambda: self._has_gone_out(before, kinds, others), "was ended, but no notice of it went out"
        )
        _report(f"resolved notice delivered by {', '.join(sorted(kinds))}", clock)

    def _find(self) -> Routed | None:
        return self._alertmanager.find("session", self._session)

    def _kinds(self, routed: Routed) -> tuple[set[str], list[str]]:
        """Return the kinds by which this alert is told, and the other receivers that use one of them."""
        by_receiver = self._alertmanager.kinds()
        kinds = {kind for name in routed.receivers for kind in by_receiver.get(name, ())}
        if not kinds:
            raise AlertmanagerError(f"receiver {', '.join(routed.receivers)} notifies nobody; choose another")
        others = [name for name, used in by_receiver.items() if name not in routed.receivers and used & kinds]
        return kinds, others

    def _has_gone_out(self, before: Tally, kinds: set[str], others: list[str]) -> bool:
        now = self._alertmanager.tally()
        given_up = increased(before.given_up, now.given_up, kinds)
        # What failed may have been the other receivers' notice.
        if given_up and not others:
            raise AlertmanagerError(f"no notice could be delivered by {', '.join(given_up)}; see its log")
        return increased(before.delivered, now.delivered, kinds) == kinds

    def _post(self, *, ends_at: datetime) -> None:
        labels = {"alertname": ALERT, "severity": "critical", "server": "none", "session": self._session}
        annotations = {
            "summary": "This is a test of the pager",
            "description": "Somebody ran wppconnect-ops test-pager. Nothing is wrong, and it ends by itself.",
        }
        moments = {"startsAt": self._started_at.isoformat(), "endsAt": ends_at.isoformat()}
        self._alertmanager.post({"labels": labels, "annotations": annotations, **moments})

    def _wait(self, condition: Callable[[], T | None], failure: str) -> T:
        deadline = time.monotonic() + self._timeout_seconds
        pause = threading.Event()
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AlertmanagerError(
                    f"the alert {failure} within {self._timeout_seconds:g} s; see its log"
                )
            pause.wait(POLL_SECONDS)
        return value


def _report(leg: str, clock: float) -> None:
    print(f"{time.monotonic() - clock:8.2f} s  {leg}", flush=True)


def _complain(problem: str, code: int) -> int:
    sys.stderr.write(f"wppconnect-ops test-pager: {problem}\n")
    return code
