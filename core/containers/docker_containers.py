"""The containers' part of the sync agent: look, carry out wholly or not at all, repair after a crash."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.containers.compose import Compose
from core.containers.engine import Engine, Inspection
from core.containers.journal import Journal, Page, Phase
from core.containers.judgement import ONCE_MORE, Way, compose_folder, judge
from core.containers.moving import Mover, Order, sentence, told
from core.containers.readiness import Patience, grace_seconds
from core.containers.sessions import GatewaySessions
from core.exceptions import ContainerError
from core.logs import register_secret
from core.propagation.reach import (
    Consequence,
    ContainerAction,
    ContainersDone,
    Expectation,
    Report,
)
from core.propagation.targets import ContainerSettings

log = logging.getLogger(__name__)

SOUNDS_SECRET = ("KEY", "SECRET", "TOKEN", "PASS")


@dataclass(frozen=True)
class _Case:
    """One container, looked at."""

    expectation: Expectation
    consequence: Consequence
    seen: Inspection | None = None
    compose: Compose | None = None

    @property
    def name(self) -> str:
        return self.expectation.container.name

    @property
    def order(self) -> Order:
        assert self.seen is not None  # noqa: S101 - what is recreated was seen
        expected = self.expectation
        return Order(self.seen, _plain(expected.environment), _plain(expected.arguments), self.compose)


class DockerContainers:
    """Does to listed containers what the files ask for; see `core.propagation.reach.Containers`."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        *,
        journal: Path,
        sessions: GatewaySessions,
        compose: Callable[[], Compose | None] = lambda: None,
        patience: Patience | None = None,
        stop: threading.Event | None = None,
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._engine = engine
        self._journal = Journal(journal)
        self._sessions = sessions
        self._compose = compose
        self._patience = patience or Patience()
        self._stop = stop or threading.Event()
        self._now = now
        self._monotonic = monotonic

    @property
    def is_interrupted(self) -> bool:
        """Tell that `repair` has something to do."""
        return self._journal.is_there

    def consequences(self, expectations: Sequence[Expectation]) -> tuple[Consequence, ...]:
        """Tell what `carry_out` would do; never raises for one bad container or an absent engine."""
        with self._engine() as engine:
            compose = self._compose()
            return tuple(self._look_calmly(engine, compose, one).consequence for one in expectations)

    def carry_out(self, expectations: Sequence[Expectation], report: Report) -> ContainersDone:
        """Recreate those that must be, all or none; raises ContainerError when the old ones run again."""
        self.repair(report)
        with self._engine() as engine:
            compose = self._compose()
            cases = [self._look(engine, compose, one) for one in expectations]
            refused = [one for one in cases if one.consequence.action is ContainerAction.REFUSED]
            if refused:
                raise ContainerError(" ".join(f"{one.name}: {one.consequence.why}" for one in refused))
            due = [one for one in cases if one.consequence.action is ContainerAction.RECREATE]
            before = {one.name: self._sessions_of(one.expectation.container) for one in due}
            if due:
                self._replace_all(self._mover(engine, report), [one.order for one in due])
            since = self._now()
        lost = [
            name
            for one in due
            for name in self._lost(one.expectation.container, before[one.name], since, report)
        ]
        return ContainersDone(
            recreated=tuple(one.name for one in due),
            notes=tuple(
                f"{one.name}: {ONCE_MORE}."
                for one in due
                if one.seen and compose_folder(one.seen) and not one.compose
            ),
            lost_sessions=tuple(lost),
        )

    def restart(self, container: ContainerSettings, report: Report) -> ContainersDone:
        """Restart one container as it is; its environment stays the old one."""
        with self._engine() as engine:
            seen = engine.inspect(container.name)
            if seen is None:
                raise ContainerError(f"there is no container {container.name}")
            sessions = self._sessions_of(container)
            with told(report, "restart", container.name):
                engine.restart(seen["Id"], grace_seconds(seen))
            since = self._now()
        return ContainersDone(lost_sessions=self._lost(container, sessions, since, report))

    def repair(self, report: Report) -> None:
        """Leave one running container each, whatever a killed process left; raises ContainerError."""
        page = self._journal.read()
        if page is None:
            return
        log.warning("containers_repaired phase=%s names=%s", page.phase, [one.name for one in page.moves])
        with self._engine() as engine:
            self._settle(self._mover(engine, report), page)

    def _replace_all(self, mover: Mover, orders: Sequence[Order]) -> None:
        page = Page(phase=Phase.WORKING, moves=tuple(one.move for one in orders))

        def touch(name: str) -> None:
            nonlocal page
            page = page.model_copy(update={"touched": (*page.touched, name)})
            self._journal.write(page)

        self._journal.write(page)
        try:
            for order in orders:
                mover.replace(order, touch)
            page = page.model_copy(update={"phase": Phase.GOOD})
            self._journal.write(page)
        except BaseException as error:
            # Also for somebody who leaves with Ctrl-C.
            self._put_back(mover, page.model_copy(update={"phase": Phase.WORKING}), error)
            raise
        try:
            self._settle(mover, page)
        except ContainerError as error:
            # The new ones are good; what is left of the old ones goes with the next repair.
            log.warning("old_containers_left error=%s", error)

    def _put_back(self, mover: Mover, page: Page, why: BaseException) -> None:
        try:
            self._settle(mover, page)
        except ContainerError as error:
            raise ContainerError(
                f"{why}; and the old containers could not be put back yet: {error}. The sync agent tries "
                "again by itself"
            ) from None

    def _settle(self, mover: Mover, page: Page) -> None:
        """Go all the way back or all the way forward, and have nothing under way any more."""
        for move in reversed(page.moves):
            if page.phase is Phase.GOOD:
                mover.let_go(move)
            else:
                mover.put_back(move, touched=move.name in page.touched)
        self._journal.clear()

    def _look_calmly(self, engine: Engine, compose: Compose | None, expectation: Expectation) -> _Case:
        try:
            return self._look(engine, compose, expectation)
        except ContainerError as error:
            name = expectation.container.name
            refused = Consequence(container=name, action=ContainerAction.REFUSED, why=sentence(error))
            return _Case(expectation, refused)

    def _look(self, engine: Engine, compose: Compose | None, expectation: Expectation) -> _Case:
        seen = engine.inspect(expectation.container.name)
        if seen is not None:
            _register_secrets(seen)
        for secret in (*expectation.environment.values(), *expectation.arguments.values()):
            register_secret(secret.get_secret_value())
        consequence = judge(expectation, seen, neighbours=(), way=Way.ENGINE)
        if seen is None or consequence.action is not ContainerAction.RECREATE:
            return _Case(expectation, consequence, seen)
        way = compose.way(engine, expectation, seen) if compose else Way.ENGINE
        neighbours = engine.sharing_network_of(seen)
        consequence = judge(expectation, seen, neighbours=neighbours, way=way)
        gateway = expectation.container.gateway
        if gateway:
            sessions = tuple(f"{gateway}/{one}" for one in self._sessions_of(expectation.container))
            consequence = consequence.model_copy(update={"sessions": sessions})
        return _Case(expectation, consequence, seen, compose if way is Way.COMPOSE else None)

    def _sessions_of(self, container: ContainerSettings) -> tuple[str, ...]:
        gateway = container.gateway
        return self._sessions.connected(gateway, self._stop) if gateway else ()

    def _lost(
        self, container: ContainerSettings, sessions: Sequence[str], since: datetime, report: Report
    ) -> tuple[str, ...]:
        """Wait for the sessions of a gateway that were connected; return those that are not."""
        gateway = container.gateway
        if gateway is None:
            return ()
        try:
            lost = self._sessions.lost(gateway, sessions, since=since, report=report, stop=self._stop)
        except (KeyboardInterrupt, SystemExit):
            # The containers are good, and stay. Whoever leaves now ends the wait and nothing else.
            lost = tuple(sessions)
        return tuple(f"{gateway}/{one}" for one in lost)

    def _mover(self, engine: Engine, report: Report) -> Mover:
        return Mover(engine, report, self._patience, self._monotonic, self._stop)


def _plain(secrets: dict[str, SecretStr]) -> dict[str, str]:
    return {key: value.get_secret_value() for key, value in secrets.items()}


def _register_secrets(seen: Inspection) -> None:
    """Keep out of every text what a container may print when it fails."""
    for line in seen["Config"].get("Env") or ():
        key, _, value = line.partition("=")
        if any(word in key.upper() for word in SOUNDS_SECRET):
            register_secret(value)
