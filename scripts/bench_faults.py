"""Measure what faults between us and a gateway leave behind in a process.

Run alone as `scripts/bench_faults.py [COUNT]`; `scripts/bench.py` prints these figures with its own.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.figures import Figure
from tests.support.fault_proxy import cause_faults

COUNT = 10_000
M_ARENA_MAX = -8
BUDGET_SECONDS = 0.05


def of_faults(count: int = COUNT) -> Iterator[Figure]:
    """Measure threads, descriptors and memory after many faults; takes three minutes."""
    # Otherwise malloc keeps memory for each of the threads in which the faulty server runs.
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    began = time.process_time()
    before, after = cause_faults(count, BUDGET_SECONDS)
    name = f"after {count:,} faults: more"
    yield Figure(f"{name} threads", after.threads - before.threads, 1, "")
    yield Figure(f"{name} descriptors", after.descriptors - before.descriptors, 1, "")
    yield Figure(f"{name} memory", (after.kilobytes - before.kilobytes) / 1024, 10, "MB")
    yield Figure(
        "processor time of a fault, both sides", (time.process_time() - began) / count * 1000, 20, "ms"
    )


if __name__ == "__main__":
    figures = list(of_faults(*map(int, sys.argv[1:])))
    for figure in figures:
        print(figure.line())
    sys.exit(any(figure.measured >= figure.limit for figure in figures))
