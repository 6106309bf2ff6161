"""An operation at work without threads, store or gateway: a script of scenes, and a clock that jumps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from core.exceptions import RequestTimeoutError
from core.gateways.protocol import SessionStatus
from core.gateways.wppconnect.client import StartOptions
from core.gateways.wppconnect.contract.waits import WppconnectWaits
from core.linking_events import LinkingEvents
from core.models import Reason, SessionSnapshot, SessionState, Verdict
from core.operation_status import Facts, Step

T = TypeVar("T")

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STATES = {
    Verdict.CONNECTED: SessionState.CONNECTED,
    Verdict.UNRESPONSIVE: SessionState.CONNECTED,
    Verdict.STUCK: SessionState.INITIALIZING,
    Verdict.STARTING: SessionState.INITIALIZING,
    Verdict.WAITING_FOR_QR: SessionState.QRCODE,
    Verdict.WAITING_FOR_CODE: SessionState.PHONECODE,
    Verdict.LINKING: SessionState.QRCODE,
    Verdict.DISCONNECTED: SessionState.CLOSED,
}


ENDS_OF_A_CODE: dict[str, tuple[float, float | None, float]] = {
    "as in the start-up race": (2, None, 60),
    "as late as the race is seen": (6, None, 60),
    "later than the race": (7, None, 7),
    "a short auto-close": (20, None, 20),
    "the usual auto-close": (60, None, 60),
    "its browser is gone": (2, 1, 2),
    "an earlier browser is gone": (2, -1, 60),
}
"""Seconds after a code was shown: when the gateway says CLOSED, when the webhook says that a browser is gone,
and when the attempt is over."""


@dataclass(frozen=True)
class Scene:
    """What the monitor sees of the session, for so many seconds; the last scene lasts for ever."""

    verdict: Verdict
    seconds: float = 0.0
    """0: until an action makes the gateway go on to the next scene."""
    reason: Reason = Reason.NONE
    held: bool = False
    """The gateway holds an object of the session."""
    state: SessionState | None = None
    """The gateway's word, where it is not the usual one of the verdict."""


class ScriptedGateway:
    """A gateway client whose actions are noted, and lead to the next scene."""

    def __init__(self, run: ScriptedRun) -> None:
        self._run = run
        self.waits = run.waits
        self.close_answers = True
        self.logout_error: Exception | None = None
        self.remove_answer: bool | None = True
        self.start_answer: str | Exception | None = None
        self.urlcode: str | None = None
        self.started_with: list[StartOptions | None] = []

    def start_session(self, session: str, options: StartOptions | None) -> str | None:
        self._run.act("start")
        self.started_with.append(options)
        if isinstance(self.start_answer, Exception):
            raise self.start_answer
        return self.start_answer

    def close_session(self, session: str) -> bool:
        self._run.act("close" if self.close_answers else "close 500")
        return self.close_answers

    def logout_session(self, session: str) -> None:
        if self.logout_error is not None:
            raise self.logout_error
        self._run.act("logout")

    def remove_session(self, session: str) -> bool | None:
        self._run.act("remove")
        return self.remove_answer

    def read_status(self, session: str) -> SessionStatus:
        return SessionStatus(SessionState.CLOSED, self.urlcode, True, "2.10.4")


@dataclass
class ScriptedCall(Generic[T]):
    """A call whose answer comes at a moment of the fake clock; None: never."""

    run: ScriptedRun
    call: Callable[[], T]
    answers_at: datetime | None

    @property
    def done(self) -> bool:
        return self.answers_at is not None and self.run.now() >= self.answers_at

    def result(self) -> T:
        return self.call()


@dataclass
class ScriptedRun:
    """The protocol `Run`: every wait moves the clock, every look is counted."""

    scenes: list[Scene]
    waits: WppconnectWaits = field(default_factory=WppconnectWaits)
    facts: Facts = field(default_factory=Facts)
    webhook: str | None = ""
    session: str = "sales"
    by_itself: bool = False
    gateway_started_at: datetime | None = None
    answer_after_seconds: float | None = 0.0
    """When a call aside is answered."""
    events: LinkingEvents = field(default_factory=LinkingEvents)
    looks_fail: bool = False
    looks: int = 0
    story: list[str] = field(default_factory=list)
    """Actions and waits with the second at which they happened."""
    steps: list[Step] = field(default_factory=list)
    codes: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gateway = ScriptedGateway(self)
        self.client: Any = self.gateway
        self._now = T0
        self._scene_since = T0

    def now(self) -> datetime:
        return self._now

    @property
    def seconds(self) -> float:
        """How long the procedure has been at it."""
        return (self._now - T0).total_seconds()

    def linking_events(self) -> LinkingEvents:
        return self.events

    def step(self, step: Step, *, until: datetime | None = None) -> None:
        self.steps.append(step)

    def show_code(
        self, code: str | None, *, until: datetime | None = None, life_seconds: float | None = None
    ) -> None:
        self.codes.append(code)

    def remember(self, **facts: object) -> None:
        self.facts = self.facts.model_copy(update=facts)

    def acted(self) -> None:
        """Nothing is stale in a script."""

    def act(self, what: str) -> None:
        self.story.append(f"{what} at {self.seconds:g}")
        self._next_scene()

    def snapshot(self) -> SessionSnapshot:
        return self.look()

    def look(self) -> SessionSnapshot:
        self.looks += 1
        assert self.looks < 500, f"a procedure that spins: {self.story}"
        if self.looks_fail or self.seconds > self.waits.whole_operation:
            raise RequestTimeoutError("nobody probed the session in time")
        scene = self.scenes[0]
        return SessionSnapshot(
            server="main",
            session=self.session,
            enabled=True,
            verdict=scene.verdict,
            reason=scene.reason,
            since=self._scene_since,
            state=scene.state or STATES.get(scene.verdict),
            state_since=self._scene_since,
            has_session_object=scene.held,
        )

    def await_change(self, seen: SessionSnapshot, *, until: datetime) -> SessionSnapshot | None:
        scene = self.scenes[0]
        ends = self._scene_since + timedelta(seconds=scene.seconds)
        if scene.seconds and len(self.scenes) > 1 and ends <= until:
            self._now = max(self._now, ends)
            self._next_scene()
            return self.look()
        self._now = max(self._now, until)
        return None

    def wait_until(self, moment: datetime) -> None:
        self._now = max(self._now, moment)
        scene = self.scenes[0]
        if scene.seconds and self._now >= self._scene_since + timedelta(seconds=scene.seconds):
            self._next_scene()

    def run_in_thread(self, call: Callable[[], T]) -> ScriptedCall[T]:
        delay = self.answer_after_seconds
        return ScriptedCall(self, call, None if delay is None else self._now + timedelta(seconds=delay))

    def _next_scene(self) -> None:
        if len(self.scenes) > 1:
            self.scenes.pop(0)
        self._scene_since = self._now


def after(seconds: float) -> datetime:
    """Name a moment by its distance from the beginning."""
    return T0 + timedelta(seconds=seconds)
