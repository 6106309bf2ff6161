"""The metrics that any process serves: memory, processor time, open files."""

from __future__ import annotations

from prometheus_client import ProcessCollector

from exporter.lines import Family, label_pairs, sample_line


def process_families() -> list[Family]:
    """Read this process's metrics from /proc; an empty list where there is none."""
    # No registry: nothing that another part of the process registers can slip into our exposition.
    families = []
    for metric in ProcessCollector(registry=None).collect():
        lines = "".join(
            sample_line(sample.name, label_pairs(sample.labels, sample.labels.values()), sample.value)
            for sample in metric.samples
        )
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        families.append(Family(name, metric.type, metric.documentation, lines))
    return families
