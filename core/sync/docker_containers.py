"""Containers: inspect them, have Compose recreate them, verify the new ones, and roll back.

Nothing is ever removed here. Compose replaces a container; whether the new one is right is what the engine
says of it afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.exceptions import ContainerError
from core.logs import redact
from core.messages import Message
from core.sync.assessment import Assessor, access_problem
from core.sync.compose import Compose, ComposeError
from core.sync.engine import (
    HEALTH_DEFAULTS,
    Engine,
    Inspection,
    grace_seconds,
    health_check_of,
    health_of,
)
from core.sync.plan import ContainerAction, Touch, Touched, Wanted
from core.sync.progress import Done, Report, reported
from core.sync.projects import Projects, open_projects
from core.sync.sessions import GatewaySessions
from core.sync.targets import ContainerSettings

POLL_SECONDS = 0.2
LAST_LINES = 5
LONGEST_WORDS = 600
HEALTH_MARGIN_SECONDS = 15.0
TRIES = 3
"""A Compose that was killed between making the new container and stopping the old one leaves two; the next
`up` removes one of them and fails over the other's name, and the one after that is good."""


@dataclass(frozen=True)
class Timeouts:
    """How long to watch a new container."""

    settle_seconds: float = 5.0
    """A container without health check must run that long without a break."""
    longest_seconds: float = 600.0
    """However patient its health check is."""


class DockerContainers:
    """Does to listed containers what the files ask for."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        *,
        sessions: GatewaySessions,
        compose: Callable[[], Compose | None] = lambda: None,
        timeouts: Timeouts | None = None,
        stop: threading.Event | None = None,
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._compose = compose
        self._timeouts = timeouts or Timeouts()
        self._stop = stop or threading.Event()
        self._now = now
        self._monotonic = monotonic

    def access_problem(self) -> Message | None:
        """Return what keeps Compose from recreating containers on this engine; raises ContainerError."""
        with self._engine() as engine:
            return access_problem(engine)

    def identities(self) -> frozenset[tuple[str, str, str]] | None:
        """Identify the containers and how they stand; None where the engine does not answer."""
        try:
            with self._engine() as engine:
                return frozenset((one["Id"], one["ImageID"], one["State"]) for one in engine.list_all())
        except ContainerError:
            return None

    @contextmanager
    def assessor(self, wanted: Wanted, projects: Projects) -> Iterator[Assessor]:
        """Judge the listed containers until the block ends, with one connection to the engine."""
        with self._engine() as engine:
            yield Assessor(engine, projects, wanted, self._sessions_of)

    def carry_out(
        self, wanted: Wanted, report: Report, touch: Touch, touched: Sequence[Touched] = ()
    ) -> Done:
        """Recreate the containers that are due; raises ContainerError if one of them fails."""
        with open_projects(self._compose) as projects, self.assessor(wanted, projects) as assessor:
            if projects.installed and touched:
                projects.installed.wait_until_idle()
            cases = [assessor.assess(one, is_plan=False) for one in wanted.containers]
            refused = [one for one, _ in cases if one.action is ContainerAction.REFUSED]
            if refused:
                raise ContainerError(Message.joined(_about(one.container, one.why) for one in refused))
            due = {one.name: one for _, one in cases if one}
            due |= {one.name: one for one in touched if one.name not in due and self._is_down(assessor, one)}
            listed = {one.name: one for one in wanted.containers}
            before = {name: self._sessions_of(listed.get(name)) for name in due}
            begun = list(touched)
            for one in due.values():
                begun.append(one)
                touch(tuple({other.name: other for other in begun}.values()))
                self._replace(assessor, one, report, self._stop)
            since = self._now()
        lost = [
            name
            for one in due
            if one in listed
            for name in self._lost(listed[one], before[one], since, report)
        ]
        by_hand = [one for one, _ in cases if one.action is ContainerAction.BY_HAND]
        return Done(
            recreated=tuple(due),
            notes=tuple(_about(one.container, one.why) for one in by_hand),
            lost_sessions=tuple(lost),
            by_hand=tuple(one.container for one in by_hand),
        )

    def put_back(
        self, wanted: Wanted, touched: Sequence[Touched], report: Report, *, after_crash: bool = False
    ) -> None:
        """Recreate touched containers with what the files hold again, each regardless of the others."""
        failed = []
        with open_projects(self._compose) as projects, self.assessor(wanted, projects) as assessor:
            for one in touched:
                present = None
                try:
                    if projects.installed:
                        projects.installed.wait_until_idle()
                    present = assessor.engine.inspect(one.name)
                    if after_crash or not self._is_as_before(assessor, one):
                        with reported(report, "put_back", one.name):
                            # A rollback is not left half done, even on SIGTERM.
                            self._replace(assessor, one, lambda _event: None, threading.Event())
                except ContainerError as error:
                    command = one.project.command([one.service])
                    failed += [
                        _standing(assessor, one, present),
                        error.explanation,
                        Message.of("containers.recreate_with", command=command),
                    ]
        if failed:
            raise ContainerError(Message.joined(failed))

    def restart(self, container: ContainerSettings, report: Report) -> Done:
        """Restart one container as it is; its environment stays the old one."""
        with self._engine() as engine:
            info = engine.inspect(container.name)
            if info is None:
                raise ContainerError(Message.of("containers.no_container", name=container.name))
            sessions = self._sessions_of(container)
            with reported(report, "restart", container.name):
                engine.restart(info["Id"], grace_seconds(info))
            since = self._now()
        return Done(lost_sessions=self._lost(container, sessions, since, report))

    def _replace(self, assessor: Assessor, one: Touched, report: Report, stop: threading.Event) -> None:
        """Recreate a container and verify the new one; raises ContainerError."""
        compose = assessor.projects.compose
        desired = assessor.desired(one)
        with reported(report, "recreate", one.name):
            self._up(assessor, compose, one)
        with reported(report, "wait_healthy", one.name):
            await_ready(
                assessor.engine,
                one.name,
                wants_health=one.was_healthy,
                timeouts=self._timeouts,
                monotonic=self._monotonic,
                stop=stop,
            )
            info = assessor.engine.inspect(one.name)
            if info is None or info["Id"] == one.old_id:
                raise ContainerError(Message.of("containers.not_new"))
            if keys := desired.differing(info):
                raise ContainerError(Message.of("containers.other_values", keys=", ".join(keys)))

    def _up(self, assessor: Assessor, compose: Compose, one: Touched) -> None:
        for left in reversed(range(TRIES)):
            try:
                compose.recreate(one)
            except ComposeError:
                if not left or not self._is_down(assessor, one):
                    raise
            else:
                return

    def _is_down(self, assessor: Assessor, one: Touched) -> bool:
        info = assessor.engine.inspect(one.name)
        return info is None or not info["State"]["Running"]

    def _is_as_before(self, assessor: Assessor, one: Touched) -> bool:
        """Whether Compose failed before it did anything to the old container."""
        info = assessor.engine.inspect(one.name)
        return info is not None and info["Id"] == one.old_id and bool(info["State"]["Running"])

    def _sessions_of(self, container: ContainerSettings | None) -> tuple[str, ...]:
        gateway = container.gateway if container else None
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
            # The containers are good, and stay: only the wait ends.
            lost = tuple(sessions)
        return tuple(f"{gateway}/{one}" for one in lost)


def _standing(assessor: Assessor, one: Touched, before: Inspection | None) -> Message:
    """Return the state of a container that could not be rolled back; `before` is its first inspection."""
    try:
        info = assessor.engine.inspect(one.name)
    except ContainerError:
        return Message.of("containers.unknown_state", name=one.name)
    if info is None:
        return Message.of("containers.no_longer_there", name=one.name)
    if not info["State"]["Running"]:
        return Message.of("containers.does_not_run", name=one.name)
    if info["Id"] == one.old_id:
        return Message.of("containers.before_as_it_was", name=one.name)
    if before is not None and info["Id"] == before["Id"]:
        return Message.of("containers.discarded_values", name=one.name)
    return Message.of("containers.runs_with_its_files", name=one.name)


def _about(container: str, why: Message | None) -> Message:
    return Message.of("containers.of_one", name=container, what=why or Message.plain(""))


def await_ready(
    engine: Engine,
    container: str,
    *,
    wants_health: bool,
    timeouts: Timeouts,
    monotonic: Monotonic,
    stop: threading.Event,
) -> None:
    """Return when a container runs, and is healthy where it has a check; raise ContainerError when not.

    `wants_health` is False where the old one was not healthy either.
    """
    began = monotonic()
    while True:
        info = engine.inspect(container)
        if info is None:
            raise ContainerError(Message.of("containers.gone"))
        health = health_of(info) if wants_health else None
        problem = _problem(info, health)
        if problem:
            raise ContainerError(Message.joined([*problem, *_log_tail(engine, info)]))
        waited = monotonic() - began
        if health == "healthy" or (health is None and waited >= timeouts.settle_seconds):
            return
        limit = min(timeouts.longest_seconds, _health_seconds(info))
        if health is not None and waited > limit:
            late = Message.of("containers.not_healthy", seconds=round(limit))
            raise ContainerError(Message.joined([late, *_said(info)]))
        if stop.wait(POLL_SECONDS):
            raise ContainerError(Message.of("containers.wait_stopped"))


def _problem(info: Inspection, health: str | None) -> list[Message]:
    state: Mapping[str, Any] = info["State"]
    if state.get("Restarting"):
        return [Message.of("containers.ends_again_and_again", code=state["ExitCode"])]
    if info.get("RestartCount", 0):
        return [Message.of("containers.ended_again")]
    if not state["Running"]:
        why = redact(str(state.get("Error") or ""))
        ended = Message.of("containers.ended", code=state["ExitCode"])
        return [ended, Message.plain(why)] if why else [ended]
    if health == "unhealthy":
        return [Message.of("containers.unhealthy"), *_said(info)]
    return []


def _health_seconds(info: Inspection) -> float:
    check = health_check_of(info) or HEALTH_DEFAULTS
    tries = check["Retries"] + 1
    return check["StartPeriod"] + tries * (check["Interval"] + check["Timeout"]) + HEALTH_MARGIN_SECONDS


def _said(info: Inspection) -> list[Message]:
    log = (info["State"].get("Health") or {}).get("Log") or ()
    words = redact(" ".join(str(log[-1].get("Output", "")).split()))[:LONGEST_WORDS] if log else ""
    return [Message.of("containers.check_said", words=words)] if words else []


def _log_tail(engine: Engine, info: Inspection) -> list[Message]:
    try:
        words = redact(engine.tail_logs(info["Id"], LAST_LINES).strip())[-LONGEST_WORDS:]
    except ContainerError:
        return []  # A logging driver that cannot be read.
    return [Message.of("containers.last_words", words=words)] if words else []
