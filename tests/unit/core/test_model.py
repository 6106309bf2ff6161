"""Random sequences of what operators and phones do, on both engines, against a small model of the product."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from held_world import TICK_SECONDS, HeldWorld
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from prometheus_client.parser import text_string_to_metric_families
from watched_gateway import SERVER

from core.models import HistoryEntry, Outcome, Pause, Verdict
from core.operation_status import OperationStatus
from core.settings import maintaining, pausing
from core.settings.maintenance import Once, Target, Window
from core.store import Store
from core.store.postgresql import PostgresStore
from core.uptime.incidents import Incident, ResponseLog, incidents
from core.uptime.records import LONGEST_WINDOW, TrackRecord, TrackRecords
from dashboard.formatting import problems
from dashboard.overview.selection import entries, in_order, size
from exporter.exposition import Exposition, Format
from exporter.own_metrics import OwnMetrics
from simulator.phone import RefusedError
from tests.support.engines import Engine, FileEngine, PostgresEngine
from tests.support.postgresql import Server

EXAMPLES = int(os.environ.get("WPPCONNECT_MODEL_EXAMPLES", "0"))
"""So many sequences, other ones each time; without it the same few."""
SESSIONS = ("sales", "support")
SETTLED_SECONDS = 60.0
"""After so long without an event, what holds is known."""
INTERVAL_SECONDS = 5.0
FORBIDDEN = {"unhealthy", "metrics", "start-all", "clear-session-data", "restore-sessions"}

session_names = st.sampled_from(SESSIONS)
moments = st.sampled_from([0.0, 3.0, 20.0, 75.0])
PHONE_EVENTS = ("unlink", "freeze", "unfreeze", "crash", "kill_browser", "lose_network", "restore_network")
SENT = ("start", "restart", "close", "logout")


@dataclass
class Known:
    """The model of one session."""

    is_paused: bool = False
    maintenance: Window | None = None
    operations: int = 0
    acknowledgements: int = 0
    connected_seconds: float = 0.0
    measured_seconds: float = 0.0
    slack_seconds: float = 2 * INTERVAL_SECONDS
    """A change is noticed up to an interval late, and without a process nothing is."""
    verdict: Verdict | None = None
    maintained_until: datetime | None = None


class Product(RuleBasedStateMachine):
    """What operators and phones do, in any order."""

    make_engine: Callable[[Path], Engine]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="wppconnect-model-"))
        self.engine = type(self).make_engine(self.folder)
        self.world = HeldWorld(self.engine, self.folder, *SESSIONS)
        self.world.when_time_passed = self._measure
        self.known = {name: Known() for name in SESSIONS}
        self.own_metrics = OwnMetrics("1", proc="/nowhere")
        self.exposition = Exposition(self.own_metrics)
        self.track_records, self.response_log = (
            TrackRecords(self.world.history),
            ResponseLog(self.world.history),
        )
        self.world.phones.pair(SESSIONS[0])
        self.world.advance(10)

    # What operators do

    @rule(session=session_names, kind=st.sampled_from(SENT), second=st.sampled_from([None, *SENT]))
    def operate(self, session: str, kind: str, second: str | None) -> None:
        """Run an operation to its end; a click in another tab meanwhile attaches to it."""
        if second is not None:
            self.world.later(1.0, lambda: self._click_again(session, second))
        self._finish(session, getattr(self.world.operations, kind)(SERVER, session, actor="ana"))

    @rule(session=session_names, scans=st.lists(moments, max_size=2))
    def pair(self, session: str, scans: list[float]) -> None:
        """Pair a session; somebody scans the code at some moments, or nobody does."""
        for seconds in scans:
            self.world.later(seconds, lambda: self._phone("scan", session))
        outcome = self._finish(session, self.world.operations.pair(SERVER, session, actor="ana"))
        if outcome.code == "connected":
            assert self.world.phones.state(session)["paired"]

    @rule(session=session_names)
    def pause_or_resume(self, session: str) -> None:
        """Pause a session, or end that."""
        known, source, now = self.known[session], self.world.settings, self.world.clock()
        known.is_paused = not known.is_paused
        if known.is_paused:
            pausing.pause(source, [(SERVER, session)], Pause(by="ana", since=now))
        else:
            pausing.resume(source, [(SERVER, session)], actor="ana", now=now)
        self.world.advance(TICK_SECONDS)

    @rule(session=session_names, minutes=st.sampled_from([1, 5]))
    def maintain(self, session: str, minutes: int) -> None:
        """Plan maintenance from now on, or end it early."""
        known, source, now = self.known[session], self.world.settings, self.world.clock()
        if known.maintenance is not None and known.maintenance.current(now) is not None:
            assert maintaining.end(source, known.maintenance.id, actor="ana", now=now)
            known.maintenance = None
        else:
            schedule = Once(since=now, until=now + timedelta(minutes=minutes))
            target = Target(server=SERVER, session=session)
            known.maintenance = Window(
                id=f"{session}-{now:%H%M%S%f}", targets=(target,), schedule=schedule, by="ana"
            )
            maintaining.add(source, known.maintenance, now=now)
        self.world.advance(TICK_SECONDS)

    @rule(session=session_names)
    def acknowledge(self, session: str) -> None:
        """Acknowledge a session's alert."""
        now, data = self.world.clock(), {"event": "acknowledged", "reason": ""}
        self.world.history.append(
            HistoryEntry(at=now, kind="alert", server=SERVER, session=session, actor="ana", data={**data})
        )
        self.known[session].acknowledgements += 1

    # What happens

    @rule(session=session_names, event=st.sampled_from(PHONE_EVENTS))
    def use_phone(self, session: str, event: str) -> None:
        """Do something to a phone or its browser, where possible."""
        self._phone(event, session)

    @rule(seconds=moments)
    def restart_gateway(self, seconds: float) -> None:
        """Restart the gateway, which is away so long."""
        if self.world.is_gateway_running:
            self.world.restart_gateway(seconds)

    @rule(seconds=st.sampled_from([0.0, 4.0, 100.0]))
    def restart_process(self, seconds: float) -> None:
        """Kill our process, and start it so much later."""
        self.world.end_process()
        self.world.advance(seconds)
        self.world.begin_process()
        self.world.advance(TICK_SECONDS)
        self.track_records, self.response_log = (
            TrackRecords(self.world.history),
            ResponseLog(self.world.history),
        )

    @rule(seconds=moments)
    def fill_disk(self, seconds: float) -> None:
        """Refuse all history entries for a while; then what was kept is written."""
        self.world.history.is_full = True
        self.world.advance(seconds)
        self.world.history.is_full = False
        self.world.advance(3)

    @rule(seconds=st.sampled_from([1.0, 10.0, 60.0, 200.0]))
    def wait(self, seconds: float) -> None:
        """Do nothing for a while."""
        self.world.advance(seconds)

    @rule()
    def settle(self) -> None:
        """Do nothing until what holds is known, and compare."""
        self.world.advance(SETTLED_SECONDS)
        for session in SESSIONS:
            assert any(self._fits(session) or self.world.advance(INTERVAL_SECONDS) for _ in range(5)), (
                self.world.session(session).verdict,
                self._possible(session),
            )

    # What always holds

    @invariant()
    def page_and_metrics_show_the_snapshot(self) -> None:
        snapshot, now = self.world.monitor.snapshot(), self.world.clock()
        found = list(snapshot.servers[0].sessions)
        ordered = in_order(found)
        listed = problems(found)

        assert sorted(one.session for one in ordered) == sorted(SESSIONS)
        assert sum(map(size, entries(ordered, snapshot.servers))) == len(SESSIONS)
        assert [one for one in ordered if one in listed] == listed

        timeouts = self.world.settings.current().timeouts
        text, fresh = (
            one.body(snapshot, now, timeouts, Format.TEXT).decode()
            for one in (self.exposition, Exposition(self.own_metrics))
        )
        assert text == fresh
        samples = _samples(text)
        for one in found:
            counts = one.verdict is not Verdict.PAUSED and one.maintenance_until is None
            expected = {float(one.verdict is Verdict.CONNECTED)} if counts else set()
            assert samples["wppconnect_session_connected", one.session] == expected
            assert (one.verdict is Verdict.PAUSED) is self._is_paused(one.session)
            assert (one.qr is not None) <= (one.verdict is Verdict.WAITING_FOR_QR)

    @invariant()
    def history_has_each_change_once(self) -> None:
        for session, known in self.known.items():
            changes = self._entries("transition", session)
            assert all(before.data["to"] == after.data["from"] for before, after in pairwise(changes)), (
                changes
            )
            assert [one.at for one in changes] == sorted(one.at for one in changes)
            if changes:
                assert changes[-1].data["to"] == self.world.session(session).verdict
            assert len(self._entries("operation", session)) == known.operations
            assert len(self._entries("alert", session)) == known.acknowledgements

    @invariant()
    def uptime_is_what_was_seen(self) -> None:
        self.world.clock.advance(0.001)  # what has just changed has no length yet
        snapshot = self.world.monitor.snapshot()
        found = self.track_records.read(snapshot)
        outages = {key: record.outages for key, record in found.items()}
        made = incidents(outages, self.response_log.read(snapshot.taken_at - LONGEST_WINDOW.length))
        for session, known in self.known.items():
            seen = self.world.session(session)
            record = found[SERVER, session]
            uptime = record.uptimes[LONGEST_WINDOW]
            assert uptime.connected_seconds == pytest.approx(known.connected_seconds, abs=known.slack_seconds)
            assert uptime.measured_seconds == pytest.approx(known.measured_seconds, abs=known.slack_seconds)
            assert all(before.until == after.since for before, after in pairwise(record.spans))
            is_open = any(session in one.open_sessions for one in made)
            if seen.verdict in (Verdict.CONNECTED, Verdict.PAUSED):
                assert not is_open, self._story(session, record, made)
            elif seen.lost_at is not None and seen.maintenance_until is None:
                assert is_open, self._story(session, record, made)

    def teardown(self) -> None:
        """Compare once more, and release everything."""
        try:
            self.settle()
            assert not self.world.requested & FORBIDDEN
        finally:
            self.world.close()
            if isinstance(self.engine, PostgresEngine):
                self.engine.close()
            shutil.rmtree(self.folder)

    def _finish(self, session: str, begun: OperationStatus) -> Outcome:
        outcome = self.world.outcome(begun)
        self.world.advance(TICK_SECONDS)
        known = self.known[session]
        known.operations += 1
        known.is_paused = outcome.code == "logged_out"
        status = self.world.operations.status(SERVER, session)
        assert status is not None
        assert not status.is_running
        (*_, newest) = self._entries("operation", session)
        assert (newest.actor, newest.data["outcome"]) == ("ana", outcome.code)
        state = self.world.phones.state(session)
        if outcome.code == "logged_out":
            assert not state["paired"]
        if outcome.code in ("connected", "already_connected"):
            assert self.world.session(session).verdict is Verdict.CONNECTED
        return outcome

    def _story(self, session: str, record: TrackRecord, made: list[Incident]) -> str:
        seen = self.world.session(session)
        lines = [f"{seen.session} {seen.verdict} since {seen.since:%T}, lost at {seen.lost_at}"]
        lines += [f"{one.since:%T} {one.until:%T} {one.verdict}" for one in record.spans]
        lines += [f"outage {one.since:%T} {one.until} {one.recovered}" for one in record.outages]
        lines += [f"incident {one.since:%T} {one.until} {one.sessions} {one.open_sessions}" for one in made]
        entries = self.world.history.read(server=SERVER)
        lines += [f"{one.at:%T.%f} {one.kind} {one.session} {one.data}" for one in entries]
        return "\n".join(lines)

    def _click_again(self, session: str, kind: str) -> None:
        status = self.world.operations.status(SERVER, session)
        if status is not None and status.is_running:
            attached = getattr(self.world.operations, kind)(SERVER, session, actor="ben")
            assert (attached.kind, attached.actor) == (status.kind, "ana")

    def _phone(self, event: str, session: str) -> None:
        try:
            self.world.phones.actions[event.replace("_", "-")](session)
        except RefusedError:
            return

    def _fits(self, session: str) -> bool:
        return self.world.session(session).verdict in self._possible(session)

    def _possible(self, session: str) -> set[Verdict]:
        """Return the verdicts that fit what the simulator knows."""
        state = self.world.phones.state(session)
        if self.known[session].is_paused:
            return {Verdict.PAUSED}
        if not self.world.is_gateway_running:
            return {Verdict.UNREACHABLE}
        match state["status"], state["check_connection"]:
            case "CONNECTED", True:
                return {Verdict.CONNECTED}
            case "CONNECTED", False:
                return {Verdict.UNRESPONSIVE}
            case "CLOSED", _:
                return {Verdict.DISCONNECTED}
            case "INITIALIZING", _:
                return {Verdict.STARTING, Verdict.STUCK}
            case _:
                alive = {Verdict.WAITING_FOR_QR, Verdict.LINKING}
                return alive if state["browser_alive"] else {Verdict.DISCONNECTED, Verdict.UNRESPONSIVE}

    def _is_paused(self, session: str) -> bool:
        return self.known[session].is_paused

    def _entries(self, kind: str, session: str) -> list[HistoryEntry]:
        return self.world.history.read(server=SERVER, session=session, kinds=[kind])

    def _measure(self, seconds: float) -> None:
        for session, known in self.known.items():
            seen = self.world.session(session)
            is_other = (seen.verdict, seen.maintenance_until) != (known.verdict, known.maintained_until)
            known.slack_seconds += is_other * (INTERVAL_SECONDS + TICK_SECONDS)
            known.slack_seconds += 0.0 if self.world.is_process_running else seconds
            known.verdict, known.maintained_until = seen.verdict, seen.maintenance_until
            if seen.ever_connected and seen.verdict is not Verdict.PAUSED and not seen.maintenance_until:
                known.measured_seconds += seconds
                known.connected_seconds += seconds * (seen.verdict is Verdict.CONNECTED)


def _samples(text: str) -> dict[tuple[str, str], set[float]]:
    found: dict[tuple[str, str], set[float]] = defaultdict(set)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, sample.labels.get("session", "")].add(sample.value)
    return found


class OnlyWriter(PostgresEngine):
    """A database to which nobody else writes."""

    def store(self) -> Store:
        return PostgresStore(self.database(), reuse_seconds=60.0)


def test_whatever_people_and_phones_do_page_metrics_and_history_agree_on_files() -> None:
    run(FileEngine, 4)


def test_whatever_people_and_phones_do_page_metrics_and_history_agree_on_postgresql(
    postgresql: Server,
) -> None:
    run(lambda folder: OnlyWriter(postgresql.new_url(), folder), 3)


def run(make_engine: Callable[[Path], Engine], examples: int) -> None:
    machine = type("Product", (Product,), {"make_engine": staticmethod(make_engine)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES or examples,
            stateful_step_count=20,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
            report_multiple_bugs=False,
        ),
    )
