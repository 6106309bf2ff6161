"""What an operator can do to a session, and what self-healing does; every call returns at once."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.contract.waits import Waits
from core.exceptions import StoreError, WppconnectError
from core.linking_events import LinkingEvents, read_events
from core.locks import ProcessLock
from core.models import Outcome, Pause, Reason
from core.monitor.monitor import ClientFactory, Monitor
from core.operation_status import SELF_HEALING, Kind, OperationStatus, Step
from core.operations import code_pairing, procedures
from core.operations.launcher import Launcher
from core.operations.operation_run import OperationContext, OperationRun
from core.operations.record import read_facts
from core.settings import pausing
from core.settings.source import SettingsSource
from core.store import History, Store

log = logging.getLogger(__name__)

BLAME = timedelta(minutes=2)
"""How long after an operator's close or logout a lost session is put down to it."""


class Operations:
    """Start, restart, pair, close and log out sessions."""

    def __init__(
        self,
        *,
        settings: SettingsSource,
        store: Store,
        history: History,
        monitor: Monitor,
        client: ClientFactory,
        lock_directory: Path,
        holder: str,
        waits: Waits | None = None,
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._context = OperationContext(
            settings, store, monitor, client, waits or Waits(), now, monotonic, threading.Event()
        )
        self._lock_directory = lock_directory
        self._launcher = Launcher(self._context, history, lock_directory=lock_directory, holder=holder)

    def start(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Start a session; one that then asks for a phone is reported as such."""
        return self._launcher.begin(
            Kind.START, server, session, actor, lambda run: procedures.bring_up(run, procedures.Goal())
        )

    def restart(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Close a session and start it again; its pairing is kept."""
        goal = procedures.Goal(restart=True)
        return self._launcher.begin(
            Kind.RESTART, server, session, actor, lambda run: procedures.bring_up(run, goal)
        )

    def pair(
        self,
        server: str,
        session: str,
        *,
        actor: str,
        phone: str | None = None,
        wipe_webhook: bool = False,
    ) -> OperationStatus:
        """Bring a session to a live QR code, or with `phone` (digits) to a pairing code, until connected."""
        number = "".join(character for character in phone or "" if character.isdigit())
        if number:
            return self._launcher.begin(
                Kind.PAIR,
                server,
                session,
                actor,
                lambda run: code_pairing.pair_by_code(run, number, wipe_webhook=wipe_webhook),
                mode="code",
            )
        goal = procedures.Goal(show_code=True, wipe_webhook=wipe_webhook)
        return self._launcher.begin(
            Kind.PAIR, server, session, actor, lambda run: procedures.bring_up(run, goal)
        )

    def close(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Close a session; its pairing is kept."""
        return self._launcher.begin(Kind.CLOSE, server, session, actor, procedures.close)

    def logout(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Unlink the phone and pause the session; irreversible without a new scan."""

        def log_out(run: OperationRun) -> str:
            code = procedures.log_out(run)
            if code != "logged_out":
                return code
            try:
                paused = Pause(by=actor, since=self._context.now())
                pausing.pause(self._context.settings, [(server, session)], paused)
            except WppconnectError as error:
                # The phone is unlinked all the same: that must not look like a failure.
                log.warning("session_not_paused server=%s session=%s error=%s", server, session, error)
                return "logged_out_not_paused"
            return code

        return self._launcher.begin(Kind.LOGOUT, server, session, actor, log_out)

    def remove(self, server: str, session: str, *, actor: str) -> Outcome:
        """Remove a closed session from the gateway and from the settings; return when that has ended."""

        def remove(run: OperationRun) -> str:
            code = procedures.remove(run)
            if code != "removed":
                return code
            try:
                self._context.settings.edit(lambda saved: saved.without_session(server, session), actor=actor)
            except WppconnectError as error:
                log.warning("session_not_forgotten server=%s session=%s error=%s", server, session, error)
                return "removed_not_forgotten"
            return code

        return self._launcher.outcome(self._launcher.begin(Kind.REMOVE, server, session, actor, remove))

    def heal(self, server: str, session: str, *, is_closed: bool = False) -> OperationStatus:
        """Close and start a session because nobody else does; refused while somebody is at it."""

        def heal(run: OperationRun) -> str:
            turn = self.turn(server)
            if not turn.try_acquire():
                return "not_needed"  # A start of several began in this moment; another look comes after it.
            try:
                return procedures.heal(run, is_closed=is_closed)
            finally:
                turn.release()

        return self._launcher.begin(Kind.RESTART, server, session, SELF_HEALING, heal, by_itself=True)

    def turn(self, server: str) -> ProcessLock:
        """Return what self-healing and a start of several hold, so that one at a time launches browsers."""
        return ProcessLock(self._lock_directory / f"launches-{server}.lock")

    def is_taken(self, server: str) -> bool:
        """Tell whether either of the two is at work on a gateway now."""
        turn = self.turn(server)
        if not turn.try_acquire():
            return True
        turn.release()
        return False

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Tell what runs on a session or how the newest operation ended; reads the store's cache."""
        return self._launcher.status(server, session)

    def code_obstacle(self, server: str, session: str) -> str | None:
        """Tell why no pairing code can be had now, as a word of `OUTCOMES`; None: it may be asked for."""
        snapshot = self._context.monitor.snapshot()
        gateway, seen = snapshot.server(server), snapshot.session(server, session)
        configured = self._context.settings.current().server(server)
        known = configured.session(session) if configured else None
        if gateway is None or seen is None or known is None:
            return "failed"
        facts = read_facts(self._context.store, server, session)
        return code_pairing.code_obstacle(seen, facts, gateway, known.webhook)

    def forget(self, server: str, session: str) -> None:
        """Drop the result of an operation that is not running any more, once its reader has seen it."""
        self._launcher.forget(server, session)

    def closed_by(self, server: str, session: str) -> Reason | None:
        """Tell whether an operator closed or logged out this session just now."""
        try:
            status = self.status(server, session)
            facts = read_facts(self._context.store, server, session)
        except StoreError as error:
            log.warning("operations_unreadable server=%s session=%s error=%s", server, session, error)
            return None
        if status is not None and status.is_running and status.step in _TAKES_IT_DOWN:
            return Reason.CLOSED_BY_SELF_HEALING if status.by_itself else _TAKES_IT_DOWN[status.step]
        if self._is_recent(facts.logged_out_at):
            return Reason.LOGGED_OUT_BY_OPERATOR
        if self._is_recent(facts.closed_at) or self._is_recent(facts.failed_close_at):
            return Reason.CLOSED_BY_SELF_HEALING if facts.closed_by_itself else Reason.CLOSED_BY_OPERATOR
        return None

    def linking_events(self, server: str, session: str) -> LinkingEvents:
        """Return what the gateway's webhook said lately of a phone that is being linked; memory only."""
        try:
            return read_events(self._context.store, server, session)
        except StoreError as error:
            log.warning("linking_events_not_read server=%s session=%s error=%s", server, session, error)
            return LinkingEvents()

    def stop(self) -> None:
        """End what runs here; its record says that it was stopped."""
        self._launcher.stop()

    def _is_recent(self, moment: datetime | None) -> bool:
        return moment is not None and abs(self._context.now() - moment) <= BLAME


_TAKES_IT_DOWN = {Step.CLOSING: Reason.CLOSED_BY_OPERATOR, Step.LOGGING_OUT: Reason.LOGGED_OUT_BY_OPERATOR}
"""What a probe sees between an action and its being remembered."""
