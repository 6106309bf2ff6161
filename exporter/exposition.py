"""The text of `/metrics`, cached between scrapes and identical to prometheus_client's output.

`generate_latest` takes 7 µs per sample, 1.7 s for ten thousand sessions. It therefore renders only new parts:
headers, the labels of a new server or session, the first line of each kind. Numbers, which change with every
probe, are inserted between these parts. An `Exposition` belongs to one thread, the event loop's.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Generic

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.core import Sample as FamilySample
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, choose_encoder
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from core.clock import Monotonic, monotonic
from core.models import ServerSnapshot, SessionSnapshot, Snapshot
from core.settings.values import Timeouts
from exporter.catalogue import (
    CATALOGUE,
    OWN_METRICS,
    SERVER_METRICS,
    SESSION_METRICS,
    STEADY_FIELDS,
    TAG_METRICS,
    Kind,
    Measured,
    Metric,
    Subject,
)
from exporter.collector import Sample, Samples, expiry, server_at, session_at, stale_after
from exporter.own_metrics import OwnMetrics
from exporter.tags import NO_TAGS, Tags

OWN_METRICS_KEPT_SECONDS = 1.0
"""Lifetime of the cached own metrics: reading /proc costs more than the rest of a scrape."""

GZIP_WINDOW = 16 + zlib.MAX_WBITS
"""zlib's largest window, with gzip's header."""

number_text: Callable[[float], str] = floatToGoString
FAMILIES: dict[Kind, Callable[[str, str], Family]] = {
    Kind.COUNTER: CounterMetricFamily,
    Kind.GAUGE: GaugeMetricFamily,
    Kind.HISTOGRAM: HistogramMetricFamily,
}


class Format(StrEnum):
    """The two text formats by content type; their sample lines are identical."""

    TEXT = CONTENT_TYPE_PLAIN_0_0_4
    OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST


ENCODERS: dict[Format, Callable[[Collector], bytes]] = {
    Format.TEXT: generate_latest,
    Format.OPENMETRICS: openmetrics.generate_latest,
}


def choose_format(accept: str) -> Format:
    """Return the format for an Accept header, chosen as prometheus_client does."""
    try:
        _, content_type = choose_encoder(accept)
    except (TypeError, ValueError):
        return Format.TEXT  # prometheus_client compares any requested version with numbers.
    return Format.OPENMETRICS if content_type.startswith("application/openmetrics-text") else Format.TEXT


class Families(Collector):
    """Collector of given families."""

    def __init__(self, *families: Family) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        """Return the families."""
        return self._families


def encode(collector: Collector, form: Format) -> bytes:
    """Return the exposition of a collector."""
    return ENCODERS[form](collector)


def family_of(metric: Metric, samples: Iterable[tuple[tuple[str, ...], Sample]] = ()) -> Family:
    """Return a metric's family; each sample is paired with its subject's label values."""
    family = FAMILIES[metric.kind](metric.name, metric.help)
    for subject, sample in samples:
        own = ("le",) if sample.suffix == "_bucket" else metric.labels[-len(sample.labels) :]
        labels = dict(zip(metric.labels, subject, strict=False)) | dict(zip(own, sample.labels, strict=False))
        family.samples.append(FamilySample(metric.name + sample.suffix, labels, sample.value))
    return family


@dataclass
class _Row(Generic[Subject]):
    key: tuple[str, ...]
    labels: str
    samples: list[Samples]
    lines: list[str]
    subject: Subject | None = None
    steady: object = None


class _Column(Generic[Subject]):
    """The lines of one metric."""

    def __init__(self, metric: Measured[Subject]) -> None:
        self.measure = metric.measure
        self.changes_with_each_probe = metric.changes_with_each_probe
        self.text = b""
        self._metric = metric
        self._ends: dict[tuple[str, tuple[str, ...]], tuple[str, str]] = {}

    def lines(self, row: _Row[Subject], samples: Samples) -> str:
        """Return a subject's lines."""
        parts = []
        for value, labels, suffix in samples:
            ends = self._ends.get((suffix, labels)) or self._write_ends(row, Sample(value, labels, suffix))
            parts.append(f"{ends[0]}{row.labels}{ends[1]}{number_text(value)}\n")
        return "".join(parts)

    def _write_ends(self, row: _Row[Subject], sample: Sample) -> tuple[str, str]:
        """Render one line, and cache the parts before and after its subject's labels."""
        before, _, rest = _last_line(family_of(self._metric, [(row.key, sample)])).partition(row.labels)
        ends = self._ends[sample.suffix, sample.labels] = before, rest.rpartition(" ")[0] + " "
        return ends


class Rows(Generic[Subject]):
    """The lines of one kind of subject, rebuilt only for changed values.

    While `steady`, a part of the subject, is the same, only metrics that change with each probe are measured:
    of ten thousand sessions, nearly all were probed between two scrapes, and hardly any changed.
    """

    def __init__(
        self,
        metrics: Iterable[Measured[Subject]],
        steady: Callable[[Subject], object] = lambda subject: subject,
    ) -> None:
        self._columns = {metric.name: _Column(metric) for metric in metrics}
        self._steady = steady
        self._all = list(enumerate(self._columns.values()))
        self._of_probes = [one for one in self._all if one[1].changes_with_each_probe]
        self._rows: dict[tuple[str, ...], _Row[Subject]] = {}

    @property
    def texts(self) -> dict[str, bytes]:
        """The lines of each metric by name."""
        return {name: column.text for name, column in self._columns.items()}

    def update(self, subjects: Iterable[tuple[tuple[str, ...], Subject]]) -> None:
        """Replace the subjects, each given with its label values; lines of missing subjects are dropped."""
        # If a measure fails, the next update finds no rows and starts from scratch.
        before, self._rows = self._rows, {}
        rows: dict[tuple[str, ...], _Row[Subject]] = {}
        changed = [False] * len(self._columns)
        for key, subject in subjects:
            row = before.get(key) or self._new_row(key)
            if row.subject is not subject:
                row.subject = subject
                self._refresh(row, subject, changed)
            rows[key] = row
        has_moved = list(before) != list(rows)
        for number, column in enumerate(self._columns.values()):
            if changed[number] or has_moved:
                column.text = "".join([row.lines[number] for row in rows.values()]).encode()
        self._rows = rows

    def _new_row(self, key: tuple[str, ...]) -> _Row[Subject]:
        count = len(self._columns)
        return _Row(key, _label_text(key), [()] * count, [""] * count)

    def _refresh(self, row: _Row[Subject], subject: Subject, changed: list[bool]) -> None:
        steady = self._steady(subject)
        is_steady, row.steady = steady == row.steady, steady
        for number, column in self._of_probes if is_steady else self._all:
            samples = column.measure(subject)
            if samples != row.samples[number]:
                row.samples[number] = samples
                row.lines[number] = column.lines(row, samples)
                changed[number] = True


def _label_text(key: tuple[str, ...]) -> str:
    """Return the rendered labels of a subject, without the braces."""
    family = GaugeMetricFamily("subject", "", labels=("server", "session")[: len(key)])
    family.add_metric(key, 0.0)
    return _last_line(family).partition("{")[2].rpartition("}")[0]


def _last_line(family: Family) -> str:
    # No splitlines(): a label may contain other Unicode line separators.
    return encode(Families(family), Format.TEXT).decode().removesuffix("\n").rpartition("\n")[2]


@dataclass(frozen=True)
class _Basis:
    """The input of the cached lines, and the time span for which they are valid."""

    servers: tuple[ServerSnapshot, ...]
    timeouts: Timeouts
    tags: Tags
    since: datetime
    until: datetime

    def holds(self, snapshot: Snapshot, now: datetime, timeouts: Timeouts, tags: Tags) -> bool:
        return (
            timeouts is self.timeouts
            and tags is self.tags
            and self.since <= now <= self.until
            and len(self.servers) == len(snapshot.servers)
            and all(one is other for one, other in zip(self.servers, snapshot.servers, strict=True))
        )


class Exposition:
    """Renders Snapshots, followed by the exporter's own metrics."""

    def __init__(self, own: OwnMetrics, *, clock: Monotonic = monotonic) -> None:
        self._own = own
        self._clock = clock
        self._servers = Rows(SERVER_METRICS)
        self._sessions = Rows(SESSION_METRICS, attrgetter(*STEADY_FIELDS))
        self._tags = Rows(TAG_METRICS)
        self._headers = {
            form: {metric.name: _header(metric, form) for metric in CATALOGUE if metric not in OWN_METRICS}
            for form in Format
        }
        self._basis: _Basis | None = None
        self._own_texts: dict[Format, bytes] = {}
        self._own_changes = -1
        self._own_read_at = float("-inf")
        self._bodies: dict[tuple[Format, bool], bytes] = {}

    def body(
        self,
        snapshot: Snapshot,
        now: datetime,
        timeouts: Timeouts,
        form: Format,
        *,
        tags: Tags = NO_TAGS,
        zipped: bool = False,
    ) -> bytes:
        """Return the response body of a scrape at `now`."""
        if self._basis is None or not self._basis.holds(snapshot, now, timeouts, tags):
            self._take_over(snapshot, now, timeouts, tags)
        self._read_own()
        body = self._bodies.get((form, zipped))
        if body is None:
            parts = self._parts(form)
            body = _zip(parts) if zipped else b"".join(parts)
            self._bodies[form, zipped] = body
        return body

    def _parts(self, form: Format) -> list[bytes]:
        if form not in self._own_texts:
            self._own_texts[form] = encode(self._own.registry, form)
        texts = self._servers.texts | self._sessions.texts | self._tags.texts
        parts = [part for name, header in self._headers[form].items() for part in (header, texts[name])]
        return [*parts, self._own_texts[form]]

    def _take_over(self, snapshot: Snapshot, now: datetime, timeouts: Timeouts, tags: Tags) -> None:
        self._basis = None
        servers: list[tuple[tuple[str, ...], ServerSnapshot]] = []
        sessions: list[tuple[tuple[str, ...], SessionSnapshot]] = []
        expiries: list[datetime] = []
        for server in snapshot.servers:
            limit = stale_after(server, timeouts)
            servers.append(((server.server,), server_at(server, now, limit)))
            sessions.extend(
                ((server.server, session.session), session_at(server, session, now, limit))
                for session in server.sessions
            )
            expiries.extend(expiry(server, limit))
        self._servers.update(servers)
        self._sessions.update(sessions)
        self._tags.update(
            (key, found)
            for key, session in sessions
            if (found := tags.get((session.server, session.session))) is not None
        )
        until = min((one for one in expiries if one >= now), default=datetime.max.replace(tzinfo=UTC))
        self._basis = _Basis(snapshot.servers, timeouts, tags, since=now, until=until)
        self._bodies.clear()

    def _read_own(self) -> None:
        """Drop the cached own metrics after a second, or as soon as one of them has changed."""
        now, changes = self._clock(), self._own.changes
        if changes != self._own_changes or now - self._own_read_at >= OWN_METRICS_KEPT_SECONDS:
            self._own_changes, self._own_read_at = changes, now
            self._own_texts.clear()
            self._bodies.clear()


def _zip(parts: Iterable[bytes]) -> bytes:
    """Compress parts in turn: joining them first takes as much memory again as all of the text, 24 MB."""
    # The lines are so similar that the fastest level compresses them to a twentieth.
    zipper = zlib.compressobj(level=1, wbits=GZIP_WINDOW)
    return b"".join([*map(zipper.compress, parts), zipper.flush()])


def _header(metric: Metric, form: Format) -> bytes:
    return encode(Families(family_of(metric)), form).removesuffix(b"# EOF\n")
