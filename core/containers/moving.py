"""Put a new container in an old one's place, put the old one back, or let it go.

Each step can be repeated: after a crash it is taken again from the journal, whatever was done of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.clock import Monotonic
from core.containers.blueprint import Blueprint, blueprint
from core.containers.compose import Compose
from core.containers.engine import Engine, Inspection
from core.containers.journal import Move
from core.containers.readiness import Patience, await_ready, grace_seconds, health_of
from core.exceptions import ContainerError
from core.propagation.reach import Report, StepEvent, StepState

TRIES = 3
REMOVAL_SECONDS = 60.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Order:
    """One container that must be recreated."""

    seen: Inspection = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    arguments: Mapping[str, str] = field(repr=False)
    compose: Compose | None
    """Compose, where it may do it."""

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.seen["Name"]).lstrip("/")

    @property
    def move(self) -> Move:
        """What the journal has to hold of it."""
        return Move(name=self.name, old_id=self.seen["Id"], old=blueprint(self.seen))


@dataclass(frozen=True)
class Mover:
    """Carries out orders on one engine."""

    engine: Engine
    report: Report
    patience: Patience
    monotonic: Monotonic
    stop: threading.Event

    def replace(self, order: Order, touch: Callable[[str], None]) -> None:
        """Replace a container and wait until the new one is good; raise ContainerError when it is not.

        `touch` is told the container's name before the old one is stopped.
        """
        with told(self.report, "recreate", order.name):
            if order.compose is None:
                new = self._by_engine(order, touch)
            else:
                touch(order.name)
                order.compose.recreate(order.seen)
                new = order.name
        with told(self.report, "wait_healthy", order.name):
            await_ready(
                self.engine,
                new,
                wants_health=health_of(order.seen) in (None, "healthy"),
                patience=self.patience,
                monotonic=self.monotonic,
                stop=self.stop,
            )

    def put_back(self, move: Move, *, touched: bool) -> None:
        """Have the old container run again under its name, and nothing else in its place.

        `touched`: it was told to stop, by somebody who may have been killed before it did.
        """
        with told(self.report, "put_back", move.name):
            for _ in range(TRIES):
                self._put_back(move, touched=touched)
                found = self.engine.inspect(move.name)
                if found is not None and found["State"]["Running"]:
                    return
            raise ContainerError(f"the old container {move.name} does not keep running")

    def let_go(self, move: Move) -> None:
        """Remove the old container; its volumes stay, they are the new one's."""
        self._remove(move.old_id)

    def _put_back(self, move: Move, *, touched: bool) -> None:
        for name in (move.name, move.new_name, move.compose_name):
            other = self.engine.inspect(name)
            if other is not None and other["Id"] != move.old_id:
                self.engine.stop(other["Id"], grace_seconds(other))
                self._remove(other["Id"])
        old = self.engine.inspect(move.old_id)
        if old is None:
            self.engine.start(self._make(move.name, move.old))
            return
        if touched:
            # To be sure that it has stopped: one that is still about to would stop after it was started.
            self.engine.stop(move.old_id, grace_seconds(old))
        if old["Name"].lstrip("/") != move.name:
            self.engine.rename(move.old_id, move.name)
        self.engine.start(move.old_id)

    def _by_engine(self, order: Order, touch: Callable[[str], None]) -> str:
        engine, move, seen = self.engine, order.move, order.seen
        wanted = blueprint(seen, environment=order.environment, arguments=order.arguments)
        left_over = engine.inspect(move.new_name)
        if left_over is not None:
            self._remove(left_over["Id"])
        new = self._make(move.new_name, wanted)
        made = engine.inspect(new)
        if made is not None and made["Image"] != seen["Image"]:
            # The image's name means another one by now. A new key is no reason for a new release.
            self._remove(new)
            new = self._make(move.new_name, wanted.with_image(seen["Image"]))
        touch(order.name)
        engine.stop(move.old_id, grace_seconds(seen))
        engine.rename(move.old_id, move.old_name)
        engine.rename(new, move.name)
        engine.start(new)
        return new

    def _remove(self, container: str) -> None:
        """Remove a container and wait until its name is free."""
        self.engine.remove(container)
        deadline = self.monotonic() + REMOVAL_SECONDS
        while self.engine.inspect(container) is not None:
            if self.monotonic() > deadline:
                raise ContainerError(f"a container is not gone {REMOVAL_SECONDS:.0f} s after its removal")
            self.stop.wait(POLL_SECONDS)

    def _make(self, name: str, wanted: Blueprint) -> str:
        new = self.engine.create(name, wanted.body)
        for network, endpoint in wanted.networks.items():
            self.engine.connect(new, network, endpoint)
        return new


def sentence(error: ContainerError) -> str:
    """Write what went wrong as a sentence of its own."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


@contextmanager
def told(report: Report, step: str, subject: str) -> Iterator[None]:
    """Report a step's beginning, and how it ended."""
    event = StepEvent(step=step, subject=subject)
    report(event)
    try:
        yield
    except ContainerError as error:
        report(event.model_copy(update={"state": StepState.FAILED, "note": sentence(error)}))
        raise
    report(event.model_copy(update={"state": StepState.DONE}))
