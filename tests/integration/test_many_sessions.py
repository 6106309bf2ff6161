"""Two hundred sessions of which ten are frozen, watched by the real exporter."""

from __future__ import annotations

import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import median

from simulator import Simulator, Times
from tests.support.stack import SECRET, stack
from tests.support.waiting import until

SESSIONS = [f"session-{number:03}" for number in range(200)]
FROZEN, HEALTHY = SESSIONS[::20], [name for number, name in enumerate(SESSIONS) if number % 20]


def test_every_healthy_session_keeps_its_interval(tmp_path: Path) -> None:
    times = Times(scale=0.05, frozen_pend=60.0)
    environment = {"WPPCONNECT_SESSIONS": ",".join(SESSIONS), "WPPCONNECT_LOG_LEVEL": "info"}
    seen: dict[str, set[float]] = defaultdict(set)
    with (
        Simulator(secret_key=SECRET, times=times, paired=SESSIONS) as simulator,
        stack(simulator, tmp_path, **environment) as product,
    ):
        product.start_exporter()
        until(lambda: product.connected(SESSIONS[-1]) == "1", what="the last session connected")
        interval = float(product.metric('wppconnect_probe_interval_seconds{server="main"}') or "nan")
        ends = time.monotonic() + 2 * interval + 2
        for name in FROZEN:
            simulator.freeze(name)

        def is_over() -> bool:
            for request in simulator.requests()["recent"]:
                if request["route"].endswith("status-session"):
                    seen[request["session"]].add(request["time"])
            return time.monotonic() > ends

        until(is_over, seconds=3 * interval, what="the end of the watch")
        connected = {name for name in HEALTHY if product.connected(name) == "1"}

    gaps = sorted(after - before for name in HEALTHY for before, after in pairwise(sorted(seen[name])[1:]))
    late = gaps[round(0.99 * len(gaps)) - 1]
    print(
        f"{len(HEALTHY)} healthy sessions beside {len(FROZEN)} frozen, interval {interval:.1f} s: probed "
        f"every {median(gaps):.1f} s, 99 % within {late:.1f} s, {gaps[-1]:.1f} s at most"
    )
    assert connected == set(HEALTHY)
    assert {name for name in HEALTHY if len(seen[name]) > 1} == set(HEALTHY)
    assert median(gaps) < 1.1 * interval
    # Ten frozen pages that everybody waited for would cost 30 s and more.
    assert gaps[-1] < interval + 10
