"""The product on a store in PostgreSQL: it works, and goes on while the database is away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store import HistoryLog, Store, open_store
from simulator import Simulator, Times
from tests.support.postgresql import PASSWORD, Server, running_server
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.waiting import until


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=Times(scale=0.1), paired=[SESSION]) as running:
        yield running


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
def url(server: Server) -> str:
    return server.new_url()


@pytest.fixture
def product(simulator: Simulator, url: str, tmp_path: Path) -> Iterator[Stack]:
    with stack(simulator, tmp_path, WPPCONNECT_INTERVAL_SECONDS="1", WPPCONNECT_STORE_URL=url) as running:
        yield running


@pytest.fixture
def stored(product: Stack, url: str) -> Iterator[tuple[Store, HistoryLog]]:
    """What the product's processes share, as another one of them."""
    store, history = open_store(product.data, url)
    with contextlib.closing(store):
        yield store, history


def transitions(history: HistoryLog) -> list[tuple[object, object]]:
    entries = history.read(server="main", session=SESSION, kinds=["transition"])
    return [(entry.data["from"], entry.data["to"]) for entry in entries]


def test_probing_goes_on_while_the_database_is_away_and_what_happened_is_written_afterwards(
    simulator: Simulator, product: Stack, server: Server, stored: tuple[Store, HistoryLog]
) -> None:
    store, history = stored
    exporter, page = product.start_exporter(), product.start_page()
    until(lambda: product.connected() == "1", what="1 on the exporter")
    until(lambda: transitions(history) == [("unknown", "connected")], what="the first transition")
    assert store.read_all("tokens.main")
    assert not list((product.data / "store").glob("*.json"))

    server.stop()
    simulator.unlink(SESSION)
    until(lambda: product.connected() == "0", what="0 on the exporter")
    simulator.pair(SESSION)
    until(lambda: product.connected() == "1", what="1 again on the exporter")
    server.start()

    until(lambda: store.read_all("tokens.main") and not store.notices, what="the database")
    until(lambda: transitions(history)[-1][1] == "connected" and len(transitions(history)) > 1)
    assert ("connected", "disconnected") in transitions(history)
    assert [exporter.stop(), page.stop()] == [0, 0]
    assert PASSWORD not in exporter.printed() + page.printed()
