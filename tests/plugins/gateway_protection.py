"""Check that nothing of ours endangers a gateway, over the whole run: by what every simulator was asked.

No route that ends or floods a gateway may be requested by anyone, and no more than four calls of one process
may be in flight. A test that does so on purpose bears the mark `endangers_gateway`, with the reason. A find
fails the run. Simulators in a process or a container of their own are not observed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from core.transport.call_limiter import IN_FLIGHT
from simulator import request_log
from simulator.request_log import LoggedRequest

DANGEROUS = frozenset({"unhealthy", "metrics", "start-all", "clear-session-data", "restore-sessions"})
"""Last words of routes that end the gateway, leak its memory, or act even with a wrong secret key (contract,
section 8: C1, T2, T1)."""
OURS = "wppconnect-"
"""How the User-Agent of each of our programs begins."""
MARK = "endangers_gateway"

_HANDED_OVER = "gateway_protection"


class Protection:
    """What was found, as a sentence for each kind of find, with how often and in which test first."""

    def __init__(self) -> None:
        self.requests = 0
        self.test = "(no test)"
        self.is_excepted = False
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def observe(self, request: LoggedRequest, in_flight: Sequence[asyncio.Transport]) -> None:
        """Check one request to a simulator of this process."""
        self.requests += 1
        if self.is_excepted:
            return
        agent = request.user_agent
        if request.route.rpartition("/")[2] in DANGEROUS:
            self._find(f"{agent} sent {request.method} {request.route}")
        # Two processes may be of one program: who owns a connection takes long to find out.
        if (
            len(in_flight) > IN_FLIGHT
            and agent.startswith(OURS)
            and most_of_one_process(in_flight) > IN_FLIGHT
        ):
            self._find(f"{agent} had more than {IN_FLIGHT} calls in flight")

    def finds(self) -> list[str]:
        """Return a line for each kind of find."""
        return [f"{find} ({count} times, first in {self._first[find]})" for find, count in self.rows()]

    def rows(self) -> list[tuple[str, int]]:
        """Return the finds with how often each was made."""
        return sorted(self._counts.items())

    def begin(self, item: pytest.Item) -> None:
        """Note which test runs."""
        self.test, self.is_excepted = item.nodeid, item.get_closest_marker(MARK) is not None

    def hand_over(self) -> tuple[int, dict[str, int], dict[str, str]]:
        """Return everything found, in values that pytest-xdist can send."""
        return self.requests, dict(self._counts), dict(self._first)

    def take_over(self, handed_over: tuple[int, dict[str, int], dict[str, str]]) -> None:
        """Add what another process found."""
        requests, counts, first = handed_over
        self.requests += requests
        self._counts.update(counts)
        self._first = first | self._first

    def _find(self, find: str) -> None:
        self._counts[find] += 1
        self._first.setdefault(find, self.test)


_owners: WeakKeyDictionary[asyncio.Transport, frozenset[str]] = WeakKeyDictionary()
"""Processes by connection. Clients keep connections, and looking at every process holds up a simulator."""


def most_of_one_process(connections: Sequence[asyncio.Transport]) -> int:
    """Return how many of these connections from this machine belong to one process."""
    new = [connection for connection in connections if connection not in _owners]
    if new:
        ports = {connection.get_extra_info("peername")[1]: connection for connection in new}
        inodes = {}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            connection = ports.get(int(fields[1].rpartition(":")[2], 16))
            if connection is not None:
                inodes[f"socket:[{fields[9]}]"] = connection
        found: dict[asyncio.Transport, set[str]] = {connection: set() for connection in new}
        for process in Path("/proc").glob("[0-9]*"):
            for file in _open_files(process):
                if file in inodes:
                    found[inodes[file]].add(process.name)
        _owners.update({connection: frozenset(owners) for connection, owners in found.items()})
    counts = Counter(owner for connection in connections for owner in _owners[connection])
    return max(counts.values(), default=0)


def _open_files(process: Path) -> Iterator[str]:
    # A process, or a file of it, may end meanwhile, or be another user's.
    with suppress(OSError):
        for file in (process / "fd").iterdir():
            with suppress(OSError):
                yield str(file.readlink())


PROTECTION = Protection()
"""Of this process."""


def pytest_configure(config: pytest.Config) -> None:
    """Observe every simulator of this process."""
    config.addinivalue_line("markers", f"{MARK}(reason): asks a gateway on purpose for what none of ours may")
    request_log.observers.append(PROTECTION.observe)


def pytest_unconfigure() -> None:
    """Stop observing."""
    request_log.observers.remove(PROTECTION.observe)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note which test runs."""
    PROTECTION.begin(item)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of pytest-xdist found; one that crashed hands over nothing."""
    handed_over = getattr(node, "workeroutput", {}).get(_HANDED_OVER)
    if handed_over is not None:
        PROTECTION.take_over(handed_over)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that is green but endangered a gateway; as one of several processes hand over the finds."""
    handed_over = getattr(session.config, "workeroutput", None)
    if handed_over is not None:
        handed_over[_HANDED_OVER] = PROTECTION.hand_over()
    elif PROTECTION.rows() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many requests were checked, and what was found."""
    finds = PROTECTION.finds()
    terminalreporter.write_line(
        f"gateway protection: {PROTECTION.requests} requests checked, {len(finds)} finds"
    )
    for find in finds:
        terminalreporter.write_line(f"  GATEWAY ENDANGERED: {find}")
