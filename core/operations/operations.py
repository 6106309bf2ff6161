"""Operations of users and self-healing on sessions. All but `remove` run in the background."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.exceptions import StoreError, WppconnectError
from core.gateways.protocol import Capability, Waits
from core.gateways.registry import kind_of, offers
from core.linking_events import LinkingEvents, read_events
from core.locks import Lock, Locks
from core.models import Outcome, Pause, Reason
from core.monitor.monitor import ClientFactory, Monitor
from core.operation_status import SELF_HEALING, Kind, OperationStatus, Step
from core.operations.launcher import Launcher
from core.operations.operation_run import OperationContext, OperationRun
from core.operations.record import read_facts
from core.settings import pausing
from core.settings.source import SettingsSource
from core.store import HistoryLog, Store

log = logging.getLogger(__name__)

BLAME = timedelta(minutes=2)
"""How long after an operator's close or logout a lost session is attributed to it."""


class Operations:
    """Start, restart, pair, close and log out sessions."""

    def __init__(
        self,
        *,
        settings: SettingsSource,
        store: Store,
        history: HistoryLog,
        monitor: Monitor,
        client: ClientFactory,
        locks: Locks,
        holder: str,
        waits: Waits | None = None,
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
        stop: threading.Event | None = None,
    ) -> None:
        self._context = OperationContext(
            settings, store, monitor, client, waits or Waits(), now, monotonic, stop or threading.Event()
        )
        self._locks = locks
        self._launcher = Launcher(self._context, history, locks=locks, holder=holder)

    def start(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Start a session; the outcome is "needs_pairing" if it then waits for a phone."""
        return self._launcher.begin(Kind.START, server, session, actor, lambda run: run.gateway.start(run))

    def restart(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Close a session and start it again; its pairing is kept."""
        return self._launcher.begin(
            Kind.RESTART, server, session, actor, lambda run: run.gateway.restart(run)
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
        """Link a phone by QR code, or with `phone` (its number) by pairing code, until connected."""
        number = "".join(character for character in phone or "" if character.isdigit())
        if number:
            return self._launcher.begin(
                Kind.PAIR,
                server,
                session,
                actor,
                lambda run: run.gateway.pair_by_code(run, number, wipe_webhook=wipe_webhook),
                mode="code",
            )
        return self._launcher.begin(
            Kind.PAIR, server, session, actor, lambda run: run.gateway.pair(run, wipe_webhook=wipe_webhook)
        )

    def close(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Close a session; its pairing is kept."""
        return self._launcher.begin(Kind.CLOSE, server, session, actor, lambda run: run.gateway.stop(run))

    def logout(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Unlink the phone and pause the session; irreversible without a new scan."""

        def log_out(run: OperationRun) -> str:
            code = run.gateway.unlink(run)
            if code != "logged_out":
                return code
            try:
                paused = Pause(by=actor, since=self._context.now())
                pausing.pause(self._context.settings, [(server, session)], paused)
            except WppconnectError as error:
                # The phone is unlinked, so the outcome must not be a failure.
                log.warning("session_not_paused server=%s session=%s error=%s", server, session, error)
                return "logged_out_not_paused"
            return code

        return self._launcher.begin(Kind.LOGOUT, server, session, actor, log_out)

    def remove(self, server: str, session: str, *, actor: str) -> Outcome:
        """Remove a closed session from the gateway and the settings. Waits for the outcome."""

        def remove(run: OperationRun) -> str:
            code = run.gateway.remove(run)
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
        """Close and start a session for self-healing; refused while another operation runs on it."""

        def heal(run: OperationRun) -> str:
            turn = self.turn(server)
            if not turn.try_acquire():
                return "not_needed"  # A bulk start has just begun; self-healing decides again after it.
            try:
                run.need(turn)
                return run.gateway.heal(run, is_closed=is_closed)
            finally:
                turn.release()

        return self._launcher.begin(Kind.RESTART, server, session, SELF_HEALING, heal, by_itself=True)

    def turn(self, server: str) -> Lock:
        """Return the lock that self-healing or a bulk start holds while launching browsers on a gateway."""
        return self._locks.lock(_turn(server))

    def is_taken(self, server: str) -> bool:
        """Return whether self-healing or a bulk start is launching browsers on a gateway."""
        return self._locks.is_locked(_turn(server))

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Return the status of the session's running or newest operation. Reads the store's cache."""
        return self._launcher.status(server, session)

    def code_obstacle(self, server: str, session: str) -> str | None:
        """Return why no pairing code is available now, a key of `OUTCOMES`; None if one may be requested."""
        snapshot = self._context.monitor.snapshot()
        gateway, seen = snapshot.server(server), snapshot.session(server, session)
        configured = self._context.settings.current().server(server)
        known = configured.session(session) if configured else None
        if configured is None or gateway is None or seen is None or known is None:
            return "failed"
        if not offers(gateway, Capability.PAIRING_CODE):
            return "code_unsupported"
        try:
            facts = read_facts(self._context.store, server, session)
        except StoreError as error:
            log.warning("operations_unreadable server=%s session=%s error=%s", server, session, error)
            return "failed"
        return kind_of(configured.kind).code_obstacle(seen, facts, gateway, known.webhook)

    def forget(self, server: str, session: str) -> None:
        """Delete the status of a finished operation after it was shown."""
        self._launcher.forget(server, session)

    def closed_by(self, server: str, session: str) -> Reason | None:
        """Return the reason if an operator or self-healing has just closed or logged out this session."""
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
        """Return the latest webhook events about linking a phone. Reads the store's cache."""
        try:
            return read_events(self._context.store, server, session)
        except StoreError as error:
            log.warning("linking_events_not_read server=%s session=%s error=%s", server, session, error)
            return LinkingEvents()

    def stop(self) -> None:
        """Stop this process's operations; their outcome is "stopped"."""
        self._launcher.stop()

    def _is_recent(self, moment: datetime | None) -> bool:
        return moment is not None and abs(self._context.now() - moment) <= BLAME


def _turn(server: str) -> str:
    return f"launches-{server}"


_TAKES_IT_DOWN = {Step.CLOSING: Reason.CLOSED_BY_OPERATOR, Step.LOGGING_OUT: Reason.LOGGED_OUT_BY_OPERATOR}
"""Reasons of a loss that is observed before the operation has stored its action."""
