"""Run self-healing for one gateway, in the process that probes it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from core.clock import Now
from core.exceptions import StoreError
from core.gateways.protocol import Waits
from core.models import SessionSnapshot, Verdict
from core.monitor import self_healing
from core.monitor.self_healing import NOT_BEGUN_AFTER, USUAL, Healed
from core.monitor.state import GatewayState
from core.operation_status import OperationStatus

log = logging.getLogger(__name__)


def _in_a_thread(call: Callable[[], None]) -> None:
    threading.Thread(target=call, name="healing", daemon=True).start()


@dataclass(frozen=True)
class Restarts:
    """The operations that self-healing uses, each called with the gateway's and the session's name."""

    heal: Callable[[str, str, bool], object]
    """Close and start the session; the last argument is whether an earlier attempt closed it."""
    status: Callable[[str, str], OperationStatus | None]
    is_taken: Callable[[str], bool]
    """Whether a bulk start or another self-healing attempt is running on the gateway."""
    waits: Waits = USUAL
    in_background: Callable[[Callable[[], None]], None] = _in_a_thread


class Healer:
    """Self-healing of one gateway.

    Called only from the thread that schedules probes. Starting an attempt may block, so it runs in another.
    """

    def __init__(self, server: str, state: GatewayState, restarts: Restarts, *, now: Now) -> None:
        self._server = server
        self._state = state
        self._restarts = restarts
        self._now = now

    def run_once(self, write_down: Callable[[], None]) -> None:
        """Record the outcome of attempts and start the next one when it is due.

        `write_down` publishes the snapshot before an attempt starts.
        """
        try:
            for one in self._state.sessions():
                self._follow(one)
            sessions, waits = self._state.sessions(), self._restarts.waits
            chosen = self_healing.choose(self._state.gateway, sessions, self._now(), waits)
            if chosen is None or self._is_anybody_at_work():
                return
        except StoreError as error:
            log.warning("operations_unreadable server=%s error=%s", self._server, error)
            return
        self._begin(chosen, write_down)

    def _begin(self, name: str, write_down: Callable[[], None]) -> None:
        session = self._state.session(name)
        if session.healing is None:
            return
        self._state.take_healing(name, self_healing.begun(session.healing, self._now()))
        write_down()
        log.info(
            "self_healing_begins server=%s session=%s verdict=%s reason=%s try=%d",
            self._server,
            name,
            session.verdict,
            session.reason,
            session.healing.tries + 1,
        )
        is_closed = session.verdict == Verdict.DISCONNECTED

        def begin() -> None:
            try:
                self._restarts.heal(self._server, name, is_closed)
            except Exception:
                # Counts as an attempt that never started (NOT_BEGUN_AFTER).
                log.exception("self_healing_failed server=%s session=%s", self._server, name)

        self._restarts.in_background(begin)

    def _follow(self, session: SessionSnapshot) -> None:
        healing = session.healing
        if healing is None:
            return
        outcome = self._outcome(session) if healing.is_trying else None
        if outcome is not None:
            self._state.take_healing(
                session.session, self_healing.ended(healing, outcome, self._now()), outcome
            )
            log.info(
                "self_healing_ended server=%s session=%s outcome=%s", self._server, session.session, outcome
            )
        else:
            after = self_healing.follow(session, self._now(), self._restarts.waits)
            if after is not None and after != healing:
                self._state.take_healing(session.session, after)

    def _outcome(self, session: SessionSnapshot) -> Healed | None:
        """Return how the current attempt ended; None while it runs."""
        began = session.healing.tried_at if session.healing else None
        if began is None:
            return None
        status = self._restarts.status(self._server, session.session)
        if status is None or status.started_at < began:
            return Healed.INTERRUPTED if self._now() - began > NOT_BEGUN_AFTER else None
        if not status.by_itself:
            return Healed.INTERRUPTED
        if status.is_running:
            return None
        return Healed.of(status.outcome.code) if status.outcome is not None else Healed.INTERRUPTED

    def _is_anybody_at_work(self) -> bool:
        """Return whether an operation runs on any session of the gateway; each start launches a browser."""
        if self._restarts.is_taken(self._server):
            return True
        running = (self._restarts.status(self._server, one.session) for one in self._state.sessions())
        return any(status is not None and status.is_running for status in running)
