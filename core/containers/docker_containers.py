"""The containers' part of the sync: look, have Compose recreate, inspect what came of it, and put back.

Nothing is ever removed here. Compose replaces a container; whether the new one is right is what the engine
says of it afterwards.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.containers.compose import Compose, ComposeError
from core.containers.engine import Engine, Inspection
from core.containers.inspection import SERVICE, host_name_of, labels_of, project_of, project_of_labels
from core.containers.look import NO_COMPOSE, Look, access_problem, register_secrets_of, what_prevents
from core.containers.policy import (
    DesiredConfig,
    desired_of_targets,
    differing,
    is_gateway,
    judge,
)
from core.containers.readiness import Patience, await_ready, grace_seconds, health_of
from core.containers.sessions import GatewaySessions
from core.containers.waiting import due_at_next_up, is_of_another_compose, what_waits
from core.exceptions import ContainerError
from core.logs import register_secret
from core.messages import Message
from core.propagation.reach import (
    Consequence,
    ContainerAction,
    ContainersDone,
    Project,
    Report,
    StepEvent,
    StepState,
    Touch,
    Touched,
    Wanted,
)
from core.propagation.targets import ContainerSettings

log = logging.getLogger(__name__)

TRIES = 3
"""A Compose that was killed between making the new container and stopping the old one leaves two; the next
`up` removes one of them and fails over the other's name, and the one after that is good."""


@dataclass(frozen=True)
class _Case:
    """One container, looked at."""

    container: ContainerSettings
    consequence: Consequence
    desired: DesiredConfig | None = None
    touched: Touched | None = None

    @property
    def is_due(self) -> bool:
        return self.consequence.action is ContainerAction.RECREATE


class DockerContainers:
    """Does to listed containers what the files ask for; see `core.propagation.reach.Containers`."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        *,
        sessions: GatewaySessions,
        compose: Callable[[], Compose | None] = lambda: None,
        patience: Patience | None = None,
        stop: threading.Event | None = None,
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._compose = compose
        self._patience = patience or Patience()
        self._stop = stop or threading.Event()
        self._now = now
        self._monotonic = monotonic

    def access_problem(self) -> str | None:
        """Say what keeps Compose from recreating containers on this engine; raises ContainerError."""
        with self._engine() as engine:
            return access_problem(engine)

    def projects(self) -> tuple[Project, ...]:
        """Return the Compose projects of all containers; none where the engine does not answer."""
        compose = self._compose()
        try:
            with self._engine() as engine:
                found = [project_of_labels(one) for one in engine.labels().values()]
        except ContainerError:
            return ()
        known = (compose.strip_ours(one)[0] if compose else one for one in found if one)
        return tuple(dict.fromkeys(known))

    def consequences(self, wanted: Wanted) -> tuple[Consequence, ...]:
        """Say what `carry_out` would do; never raises for one bad container or an absent engine."""
        with self._looking(wanted) as look:
            found = {one.name: self._look_calmly(look, one).consequence for one in wanted.containers}
            for name in self._due_at_next_up(look):
                present = found.get(name)
                if present is None or present.action is ContainerAction.NOT_READ:
                    why = str(Message.of("propagation.next_up"))
                    found[name] = Consequence(container=name, action=ContainerAction.NEXT_UP, why=why)
            return tuple(found.values())

    def carry_out(
        self, wanted: Wanted, report: Report, touch: Touch, touched: Sequence[Touched] = ()
    ) -> ContainersDone:
        """Have Compose recreate those that must be; raises ContainerError when one of them is no good."""
        with self._looking(wanted) as look:
            if look.compose and touched:
                look.compose.wait_until_idle()
            cases = [self._look(look, one, is_plan=False) for one in wanted.containers]
            refused = [one.consequence for one in cases if one.consequence.action is ContainerAction.REFUSED]
            if refused:
                raise ContainerError(" ".join(f"{one.container}: {one.why}" for one in refused))
            due = {one.touched.name: one.touched for one in cases if one.is_due and one.touched}
            due |= {one.name: one for one in touched if one.name not in due and self._is_down(look, one)}
            listed = {one.name: one for one in wanted.containers}
            before = {name: self._sessions_of(listed.get(name)) for name in due}
            begun = list(touched)
            for one in due.values():
                begun.append(one)
                touch(tuple({other.name: other for other in begun}.values()))
                self._replace(look, one, report, self._stop)
            since = self._now()
        lost = [
            name
            for one in due
            if one in listed
            for name in self._lost(listed[one], before[one], since, report)
        ]
        by_hand = [one.consequence for one in cases if one.consequence.action is ContainerAction.BY_HAND]
        return ContainersDone(
            recreated=tuple(due),
            notes=tuple(f"{one.container}: {one.why}" for one in by_hand),
            lost_sessions=tuple(lost),
            by_hand=tuple(one.container for one in by_hand),
        )

    def put_back(
        self, wanted: Wanted, touched: Sequence[Touched], report: Report, *, after_crash: bool = False
    ) -> None:
        """Have touched containers run with what the files say again, each whatever becomes of the others."""
        failed = []
        with self._looking(wanted) as look:
            for one in touched:
                present = None
                try:
                    if look.compose:
                        look.compose.wait_until_idle()
                    present = look.engine.inspect(one.name)
                    if after_crash or not self._is_as_before(look, one):
                        with reported(report, "put_back", one.name):
                            # What is put back is not left half done, even when this program is told to end.
                            self._replace(look, one, lambda _event: None, threading.Event())
                except ContainerError as error:
                    command = one.project.command([one.service])
                    failed.append(f"{_standing(look, one, present)}; {error}; recreate it with `{command}`")
        if failed:
            raise ContainerError("; ".join(failed))

    def restart(self, container: ContainerSettings, report: Report) -> ContainersDone:
        """Restart one container as it is; its environment stays the old one."""
        with self._engine() as engine:
            seen = engine.inspect(container.name)
            if seen is None:
                raise ContainerError(f"there is no container {container.name}")
            sessions = self._sessions_of(container)
            with reported(report, "restart", container.name):
                engine.restart(seen["Id"], grace_seconds(seen))
            since = self._now()
        return ContainersDone(lost_sessions=self._lost(container, sessions, since, report))

    @contextmanager
    def _looking(self, wanted: Wanted) -> Iterator[Look]:
        with ExitStack() as stack:
            yield Look(stack.enter_context(self._engine()), self._compose(), wanted)

    def _due_at_next_up(self, look: Look) -> tuple[str, ...]:
        if look.compose is None or not look.wanted.changes:
            return ()
        try:
            return tuple(due_at_next_up(look.compose, look.engine, look.wanted))
        except ContainerError:
            return ()  # Without the engine there is nothing to name.

    def _replace(self, look: Look, one: Touched, report: Report, stop: threading.Event) -> None:
        """Have a container recreated, and inspect what came of it; raises ContainerError."""
        if look.compose is None:
            raise ComposeError(NO_COMPOSE)
        container = look.container(one.name)
        values = look.wanted.values_for(container) if container else ()
        desired = look.desired(one.project, one.service, values)
        with reported(report, "recreate", one.name):
            self._up(look, look.compose, one)
        with reported(report, "wait_healthy", one.name):
            await_ready(
                look.engine,
                one.name,
                wants_health=one.was_healthy,
                patience=self._patience,
                monotonic=self._monotonic,
                stop=stop,
            )
            seen = look.engine.inspect(one.name)
            if seen is None or seen["Id"] == one.old_id:
                raise ContainerError("Compose did not make a new container of that name")
            if keys := differing(desired, seen):
                raise ContainerError(
                    f"the new container runs with another {', '.join(keys)} than Compose said"
                )

    def _up(self, look: Look, compose: Compose, one: Touched) -> None:
        for left in reversed(range(TRIES)):
            try:
                compose.recreate(one)
            except ComposeError:
                if not left or not self._is_down(look, one):
                    raise
            else:
                return

    def _is_down(self, look: Look, one: Touched) -> bool:
        seen = look.engine.inspect(one.name)
        return seen is None or not seen["State"]["Running"]

    def _is_as_before(self, look: Look, one: Touched) -> bool:
        """Whether Compose failed before it did anything to the old container."""
        seen = look.engine.inspect(one.name)
        return seen is not None and seen["Id"] == one.old_id and bool(seen["State"]["Running"])

    def _look_calmly(self, look: Look, container: ContainerSettings) -> _Case:
        try:
            return self._look(look, container, is_plan=True)
        except ContainerError as error:
            return _Case(container, _refused(container, sentence(error)))

    def _look(self, look: Look, container: ContainerSettings, *, is_plan: bool) -> _Case:
        seen = look.engine.inspect(container.name)
        values = look.wanted.values_for(container)
        for one in values:
            register_secret(one.value)
        if seen is None:
            why = f"There is no container {container.name}: the next `up` makes it."
            return _Case(
                container, Consequence(container=container.name, action=ContainerAction.ABSENT, why=why)
            )
        register_secrets_of(seen)
        project, has_host_name = self._project(look, seen)
        service = labels_of(seen).get(SERVICE, "")
        desired = self._desired(look, container, seen, project)
        consequence = judge(container, desired, seen)
        if consequence.action is not ContainerAction.RECREATE or project is None or look.compose is None:
            return _Case(container, consequence, desired)
        found = look.services_of(project)[service]
        if problem := what_prevents(look, seen, found):
            return _Case(container, _refused(container, problem, consequence.keys), desired)
        touched = Touched(
            name=container.name,
            old_id=seen["Id"],
            service=service,
            project=project,
            host_name="" if found.host_name or not is_gateway(container, seen) else host_name_of(seen),
            was_healthy=health_of(seen) in (None, "healthy"),
        )
        if is_plan:
            consequence = self._with_waiting(look, look.compose, touched, consequence, seen, has_host_name)
        if container.gateway:
            sessions = tuple(f"{container.gateway}/{one}" for one in self._sessions_of(container))
            consequence = consequence.model_copy(update={"sessions": sessions})
        return _Case(container, consequence, desired, touched)

    def _project(self, look: Look, seen: Inspection) -> tuple[Project | None, bool]:
        project = project_of(seen)
        if project is None or look.compose is None:
            return project, False
        return look.compose.strip_ours(project)

    def _desired(
        self, look: Look, container: ContainerSettings, seen: Inspection, project: Project | None
    ) -> DesiredConfig:
        values = look.wanted.values_for(container)
        if project is None:
            return desired_of_targets(seen, values, "Compose did not make it.")
        service = labels_of(seen).get(SERVICE, "")
        try:
            desired = look.desired(project, service, values)
            name = look.services_of(project)[service].container_name
        except ComposeError as error:
            return desired_of_targets(seen, values, sentence(error))
        if name and name != container.name:
            return desired_of_targets(seen, values, f"Its files name it {name} now.")
        return desired

    def _with_waiting(
        self,
        look: Look,
        compose: Compose,
        touched: Touched,
        consequence: Consequence,
        seen: Inspection,
        has_host_name: bool,
    ) -> Consequence:
        keys = frozenset(consequence.keys)
        waiting = what_waits(compose, look.engine, touched, keys, seen, ours=has_host_name)
        notes = []
        if waiting:
            notes.append(f"Other changes wait in its files and come along: {', '.join(waiting)}.")
        if is_of_another_compose(compose, seen):
            notes.append("Another Compose made it, so it cannot be told whether more waits in its files.")
        if touched.host_name:
            notes.append(
                f"It keeps its host name {touched.host_name}, which its browser profiles need; write "
                f"`hostname: {touched.host_name}` into its file, or your own next `up` gives it another one."
            )
        return consequence.model_copy(update={"waiting": waiting, "notes": tuple(notes)})

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
            # The containers are good, and stay. Whoever leaves now ends the wait and nothing else.
            lost = tuple(sessions)
        return tuple(f"{gateway}/{one}" for one in lost)


def _standing(look: Look, one: Touched, before: Inspection | None) -> str:
    """Say what there is of a container that could not be put back; `before` is what there was at first."""
    try:
        seen = look.engine.inspect(one.name)
    except ContainerError:
        return f"it is not known whether {one.name} runs"
    if seen is None:
        return f"there is no {one.name} any more"
    if not seen["State"]["Running"]:
        return f"{one.name} does not run"
    if seen["Id"] == one.old_id:
        return f"{one.name} runs as it did before"
    if before is not None and seen["Id"] == before["Id"]:
        return f"{one.name} still runs with the discarded values"
    return f"{one.name} runs with what its files hold"


@contextmanager
def reported(report: Report, step: str, subject: str) -> Iterator[None]:
    """Report a step's beginning, and how it ended."""
    event = StepEvent(step=step, subject=subject)
    report(event)
    try:
        yield
    except ContainerError as error:
        report(event.model_copy(update={"state": StepState.FAILED, "note": sentence(error)}))
        raise
    report(event.model_copy(update={"state": StepState.DONE}))


def sentence(error: ContainerError | str) -> str:
    """Write what went wrong as a sentence of its own."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _refused(container: ContainerSettings, why: str, keys: tuple[str, ...] = ()) -> Consequence:
    return Consequence(container=container.name, action=ContainerAction.REFUSED, why=why, keys=keys)
