"""Self-healing: which session is restarted, when, and when no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.messages.operation import OUTCOMES
from core.models import EndToEnd, Healing, Reason, ServerSnapshot, SessionSnapshot, Verdict
from core.monitor.self_healing import Healed, begun, choose, due_at, ended, follow
from tests.support.snapshots import server_snapshot

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UNTRIED = Healing()


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def tried(tries: int, minutes: float = 0, outcome: Healed = Healed.FAILED) -> Healing:
    """Say that the latest of so many tries ended then."""
    return Healing(tries=tries, tried_at=at(minutes - 1), ended_at=at(minutes), outcome=outcome)


def session(name: str = "sales", verdict: Verdict = Verdict.UNRESPONSIVE, **fields: Any) -> SessionSnapshot:
    known = {
        "server": "main",
        "session": name,
        "enabled": True,
        "verdict": verdict,
        "reason": Reason.PAGE_NOT_ANSWERING,
        "since": T0,
        "ever_connected": True,
        "lost_at": None if verdict == Verdict.CONNECTED else T0,
        "lost_reason": Reason.NONE if verdict == Verdict.CONNECTED else Reason.PAGE_NOT_ANSWERING,
        "healing": UNTRIED,
    }
    return SessionSnapshot(**(known | fields))


def gateway(**fields: Any) -> ServerSnapshot:
    return server_snapshot(at=T0, **({"started_at": T0 - timedelta(days=1)} | fields))


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        pytest.param({}, at(1), id="first after a minute"),
        pytest.param({"verdict": Verdict.STUCK}, at(1), id="stuck"),
        pytest.param({"healing": tried(1, 5)}, at(7), id="again after two minutes"),
        pytest.param({"healing": tried(2, 5)}, at(9), id="and after four"),
        pytest.param({"healing": tried(1, -60)}, at(1), id="a try before it came back"),
        pytest.param(
            {"verdict": Verdict.DISCONNECTED, "healing": tried(1, 5)}, at(7), id="closed by a try that failed"
        ),
        pytest.param({"healing": tried(3)}, None, id="three tries"),
        pytest.param({"healing": begun(UNTRIED, T0)}, None, id="a try runs"),
        pytest.param({"healing": tried(1, 0, Healed.NEEDS_PAIRING)}, None, id="it needs a phone"),
        pytest.param({"healing": None}, None, id="switched off"),
        pytest.param({"enabled": False}, None, id="paused"),
        pytest.param({"lost_at": None}, None, id="never connected"),
        pytest.param({"lost_reason": Reason.CLOSED_ON_GATEWAY}, None, id="unlinked"),
        pytest.param({"lost_reason": Reason.LOGGED_OUT_BY_OPERATOR}, None, id="logged out"),
        pytest.param({"lost_reason": Reason.CLOSED_BY_OPERATOR}, None, id="closed by somebody"),
        pytest.param({"verdict": Verdict.DISCONNECTED}, None, id="disconnected"),
        pytest.param(
            {
                "verdict": Verdict.DISCONNECTED,
                "reason": Reason.CLOSED_ON_GATEWAY,
                "healing": tried(1),
            },
            None,
            id="unlinked after a try",
        ),
        pytest.param(
            {"verdict": Verdict.DISCONNECTED, "healing": tried(1, 0, Healed.CONNECTED)},
            None,
            id="lost after a try that worked",
        ),
        pytest.param({"verdict": Verdict.WAITING_FOR_QR}, None, id="waiting for a scan"),
        pytest.param({"verdict": Verdict.WAITING_FOR_CODE}, None, id="waiting for a code"),
        pytest.param({"verdict": Verdict.LINKING}, None, id="a phone is being linked"),
        pytest.param(
            {"verdict": Verdict.UNRESPONSIVE, "lost_reason": Reason.LINK_NOT_COMPLETED},
            None,
            id="a phone was not linked",
        ),
        pytest.param({"verdict": Verdict.STARTING}, None, id="starting"),
        pytest.param({"verdict": Verdict.UNREACHABLE}, None, id="gateway away"),
        pytest.param({"verdict": Verdict.UNAUTHORIZED}, None, id="token refused"),
        pytest.param({"verdict": Verdict.UNKNOWN}, None, id="unknown"),
        pytest.param({"verdict": Verdict.CONNECTED}, None, id="connected"),
    ],
)
def test_when_a_session_is_due(fields: dict[str, Any], due: datetime | None) -> None:
    assert due_at(session(**fields)) == due


def test_the_one_that_waits_longest_comes_first() -> None:
    sessions = [session("late", since=at(-1)), session("early", since=at(-9)), session("fine", healing=None)]

    assert choose(gateway(), sessions, at(2)) == "early"
    assert choose(gateway(), sessions[:1], T0 - timedelta(seconds=1)) is None


def test_one_at_a_time() -> None:
    trying = session("support", healing=begun(UNTRIED, T0))

    assert choose(gateway(), [session(), trying], at(5)) is None


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        pytest.param({}, "sales", id="up for long"),
        pytest.param({"up": False}, None, id="down"),
        pytest.param({"up": None}, None, id="unknown"),
        pytest.param({"started_at": at(3.1)}, None, id="started just now"),
        pytest.param({"restarted_at": at(3.1)}, None, id="restarted just now"),
        pytest.param({"started_at": at(2.9), "restarted_at": at(2.9)}, "sales", id="two minutes later"),
        pytest.param({"started_at": None}, "sales", id="a release that does not tell"),
    ],
)
def test_the_gateway_has_to_be_there_and_at_rest(fields: dict[str, Any], chosen: str | None) -> None:
    assert choose(gateway(**fields), [session()], at(5)) == chosen


@pytest.mark.parametrize(
    ("others", "chosen"),
    [
        pytest.param([], "sales", id="the only session"),
        pytest.param([EndToEnd(checked_at=T0, passed_at=T0)], "sales", id="another one passes"),
        pytest.param([EndToEnd(checked_at=T0, failures=1)], None, id="none passes"),
        pytest.param([EndToEnd()], "sales", id="another one was not checked"),
    ],
)
def test_lost_network_of_the_whole_gateway_is_not_cured_by_restarts(
    others: list[EndToEnd], chosen: str | None
) -> None:
    failed = EndToEnd(checked_at=T0, failures=2)
    lost = session(reason=Reason.WHATSAPP_NOT_ANSWERING, end_to_end=failed)
    rest = [session(f"s{place}", Verdict.CONNECTED, end_to_end=one) for place, one in enumerate(others)]

    assert choose(gateway(), [lost, *rest], at(5)) == chosen


def test_tries_are_counted_but_for_those_that_were_not_needed() -> None:
    second = ended(begun(tried(1), at(7)), Healed.FAILED, at(9))
    spared = ended(begun(tried(1), at(7)), Healed.NOT_NEEDED, at(9))

    assert (second.tries, second.tried_at, second.ended_at) == (2, at(7), at(9))
    assert spared.tries == 1


@pytest.mark.parametrize(
    ("one", "minutes", "healing"),
    [
        pytest.param(session(healing=tried(2)), 99, tried(2), id="the outage lasts"),
        pytest.param(session(verdict=Verdict.CONNECTED, healing=tried(2)), 9, tried(2), id="just back"),
        pytest.param(session(verdict=Verdict.CONNECTED, healing=tried(2)), 10, UNTRIED, id="back for good"),
        pytest.param(
            session(verdict=Verdict.CONNECTED, healing=tried(1, 0, Healed.NEEDS_PAIRING)),
            0,
            UNTRIED,
            id="paired anew",
        ),
        pytest.param(
            session(verdict=Verdict.WAITING_FOR_QR, healing=tried(1)),
            0,
            tried(1, 0, Healed.NEEDS_PAIRING),
            id="asks for a phone",
        ),
        pytest.param(
            session(verdict=Verdict.LINKING, healing=tried(1)),
            0,
            tried(1, 0, Healed.NEEDS_PAIRING),
            id="links a phone",
        ),
        pytest.param(
            session(verdict=Verdict.WAITING_FOR_QR, lost_at=None), 0, UNTRIED, id="asks for its first phone"
        ),
        pytest.param(session(verdict=Verdict.PAUSED, healing=tried(3)), 0, UNTRIED, id="paused"),
        pytest.param(session(healing=begun(UNTRIED, T0)), 99, begun(UNTRIED, T0), id="a try runs"),
        pytest.param(session(healing=None), 0, None, id="switched off"),
    ],
)
def test_what_is_remembered_of_tries(one: SessionSnapshot, minutes: float, healing: Healing | None) -> None:
    assert follow(one, at(minutes)) == healing


@pytest.mark.parametrize(
    ("code", "healed"),
    [
        ("connected", Healed.CONNECTED),
        ("needs_pairing", Healed.NEEDS_PAIRING),
        ("already_connected", Healed.NOT_NEEDED),
        ("not_needed", Healed.NOT_NEEDED),
        ("gave_way", Healed.INTERRUPTED),
        ("stopped", Healed.INTERRUPTED),
        ("start_failed", Healed.FAILED),
        ("stuck", Healed.FAILED),
        ("timed_out", Healed.FAILED),
    ],
)
def test_ends_are_summed_up(code: str, healed: Healed) -> None:
    assert code in OUTCOMES
    assert Healed.of(code) == healed
