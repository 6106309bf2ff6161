"""What the exporter counts and knows of itself and of its process, in prometheus_client's instruments."""

from __future__ import annotations

import platform
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, disable_created_metrics

from core.clock import Now
from core.clock import now as real_now
from exporter.catalogue import OWN_METRICS
from exporter.events import DropReason, EventKind

METRICS = {metric.name: metric for metric in OWN_METRICS}


class OwnMetrics:
    """Counters of events, and whether the settings in force are those that were written last.

    `read_state` returns the revision of what was saved on the page, and whether that is in force: it is
    followed without a reload, and can be refused like one.
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
        # Its own registry: nothing that another part of the process registers can slip into the exposition.
        self.registry = CollectorRegistry()
        self.changes = 0
        """How often anything was counted or noted."""
        self._read_state = read_state
        self._now = now
        self._is_reloaded = True
        self._reloaded_at = now()
        self._revision: int | None = None
        self._gauge("wppconnect_exporter_build_info").labels(version, python).set(1)
        self._gauge("wppconnect_exporter_settings_reload_success").set_function(self._success)
        self._gauge("wppconnect_exporter_settings_reload_timestamp_seconds").set_function(self._timestamp)
        self._received = self._counter("wppconnect_exporter_events_received_total", EventKind)
        self._dropped = self._counter("wppconnect_exporter_events_dropped_total", DropReason)
        ProcessCollector(proc=proc, registry=self.registry)

    def count_received(self, kind: EventKind) -> None:
        """Count an event that came with the right token."""
        self._received.labels(kind.value).inc()
        self.changes += 1

    def count_dropped(self, reason: DropReason) -> None:
        """Count an event that leads to no probe."""
        self._dropped.labels(reason.value).inc()
        self.changes += 1

    def note_reload(self, *, is_successful: bool) -> None:
        """Remember how the latest reading of environment, files and web configuration ended."""
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

    def _counter(self, name: str, values: type[EventKind] | type[DropReason]) -> Counter:
        metric = METRICS[name]
        counter = Counter(name, metric.help, metric.labels, registry=self.registry)
        for value in values:
            counter.labels(value.value)  # Served from 0 on.
        return counter
