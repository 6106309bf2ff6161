"""Programs on several machines share one database: who probes what, and what each of them shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import pytest

from core.models import Verdict
from core.operation_status import Kind
from core.settings.saved import SavedSettings
from simulator import Simulator
from tests.support.live_core import FAST, SECRET, SERVER, SESSION, LiveCore, environment, live_core
from tests.support.postgresql import Server
from tests.support.processes import ROOT, Fork
from tests.support.waiting import until

SESSIONS = {SERVER: SESSION, "g1": "s1", "g2": "s2", "g3": "s3"}
"""By gateway its session; all gateways are one simulator."""
EXPORTER, PAGE = "wppconnect-exporter", "wppconnect-dashboard"


class Machines:
    """Machines on one database, each with a data folder of its own."""

    def __init__(self, simulator: Simulator, url: str, folder: Path) -> None:
        self.simulator = simulator
        self.ends = ExitStack()
        self._url = url
        self._folder = folder

    def core(self, name: str, program: str = EXPORTER) -> LiveCore:
        """Start a program in this process; its calls bear the machine's name."""
        data = self._folder / name
        made = self.ends.enter_context(
            live_core(self.simulator, data, program=program, WPPCONNECT_STORE_URL=self._url)
        )
        made.core.clients.program = name
        return made

    def exporter(self, name: str) -> Fork:
        """Start an exporter as a process of its own."""
        own = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "EXPORTER_WEB_LISTEN_ADDRESS": "127.0.0.1:0",
        }
        variables = environment(self.simulator, self._folder / name, WPPCONNECT_STORE_URL=self._url, **own)
        made = Fork("exporter.cli", self._folder / f"{name}.log", variables)
        self.ends.callback(made.kill)
        return made

    def add_gateways(self, core: LiveCore) -> None:
        """Save three more gateways, as the page does."""

        def add(saved: SavedSettings) -> SavedSettings:
            for gateway in list(SESSIONS)[1:]:
                saved = saved.with_server(gateway, url=self.simulator.url, secret_key=SECRET)
                saved = saved.with_session(gateway, SESSIONS[gateway])
            return saved

        core.core.settings.edit(add, actor="test")

    def probers(self) -> dict[str, list[str]]:
        """By session the programs that probed it, one after another."""
        recent = self.simulator.requests()["recent"]
        rows = [row for row in recent if row["route"].endswith("check-connection-session")]
        return {
            session: [
                agent for agent, _ in groupby(row["user_agent"] for row in rows if row["session"] == session)
            ]
            for session in SESSIONS.values()
        }


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=FAST, paired=list(SESSIONS.values())) as running:
        yield running


@pytest.fixture
def machines(simulator: Simulator, postgresql: Server, tmp_path: Path) -> Iterator[Machines]:
    made = Machines(simulator, postgresql.new_url(), tmp_path)
    with made.ends:
        yield made


def test_gateways_move_to_a_machine_that_joins_and_back_when_it_is_killed(machines: Machines) -> None:
    here = machines.core("here")
    machines.add_gateways(here)
    until(lambda: list(machines.probers().values()) == [["here"]] * 4, what="all gateways probed here")

    there = machines.exporter("there")
    until(
        lambda: sorted(machines.probers().values()) == [["here"]] * 2 + [["here", EXPORTER]] * 2,
        what="half of the gateways probed there",
    )
    there.kill()

    until(
        lambda: sorted(machines.probers().values()) == [["here"]] * 2 + [["here", EXPORTER, "here"]] * 2,
        what="all gateways probed here again",
    )
    for gateway, session in SESSIONS.items():
        entries = here.core.history.read(server=gateway, session=session, kinds=["transition"])
        assert [(entry.data["from"], entry.data["to"]) for entry in entries] == [("unknown", "connected")]


def test_what_one_machine_does_another_one_shows(machines: Machines) -> None:
    # The exporter first: a page that is quicker than it would probe until it is there.
    exporter = machines.core("exporter")
    exporter.await_verdict(Verdict.CONNECTED)
    page, other = machines.core("page", PAGE), machines.core("other", PAGE)
    for one in (page, other):
        one.await_verdict(Verdict.CONNECTED)

    begun = page.core.operations.close(SERVER, SESSION, actor="ana")
    attached = other.core.operations.start(SERVER, SESSION, actor="eva")
    assert page.await_outcome().ok
    assert (attached.kind, attached.holder) == (Kind.CLOSE, begun.holder)
    until(lambda: other.operation().outcome is not None, what="the outcome on the other page")
    other.await_verdict(Verdict.DISCONNECTED)

    other.core.operations.start(SERVER, SESSION, actor="eva")
    assert other.await_outcome().ok
    page.await_verdict(Verdict.CONNECTED)
    assert machines.probers()[SESSION] == ["exporter"]
    actors = [entry.actor for entry in exporter.core.history.read(kinds=["operation"])]
    assert actors == ["ana", "eva"]
