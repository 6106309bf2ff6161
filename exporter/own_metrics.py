"""What the exporter counts and knows of itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.clock import Now
from core.clock import now as real_now
from exporter.events import DropReason, EventKind
from exporter.lines import label_pairs, sample_line

RELOAD_SUCCESS = "wppconnect_exporter_settings_reload_success"
RELOAD_TIMESTAMP = "wppconnect_exporter_settings_reload_timestamp_seconds"
EVENTS_RECEIVED = "wppconnect_exporter_events_received_total"
EVENTS_DROPPED = "wppconnect_exporter_events_dropped_total"


class OwnMetrics:
    """Counters of the event loop, and whether the settings in force are those that were written last.

    `read_state` tells the revision of the settings saved on the page, and whether they are in force: they are
    followed without a reload, and can be refused like one.
    """

    def __init__(
        self, *, read_state: Callable[[], tuple[int, bool]] = lambda: (0, True), now: Now = real_now
    ) -> None:
        self._read_state = read_state
        self._now = now
        self._received = dict.fromkeys(EventKind, 0)
        self._dropped = dict.fromkeys(DropReason, 0)
        self._is_reloaded = True
        self._reloaded_at = now()
        self._revision: int | None = None

    def count_received(self, kind: EventKind) -> None:
        """Count an event that came with the right token."""
        self._received[kind] += 1

    def count_dropped(self, reason: DropReason) -> None:
        """Count an event that leads to no probe."""
        self._dropped[reason] += 1

    def note_reload(self, *, is_successful: bool) -> None:
        """Remember how the latest reading of environment, files and web configuration ended."""
        self._is_reloaded = is_successful
        if is_successful:
            self._reloaded_at = self._now()

    def lines(self) -> dict[str, str]:
        """Write the sample lines of each metric, by its name."""
        revision, is_in_force = self._read_state()
        if is_in_force and revision != self._revision:
            if self._revision is not None:
                self._reloaded_at = self._now()
            self._revision = revision
        return {
            RELOAD_SUCCESS: sample_line(RELOAD_SUCCESS, "", float(self._is_reloaded and is_in_force)),
            RELOAD_TIMESTAMP: sample_line(RELOAD_TIMESTAMP, "", _moment(self._reloaded_at)),
            EVENTS_RECEIVED: _counters(EVENTS_RECEIVED, "kind", self._received),
            EVENTS_DROPPED: _counters(EVENTS_DROPPED, "reason", self._dropped),
        }


def _moment(moment: datetime) -> float:
    return round(moment.timestamp(), 3)


def _counters(name: str, label: str, counts: dict[EventKind, int] | dict[DropReason, int]) -> str:
    return "".join(
        sample_line(name, label_pairs((label,), (value.value,)), count) for value, count in counts.items()
    )
