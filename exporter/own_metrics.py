"""The exporter's metrics about itself and its process, as prometheus_client instruments."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, disable_created_metrics

from core.clock import Now
from core.clock import now as real_now
from core.gateways.protocol import OTHER_EVENT
from core.gateways.registry import event_formats
from exporter.catalogue import OWN_METRICS

METRICS = {metric.name: metric for metric in OWN_METRICS}


class DropReason(StrEnum):
    """Why an event led to no probe."""

    WRONG_TOKEN = "wrong_token"  # noqa: S105 - a reason's name, not a password
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    WITHOUT_SESSION = "without_session"
    NOT_MONITORED = "not_monitored"
    RATE_LIMITED = "rate_limited"


class OwnMetrics:
    """Counters of events, and whether the latest settings are in effect.

    `read_state` returns the revision of the saved settings and whether they are in effect: these are applied
    without a reload, and can be rejected like one.
    """

    def __init__(
        self,
        version: str,
        *,
        read_state: Callable[[], tuple[int, bool]] = lambda: (0, True),
        python: str = platform.python_version(),
        proc: str = "/proc",
        now: Now = real_now,
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        # A separate registry, so that metrics registered elsewhere in the process stay out of the exposition.
        self.registry = CollectorRegistry()
        self.changes = 0
        """Number of changes to these metrics."""
        self._read_state = read_state
        self._now = now
        self._is_reloaded = True
        self._reloaded_at = now()
        self._revision: int | None = None
        self._gauge("wppconnect_exporter_build_info").labels(version, python).set(1)
        self._gauge("wppconnect_exporter_settings_reload_success").set_function(self._success)
        self._gauge("wppconnect_exporter_settings_reload_timestamp_seconds").set_function(self._timestamp)
        kinds = {kind: None for one in event_formats() for kind in one.kinds}
        received = [*kinds, OTHER_EVENT]
        self._received = self._counter("wppconnect_exporter_events_received_total", received)
        self._dropped = self._counter("wppconnect_exporter_events_dropped_total", DropReason)
        ProcessCollector(proc=proc, registry=self.registry)

    def count_received(self, kind: str) -> None:
        """Count an event with the right token."""
        self._received.labels(kind).inc()
        self.changes += 1

    def count_dropped(self, reason: DropReason) -> None:
        """Count an event that leads to no probe."""
        self._dropped.labels(reason.value).inc()
        self.changes += 1

    def note_reload(self, *, is_successful: bool) -> None:
        """Record the result of the latest reload of environment, files and web configuration."""
        self._is_reloaded = is_successful
        if is_successful:
            self._reloaded_at = self._now()
        self.changes += 1

    def _success(self) -> float:
        _, is_in_force = self._read_state()
        return float(self._is_reloaded and is_in_force)

    def _timestamp(self) -> float:
        revision, is_in_force = self._read_state()
        if is_in_force and revision != self._revision:
            if self._revision is not None:
                self._reloaded_at = self._now()
            self._revision = revision
        return round(self._reloaded_at.timestamp(), 3)

    def _gauge(self, name: str) -> Gauge:
        metric = METRICS[name]
        return Gauge(name, metric.help, metric.labels, registry=self.registry)

    def _counter(self, name: str, values: Iterable[str]) -> Counter:
        metric = METRICS[name]
        counter = Counter(name, metric.help, metric.labels, registry=self.registry)
        for value in values:
            counter.labels(value)  # Create the sample with the value 0.
        return counter
