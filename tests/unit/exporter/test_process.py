from __future__ import annotations

from exporter.metrics import PROCESS_METRICS
from exporter.process import process_families


def test_process_families_are_those_that_prometheus_expects_of_any_process():
    families = process_families()

    assert {family.name for family in families} == set(PROCESS_METRICS)
    assert all(family.lines.startswith(f"{family.name} ") for family in families)
