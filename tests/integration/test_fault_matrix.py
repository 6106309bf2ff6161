"""What each fault between us and a gateway, or Alertmanager, looks like: the table in docs/reliability.md.

Time is held: stalling faults end after a fraction of a second and count with the call's whole budget.
After a change that is meant, OPS_TEST_GOLDEN=write puts what is so now into the table.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from watched_gateway import Elapsed, Probing, server_settings

from core.alertmanager.api import Alertmanager
from core.exceptions import AlertmanagerError, RequestTimeoutError
from core.gateways.wppconnect.gateway import WppconnectGateway
from core.gateways.wppconnect.tokens.cache import TokenCache
from core.messages.table import TEMPLATES
from core.models import Problem, Reason, Snapshot
from core.settings.values import AlertmanagerSettings, Timeouts
from core.transport import CallLimiter, CallSlot, Transport
from core.transport.watchdog import WATCHDOG
from dashboard.words import REASONS
from exporter.exposition import Exposition, Format
from exporter.own_metrics import OwnMetrics
from simulator import Simulator
from tests.fakes import FakeClock, MemoryStore
from tests.loopback import Loopback, answering, http_answer
from tests.meta.source import ROOT
from tests.support.exposition import samples
from tests.support.fault_proxy import FaultProxy, cause_faults
from tests.support.faults import FAULTS, FULL, NEVER, Fault, status
from tests.support.golden import golden_text

DOCS = ROOT / "docs" / "reliability.md"
FAULTY, OTHER = "sales", "support"
STRONG = "9f86d081884c7d659a2feaa0c55ad015"
INTERVAL, TICK = 5.0, 0.5
CONNECT_SECONDS = {NEVER: 0.05, FULL: 1.0}
"""Connect timeouts by the fault's address; before a full queue, the name has to be looked up in time."""
STALLED_SECONDS = 0.05
SILENCES = json.dumps(
    [
        {
            "id": "1",
            "createdBy": "ana",
            "comment": "",
            "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "2027-01-01T00:00:00Z",
            "matchers": [{"name": "server", "value": "main", "isRegex": False, "isEqual": True}],
            "status": {"state": "active"},
        }
    ]
).encode()


class ImpatientTransport(Transport):
    """Gives a call little time once it stalls, and adds its whole budget to the time that calls took."""

    took = 0.0

    def __init__(self, proxy: FaultProxy, elapsed: Elapsed, clock: FakeClock) -> None:
        super().__init__(
            proxy.url,
            connect_timeout_seconds=60,
            proxy=None,
            user_agent="tests",
            slot=CallSlot(CallLimiter(monotonic=elapsed)),
            now=clock,
            sleep=lambda _seconds: None,
        )
        self.asked_at: dict[str | None, float] = {}
        """When a session was last asked for."""
        self._elapsed = elapsed
        proxy.on_stall = self.hurry

    def request(self, method: str, route: str, *, path: Any, timeout_seconds: float, **more: Any) -> Any:
        self.asked_at[path.get("session")] = self._elapsed.seconds
        try:
            return super().request(method, route, path=path, timeout_seconds=60.0, **more)
        except RequestTimeoutError:
            self.took += timeout_seconds
            raise

    def left_alone_seconds(self) -> float:
        """Return how long a pause that was demanded still lasts."""
        return self._slot.left_alone_seconds("")

    def hurry(self) -> None:
        """End the call in progress soon: the server has its request, so that no busy machine is measured."""
        for call in list(self._calls):
            call.deadline = time.monotonic() + STALLED_SECONDS
            WATCHDOG.watch(call)

    @contextmanager
    def connecting_in(self, seconds: float) -> Iterator[None]:
        """Let a connection come about in this time."""
        usual, self._connect_timeout_seconds = self._connect_timeout_seconds, seconds
        yield
        self._connect_timeout_seconds = usual


class TimedGateway(WppconnectGateway):
    """A gateway's client that says how long its calls would have taken."""

    @property
    def took(self) -> float:
        return self._transport.took

    @took.setter
    def took(self, seconds: float) -> None:
        self._transport.took = seconds


HEADING = (
    "| fault | a session's requests meet it | counted as | words | all requests meet it | `wppconnect_up` "
    "| words | Alertmanager's meet it |\n"
)
WORDS = "| message | words |\n"


LONG_PAUSE = Fault("429", status("429 Too Many Requests", headers="Retry-After: 60\r\n"))
UP = 'wppconnect_up{server="main"}'


class World:
    """Two sessions of a gateway behind a proxy, probed on a clock that only jumps."""

    def __init__(self, proxy: FaultProxy, directory: Path) -> None:
        self.proxy = proxy
        elapsed, clock = Elapsed(), FakeClock()
        server = server_settings(FAULTY, OTHER, url=proxy.url, secret_key=STRONG)
        self.transport = ImpatientTransport(proxy, elapsed, clock)
        timeouts = Timeouts()
        tokens = TokenCache(
            server,
            transport=self.transport,
            store=MemoryStore(),
            lock_directory=directory,
            timeouts=timeouts,
            clock=clock,
        )
        client: Any = TimedGateway(server, transport=self.transport, tokens=tokens, timeouts=timeouts)
        self.probing = Probing(
            directory, server, client, clock=clock, elapsed=elapsed, interval_seconds=INTERVAL
        )
        self._exposition = Exposition(OwnMetrics("1", proc="/nowhere"))

    def session_cells(self, fault: Fault) -> str:
        """Let the requests of one session meet a fault, and return its verdict, the failure and the words."""
        if fault.serve is None:
            return "| | "
        with self.lasting(fault, f"/api/{FAULTY}", INTERVAL + TICK):
            session = self.probing.session(FAULTY)
            since = self.probing.elapsed.seconds - self.transport.asked_at[OTHER]
            assert (self.connected()[OTHER], since <= INTERVAL) == (1.0, True)
            return f"{session.verdict} | {self.counted()} | {words(session.problem, session.reason)}"

    def gateway_cells(self, fault: Fault) -> str:
        """Let all requests meet a fault, and return its sessions' verdict, the metric and the words."""
        # What a session responded while its gateway went down counts until the next health check.
        checks = 2 if fault.address is None else 1
        with self.lasting(fault, "", checks * INTERVAL + TICK):
            sessions = [self.probing.session(one) for one in (FAULTY, OTHER)]
            (verdict,) = {one.verdict for one in sessions}
            problem = self.probing.published().problem
            return f"{verdict} | {self.sample(UP):g} | {words(problem, sessions[0].reason)}"

    @contextmanager
    def lasting(self, fault: Fault, part_of_path: str, seconds: float) -> Iterator[None]:
        """Let a fault last for some time."""
        self.settle()
        connect_seconds = CONNECT_SECONDS.get(fault.address or "", 60.0)
        with self.proxy.faulty(fault, part_of_path), self.transport.connecting_in(connect_seconds):
            self._failures = self.failures()
            self.probing.clock.advance(fault.clock_seconds)
            self.probing.advance(seconds, tick=TICK)
            yield

    def settle(self) -> None:
        """Let time pass until a pause that was demanded is over, and both sessions are connected again."""
        self.probing.advance(self.transport.left_alone_seconds() + TICK, tick=TICK)
        for _ in range(int(2 * INTERVAL / TICK)):
            self.probing.advance(TICK, tick=TICK)
            if self.sample(UP) == 1.0 and self.connected() == {FAULTY: 1.0, OTHER: 1.0}:
                return
        pytest.fail(f"not well again after two intervals: {self.probing.published()}")

    def connected(self) -> dict[str, float | None]:
        """Return the metric of each session."""
        name = 'wppconnect_session_connected{{server="main",session="{}"}}'
        return {one: self.sample(name.format(one)) for one in (FAULTY, OTHER)}

    def counted(self) -> str:
        """Return the reasons of the failures since the fault began."""
        return ", ".join(sorted(self.failures() - self._failures))

    def failures(self) -> Counter[str]:
        """Return the failed probes by reason."""
        found = re.compile(r'wppconnect_probe_failures_total\{reason="(\w+)",server="main"\}')
        values = {match[1]: value for one, value in self._samples().items() if (match := found.match(one))}
        return Counter({reason: int(value) for reason, value in values.items()})

    def sample(self, name: str) -> float | None:
        """Return the value of a sample, None without one."""
        return self._samples().get(name)

    def _samples(self) -> dict[str, float]:
        now, published = self.probing.clock(), self.probing.published()
        snapshot = Snapshot(taken_at=now, settings_revision=1, servers=(published,))
        return samples(self._exposition.body(snapshot, now, Timeouts(), Format.TEXT).decode())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(secret_key=STRONG, paired=[FAULTY, OTHER]))
        proxy = stack.enter_context(FaultProxy(port_of(simulator.url), "gateway.test"))
        made = World(proxy, tmp_path_factory.mktemp("faults"))
        stack.enter_context(closing(made.transport))
        yield made


@pytest.fixture(scope="module")
def alertmanager() -> Iterator[FaultProxy]:
    with ExitStack() as stack:
        server = stack.enter_context(Loopback(answering(http_answer(SILENCES))))
        yield stack.enter_context(FaultProxy(port_of(server.url), "alertmanager.test"))


def words(problem: Problem | None, reason: Reason) -> str:
    """Return the id of what a person reads: of the problem, or else of the reason of the verdict."""
    if problem is not None and problem.explanation is not None:
        return f"`{problem.explanation.id}`"
    return f"`{reason}`" if reason is not Reason.NONE else ""


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_fault_is_as_documented(
    world: World, alertmanager: FaultProxy, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    row = f"| {fault.name} | {world.session_cells(fault)} | {world.gateway_cells(fault)} "
    row += f"| {alertmanager_cell(alertmanager, fault)} |"

    documented = DOCS.read_text()
    assert golden_text(DOCS, with_row(documented, fault.name, row)) == with_row(documented, fault.name, row)
    world.settle()
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


def test_pause_of_a_minute_that_a_gateway_demands_is_no_verdict(world: World) -> None:
    world.settle()
    with world.proxy.faulty(LONG_PAUSE):
        world.probing.advance(INTERVAL + TICK, tick=TICK)
    seen = set()

    for _ in range(60):
        world.probing.advance(1.0, tick=TICK)
        seen |= {(world.sample(UP), *world.connected().values())}

    assert seen == {(1.0, 1.0, 1.0)}
    world.settle()


def test_table_has_each_fault_once_and_the_words_of_each_row() -> None:
    text = DOCS.read_text()

    assert list(rows_of(text)) == [fault.name for fault in FAULTS]
    assert golden_text(DOCS, with_words(text)) == with_words(text)


def test_faults_leave_nothing_behind() -> None:
    before, after = cause_faults(3 * len(FAULTS), budget_seconds=0.02)

    assert (after.threads, after.descriptors) <= (before.threads, before.descriptors)


def alertmanager_cell(proxy: FaultProxy, fault: Fault) -> str:
    """Ask Alertmanager for its silences."""
    settings = AlertmanagerSettings(url=SecretStr(proxy.url))
    # However long that takes on a busy machine, it has the same end.
    seconds = STALLED_SECONDS if fault.stalls else 60.0
    with proxy.faulty(fault), closing(Alertmanager(settings, answer_seconds=seconds)) as client:
        try:
            return f"{len(client.silences())} silence"
        except AlertmanagerError as error:
            return error.code


def rows_of(text: str) -> dict[str, str]:
    """Return the rows of the table by their faults."""
    table = text.partition(HEADING)[2].partition("\n\n")[0]
    return {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines()[1:]}


def with_row(text: str, name: str, row: str) -> str:
    """Return the document with this row, at its place in the table."""
    found = rows_of(text) | {name: row}
    return with_table(text, HEADING, [found[fault.name] for fault in FAULTS if fault.name in found])


def with_words(text: str) -> str:
    """Return the document with the text of each message that the table names."""
    named = sorted(set(re.findall(r"`(\w+[._]\w+)`", "\n".join(rows_of(text).values()))))
    sentences = {**TEMPLATES, **REASONS}
    return with_table(text, WORDS, [f"| `{name}` | {sentences[name]} |" for name in named])


def with_table(text: str, heading: str, rows: list[str]) -> str:
    """Return the document with other rows below a table's heading."""
    before, _, rest = text.partition(heading)
    after = rest.partition("\n\n")[2]
    line = re.sub(r"[^|\n]+", " --- ", heading.strip("\n"))
    return f"{before}{heading}" + "\n".join([line, *rows]) + f"\n\n{after}"
