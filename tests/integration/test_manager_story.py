"""A gateway of the generation that speaks the manager protocol, and one that changes generation."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli.main import main
from core.messages.operation import OUTCOMES
from core.models import ServerSnapshot, Verdict
from simulator import Simulator
from tests.support.live_core import FAST, SECRET, SERVER, SESSION, LiveCore, environment, live_core
from tests.support.waiting import until

OLD, NEW = "2.10.4", "2.11.0"


@pytest.fixture(params=[OLD, NEW])
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveCore]:
    """A core that watches a gateway of one generation, whose tokens the gateway makes."""
    with (
        Simulator(secret_key=SECRET, times=FAST, sessions=[SESSION], version=request.param) as gateway,
        live_core(gateway, tmp_path, WPPCONNECT_TOKEN_SOURCE="server") as running,
    ):
        yield running


def gateway(live: LiveCore) -> ServerSnapshot:
    found = live.core.monitor.snapshot().server(SERVER)
    assert found is not None
    return found


def offers_removal(live: LiveCore) -> bool:
    return "remove" in gateway(live).capabilities


def routes(live: LiveCore) -> set[str]:
    return {row["route"] for row in live.simulator.requests()["counts"]}


def test_both_generations_pair_lose_and_pair_again(live: LiveCore) -> None:
    for _ in range(2):
        live.core.operations.pair(SERVER, SESSION, actor="ops")
        live.await_verdict(Verdict.WAITING_FOR_QR)
        live.simulator.scan(SESSION)
        assert live.await_outcome().code == "connected"
        live.await_verdict(Verdict.CONNECTED)
        live.simulator.unlink(SESSION)
        live.await_verdict(Verdict.DISCONNECTED)

    assert any("{secretkey}" in route for route in routes(live)) is (
        "all_states" not in gateway(live).capabilities
    )


def test_both_generations_come_back_from_a_restart(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)

    live.simulator.stop_gateway()
    live.await_verdict(Verdict.UNREACHABLE)
    live.simulator.start_gateway()

    live.await_verdict(Verdict.CONNECTED)


def test_a_closed_session_is_removed_for_good_where_the_gateway_offers_that(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    # The older route is asked after the manager protocol.
    until(lambda: gateway(live).secret_key_valid is not None, what="whether the protocol is offered")
    is_offered = offers_removal(live)
    assert ("admin_page" in gateway(live).capabilities) is is_offered
    in_use = live.core.operations.remove(SERVER, SESSION, actor="ops")
    live.core.operations.close(SERVER, SESSION, actor="ops")
    assert live.await_outcome().code == "closed"

    outcome = live.core.operations.remove(SERVER, SESSION, actor="ops")

    assert in_use.code == "remove_refused"
    assert outcome.code == ("removed" if is_offered else "remove_not_offered")
    settings = live.core.settings.current().server(SERVER)
    assert settings is not None
    assert (settings.session(SESSION) is None) is is_offered
    with closing(live.core.client(settings)) as client:
        assert (SESSION in (client.list_sessions() or ())) is not is_offered


@pytest.mark.parametrize(
    ("arguments", "typed", "code", "said", "is_left"),
    [
        pytest.param([], f"{SESSION}\n", 0, OUTCOMES["removed"], False, id="its name is typed"),
        pytest.param([], "sale\n", 1, "Nothing was removed.", True, id="another name is typed"),
        pytest.param([], "", 1, "Nothing was removed.", True, id="nothing is typed"),
        pytest.param(["--yes"], "", 0, OUTCOMES["removed"], False, id="nothing is asked"),
    ],
)
def test_the_command_line_removes_a_closed_session(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    typed: str,
    code: int,
    said: str,
    is_left: bool,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    monkeypatch.chdir(tmp_path)
    with Simulator(secret_key=SECRET, sessions=[SESSION], version=NEW) as simulator:
        environ = environment(simulator, tmp_path)

        assert main(["remove", SESSION, *arguments], environ) == code

        assert said in capsys.readouterr().out
        with live_core(simulator, tmp_path) as live:
            settings = live.core.settings.current().server(SERVER)
            assert settings is not None
            assert (settings.session(SESSION) is not None) is is_left
            with closing(live.core.client(settings)) as client:
                assert (SESSION in (client.list_sessions() or ())) is is_left


@pytest.mark.parametrize(
    ("release", "said"),
    [
        pytest.param(NEW, "removes only a session that is closed", id="in use"),
        pytest.param(OLD, "This gateway cannot remove the session", id="an older release"),
    ],
)
def test_the_command_line_says_why_a_session_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], release: str, said: str
) -> None:
    with Simulator(secret_key=SECRET, paired=[SESSION], version=release) as simulator:
        assert main(["remove", SESSION, "--yes"], environment(simulator, tmp_path)) == 1

        assert simulator.state(SESSION)["status"] == "CONNECTED"
    assert said in capsys.readouterr().out


def test_a_gateway_may_change_generation_while_it_is_watched(tmp_path: Path) -> None:
    with (
        Simulator(secret_key=SECRET, times=FAST, version=OLD, paired=[SESSION]) as simulator,
        live_core(simulator, tmp_path) as live,
    ):
        live.await_verdict(Verdict.CONNECTED)
        for release, offered in ((NEW, True), (OLD, False)):
            # A restart shows by an uptime that has shrunk.
            until(lambda: (gateway(live).uptime_seconds or 0) > 5, what="an uptime that can shrink")
            simulator.change_release(release)
            until(lambda: offers_removal(live) is offered, what=f"the protocol of {release}")  # noqa: B023
            live.await_verdict(Verdict.CONNECTED)

        reached = {entry.data["to"] for entry in live.transitions()}
    # A busy machine may be late with the answer of a page.
    usual = {"connected", "starting", "disconnected", "unreachable", "waiting_for_qr", "unresponsive"}
    assert reached <= usual
    assert "unauthorized" not in reached
