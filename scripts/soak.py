"""Run the product for minutes under faults and load, and print what grew and what got lost; for `make soak`.

300 sessions on a simulated gateway; at random, phones unlink, pages freeze and crash, browsers die, and the
gateway restarts. Ten tabs are open, a scraper reads the metrics, and a sync writes a new key now and then.

    .venv/bin/python -m scripts.soak --minutes 30
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

sys.path.insert(0, str(Path(__file__).parents[1]))

from core.store import History
from scripts.figures import Figure
from simulator import Simulator, Times
from simulator.phone import RefusedError
from tests.support.exposition import samples
from tests.support.gate_server import cookie_of, set_first_password
from tests.support.page_stream import PageStream
from tests.support.processes import ROOT, Process
from tests.support.stack import SECRET, Stack, stack

NAMES = [f"session-{number:03}" for number in range(300)]
TABS, PAGE_SECONDS = 10, 5.0
"""Each tab draws its page anew after so long, which costs more than a browser's refreshes of its parts."""
FAULT_SECONDS = 1.0
GATEWAY_RESTART_SECONDS = 120.0
SYNC_SECONDS = 60.0
SCRAPE_SECONDS = 5.0
FIRST_ROUND_SECONDS = 60.0
SYNC_FILE = """
folders: {{project: {folder}}}
targets: [{{file: .env, key: AUTHENTICATION_API_KEY, receives: api_key}}]
"""
LAST_PROBE = "wppconnect_session_last_probe_timestamp_seconds"
INTERVAL = 'wppconnect_probe_interval_seconds{server="main"}'


@dataclass
class Watched:
    """What was counted and measured."""

    counts: Counter[str] = field(default_factory=Counter)
    megabytes: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Resident memory of each process with its time."""
    scrape_seconds: list[float] = field(default_factory=list)
    oldest_seconds: list[float] = field(default_factory=list)
    """Of each scrape, the age of the oldest probe beyond the interval."""


class Soak:
    """The running product, and what happens to it."""

    def __init__(self, product: Stack, simulator: Simulator, seed: int) -> None:
        self._product = product
        self._simulator = simulator
        self._chance = random.Random(seed)  # noqa: S311 - for repetition, no secret
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self.watched = Watched()
        self.processes: dict[str, Process] = {}

    def start(self) -> None:
        """Start the processes, and wait for the first probes."""
        self.processes["exporter"] = self._product.start_exporter()
        page = self.processes["page"] = self._product.start_page()
        self._cookie = cookie_of(set_first_password(self._product.first_link(page)))
        self._ended.wait(FIRST_ROUND_SECONDS)

    def run(self, seconds: float) -> None:
        """Have everything happen for so long."""
        work: list[tuple[float, Callable[[], None]]] = [
            (FAULT_SECONDS, self._fault),
            (GATEWAY_RESTART_SECONDS, self._restart_gateway),
            (SYNC_SECONDS, self._sync),
            (SCRAPE_SECONDS, self._scrape),
        ]
        for pause, action in work:
            self._begin(partial(self._repeat, pause, action))
        for number in range(TABS):
            self._begin(partial(self._watch_page, number))
        self._ended.wait(seconds)
        self._ended.set()
        for thread in self._threads:
            thread.join(120)

    def _begin(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _repeat(self, pause: float, action: Callable[[], None]) -> None:
        while not self._ended.wait(pause):
            action()

    def _fault(self) -> None:
        name, events = self._chance.choice(NAMES), ("unlink", "freeze", "unfreeze", "crash", "kill_browser")
        event = self._chance.choice((*events, "pair", "pair", "pair"))
        with suppress(RefusedError):
            getattr(self._simulator, event)(name)
            self.watched.counts[f"phones: {event}"] += 1

    def _restart_gateway(self) -> None:
        self._simulator.restart_gateway()
        self.watched.counts["gateway restarts"] += 1

    def _sync(self) -> None:
        command = [sys.executable, "-m", "cli.main", "sync", "apply", "--generate", "api_key", "--files-only"]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self._product.environment}
        ended = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603
        self.watched.counts["failed syncs" if ended.returncode else "syncs"] += 1

    def _scrape(self) -> None:
        began, now = time.monotonic(), time.time()
        try:
            text = requests.get(f"{self._product.exporter_url}/metrics", timeout=60).text
        except requests.RequestException:
            self.watched.counts["failed scrapes"] += 1
            return
        self.watched.scrape_seconds.append(time.monotonic() - began)
        found = samples(text)
        ages = [now - value for name, value in found.items() if name.startswith(LAST_PROBE)]
        self.watched.oldest_seconds.append(max(ages, default=0.0) - found[INTERVAL])
        for name, process in self.processes.items():
            self.watched.megabytes.setdefault(name, []).append((time.monotonic(), megabytes(process.pid)))

    def _watch_page(self, number: int) -> None:
        page_name = "session" if number % 2 else ""
        query = {"server": "main", "session": NAMES[number]} if number % 2 else {}
        while not self._ended.is_set():
            with self._tab() as stream, suppress(ConnectionClosed, TimeoutError):
                page = PageStream(stream)
                self.watched.counts["tabs opened"] += 1
                while not self._ended.wait(PAGE_SECONDS):
                    page.open(page_name, **query)
                    self.watched.counts["pages drawn"] += 1

    @contextmanager
    def _tab(self) -> Iterator[ClientConnection]:
        url = self._product.page_url
        with connect(
            f"{url.replace('http', 'ws')}/_stcore/stream",
            origin=Origin(url),
            subprotocols=[Subprotocol("streamlit")],
            additional_headers={"Cookie": f"wppconnect_sign_in={self._cookie}"},
            proxy=None,
        ) as stream:
            yield stream


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Return 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))  # noqa: S311 - no secret
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}", flush=True)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        project = folder / "project"
        project.mkdir()
        (project / ".env").write_text("AUTHENTICATION_API_KEY=key-of-the-older-panel\n")
        (folder / "sync.yml").write_text(SYNC_FILE.format(folder=project))
        simulator = opened.enter_context(Simulator(secret_key=SECRET, times=Times(scale=0.2), paired=NAMES))
        product = opened.enter_context(
            stack(
                simulator,
                folder,
                Process,
                WPPCONNECT_SESSIONS=",".join(NAMES),
                WPPCONNECT_SYNC_FILE=str(folder / "sync.yml"),
            )
        )
        soak = Soak(product, simulator, options.seed)
        soak.start()
        soak.run(60 * options.minutes)
        codes = [process.stop() for process in soak.processes.values()]
        figures = [*of_run(soak.watched, codes), lost_transitions(product.data / "history")]
    for name, count in sorted(soak.watched.counts.items()):
        print(f"{name:<54} {count:>8}")
    for figure in figures:
        print(figure.line())
    return int(any(figure.measured >= figure.limit for figure in figures))


def of_run(watched: Watched, codes: Sequence[int]) -> Iterator[Figure]:
    """Return the figures of a run."""
    for name, measured in watched.megabytes.items():
        half = measured[len(measured) // 2 :]
        slope = slope_per_hour(half)
        print(f"memory of the {name}, slope of the second half {slope:>17.1f} MB an hour")
        yield Figure(f"memory of the {name} at the end", half[-1][1], 400, "MB")
        growth = slope * (half[-1][0] - half[0][0]) / 3600
        yield Figure(f"memory of the {name}, growth in the second half", growth, 20, "MB")
    scrapes = sorted(watched.scrape_seconds)
    yield Figure("scrape, 99 of 100", 1000 * scrapes[int(0.99 * (len(scrapes) - 1))], 1000, "ms")
    late = sum(seconds > 15 for seconds in watched.oldest_seconds)
    yield Figure("scrapes with a session probed 15 s late or more", late, 1, "")
    yield Figure("oldest probe beyond its interval", max(watched.oldest_seconds), 15, "s")
    yield Figure("failed scrapes", watched.counts["failed scrapes"], 1, "")
    yield Figure("failed syncs", watched.counts["failed syncs"], 1, "")
    yield Figure("processes that ended otherwise than asked", sum(code != 0 for code in codes), 1, "")


def slope_per_hour(measured: Sequence[tuple[float, float]]) -> float:
    """Return the slope of a line through the values, by least squares."""
    count = len(measured)
    mean_x, mean_y = (sum(values) / count for values in zip(*measured, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in measured)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in measured) / spread if spread else 0.0


def lost_transitions(folder: Path) -> Figure:
    """Return how many transitions do not begin with the verdict in which the one before ended."""
    history, lost, count = History(folder), 0, 0
    for name in NAMES:
        entries = history.read(server="main", session=name, kinds=["transition"])
        lost += sum(before.data["to"] != after.data["from"] for before, after in pairwise(entries))
        count += len(entries)
    return Figure(f"lost transitions, of {count}", lost, 1, "")


def megabytes(pid: int) -> float:
    """Return a process's resident memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    sys.exit(main())
