"""A gateway on a clock that the test holds in its hand."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.gateway import Event, Gateway
from simulator.pending import Pending
from simulator.phone import Phones
from simulator.responses import JsonResponse
from simulator.timeline import ManualClock, Timeline
from simulator.times import Times


class World:
    """A gateway, its phones, its time and what it announced."""

    def __init__(self, **times: float) -> None:
        self.clock = ManualClock()
        self.timeline = Timeline(self.clock)
        self.events: list[Event] = []
        self.gateway = Gateway(self.timeline, Times(**times), self.events.append, secret_key="s3cret")
        self.phones = Phones(self.gateway)

    def pass_time(self, seconds: float) -> None:
        """Let everything happen that falls due."""
        self.clock.move_to(self.clock() + seconds)
        self.timeline.advance()

    def answers(self, name: str = "a") -> tuple[str, bool | None, bool]:
        """The columns of section 5: status, check-connection (None: pends), whether a picture is given."""
        status = self.gateway.status(name, {}).value
        check = self.gateway.check_connection(name).value
        assert status is not None
        return (
            status[1]["status"],
            None if check is None else check[1]["status"],
            self.gateway.qr_picture(name) is not None,
        )

    def start(self, name: str = "a", **body: Any) -> Pending[JsonResponse]:
        """start-session."""
        return self.gateway.start(name, body)

    def show_qr(self, name: str = "a") -> None:
        """Start and wait for the QR code."""
        self.start(name)
        self.pass_time(3)

    def connect(self, name: str = "a") -> None:
        """Connect by a QR code."""
        self.show_qr(name)
        self.phones.scan(name)
        self.pass_time(5)

    def webhooks(self) -> list[str]:
        """The words of the webhooks so far: the status of status-find, else the event."""
        return [
            event.body.get("status", event.body["event"])
            for event in self.events
            if event.channel == "webhook"
        ]


@pytest.fixture
def world() -> World:
    """A gateway with the default durations."""
    return World()


@pytest.fixture
def make_world() -> Callable[..., World]:
    """A gateway with other durations."""
    return World
