"""Self-healing at work: with the schedule that probes, and operations that run until the test ends them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from watched_gateway import SERVER, FakeClient, Probing, server_settings

from core.exceptions import StoreError
from core.models import Healing, Reason, SessionState, Verdict
from tests.fakes import FakeClock, FakeOperations


class Ward:
    """A gateway of frozen pages, with somebody who restarts them."""

    def __init__(self, directory: Path, *sessions: str, is_on: bool = True) -> None:
        self.clock = FakeClock()
        self.operations = FakeOperations(clock=self.clock)
        self.client = FakeClient(*sessions)
        self.probing = Probing(
            directory,
            server_settings(*sessions, self_healing=is_on),
            self.client,
            clock=self.clock,
            restarts=self.operations.restarts(),
        )
        self.probing.advance(10)

    @property
    def begun(self) -> list[tuple[str, bool]]:
        """The restarted sessions, each with whether an earlier attempt had closed it."""
        return [(session, how["is_closed"]) for _kind, _server, session, how in self.operations.calls]

    def freeze(self, *sessions: str) -> None:
        for name in sessions:
            self.client.pages[name].answers_after_seconds = 60.0

    def thaw(self, *sessions: str) -> None:
        for name in sessions:
            self.client.pages[name].answers_after_seconds = 0.0

    def pass_time(self, seconds: float) -> None:
        self.probing.advance(seconds, tick=1.0)

    def healing(self, name: str = "sales") -> Healing:
        known = self.probing.session(name).healing
        assert known is not None
        return known


def test_a_session_that_does_not_respond_is_restarted_after_a_minute(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales", "support")
    ward.freeze("sales")

    ward.pass_time(60)
    early = list(ward.begun)
    ward.pass_time(30)

    assert early == []
    assert ward.begun == [("sales", False)]
    assert (ward.healing().tries, ward.healing().is_trying) == (1, True)


def test_switched_off_nothing_is_restarted(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales", is_on=False)
    ward.freeze("sales")

    ward.pass_time(600)

    assert ward.begun == []
    assert ward.probing.session().healing is None


def test_a_try_is_written_down_before_it_begins(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales")
    seen: list[int] = []
    begin = ward.operations.begin
    ward.operations.begin = lambda *one, **how: (seen.append(ward.healing().tries), begin(*one, **how))[1]  # type: ignore[method-assign]
    ward.freeze("sales")

    ward.pass_time(90)

    assert seen == [1]


def test_three_tries_and_no_more(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales")
    ward.freeze("sales")
    moments = []
    for _ in range(3600):
        before = len(ward.begun)
        ward.pass_time(1)
        if len(ward.begun) > before:
            moments.append(ward.clock())
            ward.operations.end("sales", "stuck")

    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert len(moments) == 3
    assert [round(gap, -1) for gap in gaps] == [120, 240]
    assert ward.probing.published().self_healing == {"failed": 3}


def test_one_session_of_a_gateway_at_a_time(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales", "support", "shop")
    ward.freeze("sales", "support", "shop")
    ward.pass_time(300)
    first = [name for name, _ in ward.begun]

    ward.thaw(first[0])
    ward.operations.end(first[0], "connected")
    ward.pass_time(10)

    assert len(first) == 1
    assert len(ward.begun) == 2
    assert ward.probing.published().self_healing == {"connected": 1}


def test_nothing_is_begun_while_an_operator_is_at_work_on_the_gateway(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales", "support")
    ward.freeze("sales")
    ward.operations.begin("support")
    ward.pass_time(300)
    meanwhile = list(ward.begun)

    ward.operations.end("support", "connected")
    ward.pass_time(5)

    assert meanwhile == []
    assert ward.begun == [("sales", False)]


def test_nothing_is_begun_while_several_sessions_are_started_also_between_two_of_them(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales", "support")
    ward.freeze("sales")
    ward.operations.is_taken = True
    ward.pass_time(300)
    meanwhile = list(ward.begun)

    ward.operations.is_taken = False
    ward.pass_time(5)

    assert meanwhile == []
    assert ward.begun == [("sales", False)]


def test_a_session_that_asks_for_a_phone_is_left_alone(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales")
    ward.freeze("sales")
    ward.pass_time(90)
    ward.client.pages["sales"].state = SessionState.QRCODE
    ward.operations.end("sales", "needs_pairing")
    ward.pass_time(60)

    ward.client.pages["sales"].state = SessionState.INITIALIZING
    ward.pass_time(1200)

    assert ward.probing.session().verdict == Verdict.STUCK
    assert len(ward.begun) == 1
    assert ward.probing.published().self_healing == {"needs_pairing": 1}


def test_what_a_try_closed_and_could_not_start_is_started_again(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales")
    ward.freeze("sales")
    ward.pass_time(90)
    ward.probing.closed_by = Reason.CLOSED_BY_SELF_HEALING
    ward.client.pages["sales"].state = SessionState.CLOSED
    ward.pass_time(10)
    ward.operations.end("sales", "start_failed")

    ward.pass_time(180)

    assert ward.begun == [("sales", False), ("sales", True)]


def test_tries_are_known_after_a_restart_of_the_prober_also_one_in_the_middle(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales")
    ward.freeze("sales")
    ward.pass_time(90)

    interrupted = ward.operations.statuses[SERVER, "sales"].model_copy(update={"interrupted": True})
    ward.operations.statuses[SERVER, "sales"] = interrupted
    ward.probing.begin("tests[2]")
    ward.pass_time(10)

    assert (ward.healing().tries, ward.healing().outcome) == (1, "interrupted")
    assert ward.probing.published().self_healing == {"interrupted": 1}


@pytest.mark.parametrize("error", [StoreError("the disk is full"), RuntimeError("a fault of ours")])
def test_operations_that_fail_stop_neither_the_probing_nor_later_tries(
    tmp_path: Path, error: Exception
) -> None:
    ward = Ward(tmp_path, "sales")
    ward.freeze("sales")
    ward.operations.error = error
    ward.pass_time(300)
    probes = ward.client.calls["status sales"]

    ward.operations.error = None
    ward.pass_time(300)

    assert ward.begun == [("sales", False)]
    assert ward.client.calls["status sales"] > probes


def test_an_operator_who_steps_in_ends_the_try(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales")
    ward.freeze("sales")
    ward.pass_time(90)

    ward.operations.begin("sales")
    ward.pass_time(5)

    assert ward.healing().outcome == "interrupted"


def test_tries_are_forgotten_when_it_has_been_well_for_ten_minutes(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales")
    ward.freeze("sales")
    ward.pass_time(90)
    ward.thaw("sales")
    ward.operations.end("sales", "connected")
    ward.pass_time(300)
    kept = ward.healing()

    ward.pass_time(400)

    assert kept.tries == 1
    assert ward.healing() == Healing()


def test_a_paused_session_is_never_restarted(tmp_path: Path) -> None:
    ward = Ward(tmp_path, "sales")
    ward.freeze("sales")
    ward.pass_time(30)

    ward.probing.server = server_settings("sales", paused=("sales",), self_healing=True)
    ward.probing.begin("tests[2]")
    ward.pass_time(300)

    assert ward.begun == []
