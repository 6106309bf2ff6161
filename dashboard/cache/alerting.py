"""Requests of the page to Alertmanager, in background threads: pages read cached results and never wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.alertmanager.api import Alertmanager, Silence
from core.alertmanager.pager_check import Leg, PagerCheck, Passed
from core.clock import Monotonic, Now, monotonic, now
from core.exceptions import AlertmanagerError, StoreError
from core.models import HistoryEntry
from core.settings.values import AlertmanagerSettings
from core.workers import Workers

log = logging.getLogger(__name__)

THREADS = 2
MAX_AGE_SECONDS = 5.0
Target = tuple[str, str]
"""A gateway and its session; the gateway itself if the session is empty."""


@dataclass(frozen=True)
class Silences:
    """The most recently read silences."""

    found: tuple[Silence, ...] = ()
    problem: str = ""
    """`AlertmanagerError.code` if they could not be read, else ""."""

    def of(self, server: str, session: str) -> Silence | None:
        """Return the silence of a session, or of a gateway (empty session), that ends last; None without."""
        covering = [one for one in self.found if one.covers(server, session)]
        return max(covering, key=lambda one: one.until, default=None)


@dataclass(frozen=True)
class PagerRun:
    """The progress of a pager test."""

    actor: str
    began: datetime
    running: bool = True
    passed: tuple[Passed, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class BulkSilence:
    """The progress of acknowledging several targets."""

    actor: str
    targets: tuple[Target, ...]
    busy: frozenset[Target]
    """Those that are not done yet."""
    problems: Mapping[Target, str]
    """Error codes of those that failed."""


@dataclass(frozen=True)
class _SilenceChange:
    """A change to a session's silence, and the data of its history entry."""

    target: Target
    actor: str
    ask: Callable[[Alertmanager], None]
    data: dict[str, str]


@dataclass
class _State:
    silences: Silences = field(default_factory=Silences)
    read_at: float | None = None
    reading: bool = False
    test: PagerRun | None = None
    problems: dict[Target, str] = field(default_factory=dict)
    busy: set[Target] = field(default_factory=set)
    bulk: tuple[str, tuple[Target, ...]] | None = None
    """Author and targets of the latest bulk acknowledgement."""


class Alerting:
    """Call Alertmanager in the background and cache the results."""

    def __init__(
        self,
        record: Callable[[HistoryEntry], None],
        *,
        end_when_over: Callable[[Target, str], None] = lambda _target, _silence: None,
        clock: Now = now,
        monotonic: Monotonic = monotonic,
    ) -> None:
        self._record = record
        self._end_when_over = end_when_over
        self._clock = clock
        self._monotonic = monotonic
        self._workers = Workers(THREADS, "alerting")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._state = _State()

    def silences(self, settings: AlertmanagerSettings) -> Silences:
        """Return the cached silences at once; start a reload if they are older than `MAX_AGE_SECONDS`."""
        with self._lock:
            state = self._state
            is_old = state.read_at is None or self._monotonic() - state.read_at > MAX_AGE_SECONDS
            if is_old and not state.reading:
                state.reading = True
                self._workers.submit(lambda: self._read(settings))
            return state.silences

    def test(self) -> PagerRun | None:
        """Return the latest pager test, or None."""
        with self._lock:
            return self._state.test

    def problem(self, target: Target) -> str:
        """Return the error code of the last change for a session; "" if it succeeded."""
        with self._lock:
            return self._state.problems.get(target, "")

    def is_busy(self, target: Target) -> bool:
        """Return whether a change for a session is in progress."""
        with self._lock:
            return target in self._state.busy

    def silence(
        self,
        settings: AlertmanagerSettings,
        target: Target,
        *,
        author: str,
        comment: str,
        until: datetime,
        until_over: bool = False,
    ) -> None:
        """Silence a target's alerts until a time, or until its outage is over if that is sooner."""
        data = {"event": "acknowledged", "reason": comment, "until": until.isoformat()}

        def ask(client: Alertmanager) -> None:
            silence = client.silence(
                *target, author=author, comment=comment, since=self._clock(), until=until
            )
            if until_over:
                self._keep(target, silence)

        self._submit(settings, _SilenceChange(target, author, ask, data))

    def silence_all(
        self,
        settings: AlertmanagerSettings,
        targets: Sequence[Target],
        *,
        author: str,
        comment: str,
        until: datetime,
    ) -> None:
        """Silence the alerts of several targets, each until a time or until its outage is over."""
        for target in targets:
            self.silence(settings, target, author=author, comment=comment, until=until, until_over=True)
        with self._lock:
            self._state.bulk = author, tuple(targets)

    def bulk(self) -> BulkSilence | None:
        """Return the progress of the latest bulk acknowledgement, or None."""
        with self._lock:
            if self._state.bulk is None:
                return None
            author, targets = self._state.bulk
            problems = {one: self._state.problems[one] for one in targets if one in self._state.problems}
            return BulkSilence(author, targets, frozenset(self._state.busy.intersection(targets)), problems)

    def dismiss_bulk(self) -> None:
        """Discard the result of the latest bulk acknowledgement."""
        with self._lock:
            self._state.bulk = None

    def expire(self, settings: AlertmanagerSettings, target: Target, *, actor: str, silence: str) -> None:
        """End a silence."""
        data = {"event": "unacknowledged"}
        self._submit(settings, _SilenceChange(target, actor, lambda client: client.expire(silence), data))

    def begin_test(self, settings: AlertmanagerSettings, *, actor: str) -> None:
        """Start a pager test, unless one is running."""
        with self._lock:
            if self._state.test is not None and self._state.test.running:
                return
            self._state.test = PagerRun(actor, self._clock())
        # In a separate thread: it may take minutes, and silences must not wait for it.
        threading.Thread(target=self._test, args=(settings,), name="pager-test", daemon=True).start()

    def stop(self) -> None:
        """Stop the threads and resolve the alert of a running test."""
        self._stop.set()
        self._workers.stop()

    def _keep(self, target: Target, silence: str) -> None:
        try:
            self._end_when_over(target, silence)
        except StoreError as error:
            # The silence is in force nevertheless, until its end time.
            log.warning("acknowledgement_not_kept problem=%s", error.message)

    def _submit(self, settings: AlertmanagerSettings, change: _SilenceChange) -> None:
        with self._lock:
            if change.target in self._state.busy:
                return  # Another user was faster, or the button was pressed twice.
            self._state.busy.add(change.target)
            self._state.problems.pop(change.target, None)
        self._workers.submit(lambda: self._apply(settings, change))

    def _apply(self, settings: AlertmanagerSettings, change: _SilenceChange) -> None:
        problem = "failed"
        try:
            with closing(Alertmanager(settings)) as client:
                change.ask(client)
            problem = ""
            self._record_history(change.actor, change.target, change.data)
            self._read(settings, applied=change.target)
        except AlertmanagerError as error:
            problem = error.code
        finally:
            with self._lock:
                self._state.busy.discard(change.target)
                if problem:
                    self._state.problems[change.target] = problem

    def _read(self, settings: AlertmanagerSettings, *, applied: Target | None = None) -> None:
        """Read the silences; a change counts as finished once its result is visible in them."""
        # Serialised: silences that were read before a change must not be shown after it.
        with self._read_lock:
            silences = Silences(problem="failed")
            try:
                with closing(Alertmanager(settings)) as client:
                    silences = Silences(client.silences())
            except AlertmanagerError as error:
                silences = Silences(problem=error.code)
            finally:
                self._show(silences, applied)

    def _show(self, silences: Silences, applied: Target | None) -> None:
        with self._lock:
            state = self._state
            if applied is None:
                state.reading = False
                if state.busy:
                    return  # Each change ends with its own read, which shows the result.
            else:
                state.busy.discard(applied)
            state.silences, state.read_at = silences, self._monotonic()

    def _test(self, settings: AlertmanagerSettings) -> None:
        problem = "failed"
        try:
            with closing(Alertmanager(settings)) as client:
                PagerCheck(client, self._pass, stop=self._stop).run()
            problem = ""
        except AlertmanagerError as error:
            problem = error.code
        except Exception:
            log.exception("pager_test_failed")
        finally:
            self._end_test(problem)

    def _pass(self, passed: Passed) -> None:
        with self._lock:
            if self._state.test is not None:
                self._state.test = replace(self._state.test, passed=(*self._state.test.passed, passed))

    def _end_test(self, problem: str) -> None:
        with self._lock:
            test = self._state.test
            if test is None:
                return
            self._state.test = replace(test, running=False, problem=problem)
        delivered = next((one.seconds for one in test.passed if one.leg is Leg.DELIVERED), None)
        data: dict[str, str | float | None] = {
            "event": "pager_tested",
            "outcome": problem or "delivered",
            "seconds": round(delivered, 1) if delivered is not None else None,
        }
        self._record_history(test.actor, (None, None), data)

    def _record_history(
        self,
        actor: str,
        target: tuple[str | None, str | None],
        data: dict[str, str] | dict[str, str | float | None],
    ) -> None:
        server, session = target
        entry = HistoryEntry(
            at=self._clock(), kind="alert", server=server, session=session or None, actor=actor, data={**data}
        )
        try:
            self._record(entry)
        except StoreError as error:
            log.warning("alert_not_in_history problem=%s", error.message)
