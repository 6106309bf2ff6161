"""The rendered samples of one kind of subject, rebuilt only where a value changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from exporter.collector import Sample, Samples
from exporter.lines import label_pairs, sample_line
from exporter.metrics import Metric

Subject = TypeVar("Subject")
Measure = Callable[[Subject], Samples]


@dataclass
class _Row(Generic[Subject]):
    labels: str
    samples: list[Samples]
    lines: list[str]
    subject: Subject | None = None


class Rows(Generic[Subject]):
    """Lines by metric and subject. A subject that is gone takes its lines with it."""

    def __init__(self, metrics: Iterable[Metric], measures: Mapping[str, Measure[Subject]]) -> None:
        self._columns = [(metric, measures[metric.name]) for metric in metrics if metric.name in measures]
        self._rows: dict[tuple[str, ...], _Row[Subject]] = {}
        self.lines: dict[str, str] = {metric.name: "" for metric, _ in self._columns}
        """The sample lines of each metric, by its name."""

    def update(self, subjects: Iterable[tuple[tuple[str, ...], Subject]]) -> None:
        """Take over the subjects of now, each with the values of its own labels."""
        # Should a measure fail half way, the next update finds no rows and starts afresh.
        before, self._rows = self._rows, {}
        rows: dict[tuple[str, ...], _Row[Subject]] = {}
        changed = [False] * len(self._columns)
        for key, subject in subjects:
            row = before.get(key) or self._new_row(key)
            if row.subject is not subject:
                row.subject = subject
                self._refresh(row, subject, changed)
            rows[key] = row
        if list(before) != list(rows):
            changed = [True] * len(self._columns)
        for column, (metric, _) in enumerate(self._columns):
            if changed[column]:
                self.lines[metric.name] = "".join(row.lines[column] for row in rows.values())
        self._rows = rows

    def _new_row(self, key: tuple[str, ...]) -> _Row[Subject]:
        names = self._columns[0][0].labels[: len(key)]
        return _Row(label_pairs(names, key), [()] * len(self._columns), [""] * len(self._columns))

    def _refresh(self, row: _Row[Subject], subject: Subject, changed: list[bool]) -> None:
        for column, (metric, measure) in enumerate(self._columns):
            samples = measure(subject)
            if samples != row.samples[column]:
                row.samples[column] = samples
                row.lines[column] = "".join(_line(metric, row.labels, sample) for sample in samples)
                changed[column] = True


def _line(metric: Metric, subject_labels: str, sample: Sample) -> str:
    labels = subject_labels
    if sample.labels:
        names = ("le",) if sample.suffix == "_bucket" else metric.labels[-len(sample.labels) :]
        labels = f"{subject_labels},{label_pairs(names, sample.labels)}"
    return sample_line(metric.name + sample.suffix, labels, sample.value)
