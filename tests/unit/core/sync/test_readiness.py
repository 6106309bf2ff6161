"""When a new container can be relied upon, and how long it may take."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from core.exceptions import ContainerError
from core.sync.docker_containers import Timeouts, await_ready
from core.sync.engine import Engine, down_seconds

SECOND = 1_000_000_000


def seen(health: str | None = None, **state: Any) -> dict[str, Any]:
    """A container as the engine tells of it."""
    check = {"Test": ["CMD", "x"], "Interval": SECOND, "Timeout": SECOND, "Retries": 2}
    log = [{"Output": "first"}, {"Output": " not\n yet "}]
    return {
        "Id": "1",
        "RestartCount": state.pop("restarts", 0),
        "Config": {"Healthcheck": check} if health else {},
        "State": {
            "Running": True,
            "ExitCode": 0,
            "Health": {"Status": health, "Log": log} if health else None,
        }
        | state,
    }


class ScriptedEngine:
    """Tells one thing after the other, the last one for ever; its clock ticks with each look."""

    def __init__(self, *looks: dict[str, Any] | None, words: str | None = "") -> None:
        self.looks = list(looks)
        self.words = words
        self.seconds = 0.0

    def inspect(self, container: str) -> dict[str, Any] | None:
        self.seconds += 1.0
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def tail_logs(self, container: str, lines: int) -> str:
        if self.words is None:
            raise ContainerError("this logging driver cannot be read")
        return self.words


class NoWait(threading.Event):
    """An event that nobody waits for."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def wait(engine: ScriptedEngine, *, wants_health: bool = True, stop: threading.Event | None = None) -> None:
    """Wait with five seconds to settle."""
    await_ready(
        cast(Engine, engine),
        "app",
        wants_health=wants_health,
        timeouts=Timeouts(settle_seconds=5.0),
        monotonic=lambda: engine.seconds,
        stop=stop or NoWait(),
    )


def test_container_without_check_must_run_for_a_while() -> None:
    engine = ScriptedEngine(seen())

    wait(engine)

    assert engine.seconds == 5


def test_healthy_container_is_ready_at_once() -> None:
    engine = ScriptedEngine(seen("starting"), seen("healthy"))

    wait(engine)

    assert engine.seconds == 2


def test_check_that_failed_before_is_not_asked_for() -> None:
    wait(ScriptedEngine(seen("unhealthy")), wants_health=False)


@pytest.mark.parametrize(
    ("engine", "why"),
    [
        (ScriptedEngine(None), "is gone"),
        (ScriptedEngine(seen(Running=False, ExitCode=3), words=None), "with exit code 3"),
        (ScriptedEngine(seen(Running=False, ExitCode=3), words="no key"), "3; last output: no key"),
        (
            ScriptedEngine(seen(Running=False, ExitCode=127, Error="no such file")),
            "127; no such file",
        ),
        (ScriptedEngine(seen(Restarting=True, ExitCode=1)), "again and again, with exit code 1"),
        (ScriptedEngine(seen(restarts=1)), "started again by the engine"),
        (ScriptedEngine(seen("unhealthy")), "is unhealthy; its health check reported: not yet"),
        (ScriptedEngine(seen("starting")), "not healthy within 21 s; its health check reported: not yet"),
    ],
)
def test_why_a_container_is_no_good(engine: ScriptedEngine, why: str) -> None:
    with pytest.raises(ContainerError) as caught:
        wait(engine)

    assert why in str(caught.value)


def test_stop_ends_the_wait() -> None:
    stop = NoWait()
    stop.set()

    with pytest.raises(ContainerError, match="was stopped while it waited"):
        wait(ScriptedEngine(seen()), stop=stop)


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        ({}, 7),
        ({"StopTimeout": 30}, 17),
        ({"Healthcheck": {"Test": ["NONE"]}}, 7),
        ({"Healthcheck": {"Test": ["CMD", "x"], "Interval": 10 * SECOND, "StartPeriod": 5 * SECOND}}, 22),
        ({"Healthcheck": {"Test": ["CMD", "x"]}}, 37),
    ],
)
def test_time_down_is_estimated(config: dict[str, Any], seconds: float) -> None:
    assert down_seconds({"Config": config}) == seconds
