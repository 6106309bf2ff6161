"""Exporter and page beside each other: one of them probes, whoever that is, and nothing is counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store import History
from simulator import Simulator, Times
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.waiting import until


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=Times(scale=0.1), paired=[SESSION]) as running:
        yield running


@pytest.fixture
def product(simulator: Simulator, tmp_path: Path) -> Iterator[Stack]:
    with stack(simulator, tmp_path, WPPCONNECT_INTERVAL_SECONDS="1") as running:
        yield running


def probers(simulator: Simulator) -> set[str]:
    """Which programs checked the session's page since the counters were reset."""
    rows = simulator.requests()["counts"]
    return {row["user_agent"] for row in rows if row["route"].endswith("check-connection-session")}


def probes(simulator: Simulator) -> int:
    """How often the session's page was checked."""
    rows = simulator.requests()["counts"]
    return sum(row["count"] for row in rows if row["route"].endswith("check-connection-session"))


def await_takeover(simulator: Simulator) -> None:
    """Wait until the page probes, and nobody else."""
    by_page = {"wppconnect-dashboard"}
    until(lambda: probers(simulator) == by_page, what="the take-over")


def test_a_session_is_probed_by_one_process_never_by_both(simulator: Simulator, product: Stack) -> None:
    product.start_exporter()
    until(lambda: product.connected() == "1", what="1 on the exporter")
    product.start_page()
    simulator.reset_requests()

    until(lambda: probes(simulator) >= 5, what="five probes")

    assert probers(simulator) == {"wppconnect-exporter"}


def test_the_page_goes_on_when_the_exporter_is_killed(simulator: Simulator, product: Stack) -> None:
    exporter = product.start_exporter()
    until(lambda: product.connected() == "1", what="1 on the exporter")
    product.start_page()

    exporter.kill()
    simulator.reset_requests()
    await_takeover(simulator)


def test_a_restarted_exporter_shows_what_the_page_probes(simulator: Simulator, product: Stack) -> None:
    exporter = product.start_exporter()
    until(lambda: product.connected() == "1", what="1 on the exporter")
    product.start_page()
    exporter.kill()
    simulator.reset_requests()
    await_takeover(simulator)

    product.start_exporter()

    until(lambda: product.connected() == "1", what="1 on the new exporter")
    simulator.unlink(SESSION)
    until(lambda: product.connected() == "0", what="0 on the new exporter")


def test_history_has_each_transition_once_across_a_kill(simulator: Simulator, product: Stack) -> None:
    exporter = product.start_exporter()
    until(lambda: product.connected() == "1", what="1 on the exporter")
    product.start_page()

    exporter.kill()
    simulator.reset_requests()
    await_takeover(simulator)
    simulator.unlink(SESSION)
    history = History(product.data / "history")

    def transitions() -> list[tuple[object, object]]:
        entries = history.read(server="main", session=SESSION, kinds=["transition"])
        return [(entry.data["from"], entry.data["to"]) for entry in entries]

    until(lambda: len(transitions()) >= 2, what="the second transition")
    assert transitions() == [("unknown", "connected"), ("connected", "disconnected")]


def test_both_processes_end_cleanly_on_sigterm(product: Stack) -> None:
    exporter, page = product.start_exporter(), product.start_page()

    assert [exporter.stop(), page.stop()] == [0, 0]
