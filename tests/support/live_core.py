"""A whole core, wired as the front doors wire it, against a simulator that runs fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.gateways.wppconnect.contract.waits import WppconnectWaits
from core.models import HistoryEntry, Outcome, SessionSnapshot, Verdict
from core.operation_status import OperationStatus
from core.runtime import Core, open_core
from core.settings.environment import load_environment
from simulator import Simulator, Times
from tests.support.secrets import keep_secrets_of
from tests.support.waiting import until

SERVER, SESSION = "main", "sales"
SECRET = "a-secret-for-tests-of-32-bytes!!"
NUMBER = "351912345678"

FAST = Times(
    scale=0.05,
    qr_first=1.5,
    qr_next=0.7,
    auto_close=6.0,
    sync=0.3,
    unlink=0.1,
    logout_browser_gone=0.6,
    frozen_pend=30.0,
)
"""A gateway that does in a second what the real one does in ten."""

FAST_WAITS = WppconnectWaits(
    after_logout=3.0,
    after_failed_close=7.0,
    after_failed_close_while_starting=7.0,
    auto_close=6.0,
    start_limit=30.0,
    syncing=3.0,
    fresh_answer=10.0,
    gateway_return=10.0,
    before_healing=0.5,
    between_tries=1.0,
    gateway_settles=0.0,
    healed_for=30.0,
    whole_operation=60.0,
)


class LiveCore:
    """One process's core and the simulator that it watches, in the words of a test."""

    def __init__(self, core: Core, simulator: Simulator) -> None:
        self.core = core
        self.simulator = simulator

    def session(self, name: str = SESSION) -> SessionSnapshot:
        """What the monitor says of a session now."""
        found = self.core.monitor.snapshot().session(SERVER, name)
        assert found is not None
        return found

    def await_verdict(
        self, verdict: Verdict, *, name: str = SESSION, seconds: float = 60.0
    ) -> SessionSnapshot:
        """Wait until the monitor concludes a verdict."""

        def reached() -> SessionSnapshot | None:
            self.core.monitor.watch(SERVER, name)
            found = self.session(name)
            return found if found.verdict == verdict else None

        found = until(reached, seconds=seconds, what=f"verdict {verdict}, not {self.session(name).verdict},")
        assert found is not None
        return found

    def operation(self, name: str = SESSION) -> OperationStatus:
        """What an operator sees of the newest operation."""
        found = self.core.operations.status(SERVER, name)
        assert found is not None
        return found

    def await_outcome(self, *, name: str = SESSION, seconds: float = 60.0) -> Outcome:
        """Wait until the newest operation has ended."""
        outcome = until(lambda: self.operation(name).outcome, seconds=seconds, what="the outcome")
        assert outcome is not None
        return outcome

    def await_step(self, step: str, *, name: str = SESSION, seconds: float = 60.0) -> OperationStatus:
        """Wait until the running operation is at a step."""

        def reached() -> OperationStatus | None:
            status = self.operation(name)
            return status if status.step == step else None

        found = until(reached, seconds=seconds, what=f"step {step}, not {self.operation(name).step},")
        assert found is not None
        return found

    def counted(self, endpoint: str) -> int:
        """How often an endpoint was asked for, by anybody."""
        rows = self.simulator.requests()["counts"]
        return sum(row["count"] for row in rows if row["route"].endswith(endpoint))

    def transitions(self, name: str = SESSION) -> list[HistoryEntry]:
        """The session's transitions in the history, oldest first."""
        return self.core.history.read(server=SERVER, session=name, kinds=["transition"])


def environment(
    simulator: Simulator, data: Path, *, sessions: str = SESSION, **changes: str
) -> dict[str, str]:
    """The variables that a process of ours is started with."""
    return {
        "WPPCONNECT_URL": simulator.url,
        "WPPCONNECT_SECRET_KEY": simulator.secret_key,
        "WPPCONNECT_SESSIONS": sessions,
        "WPPCONNECT_DATA_DIR": str(data),
        "WPPCONNECT_INTERVAL_SECONDS": "1",
    } | changes


@contextmanager
def live_core(
    simulator: Simulator,
    data: Path,
    *,
    sessions: str = SESSION,
    program: str = "wppconnect-test",
    waits: WppconnectWaits = FAST_WAITS,
    **changes: str,
) -> Iterator[LiveCore]:
    """Run a core against a simulator until the test ends."""
    variables = environment(simulator, data, sessions=sessions, **changes)
    core = open_core(load_environment(variables), program=program, waits=waits)
    core.monitor.start()
    try:
        yield LiveCore(core, simulator)
    finally:
        core.stop()
        keep_secrets_of(simulator, data)
