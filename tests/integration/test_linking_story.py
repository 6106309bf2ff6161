"""What the gateway says while a phone is being linked, and what is shown instead (contract, section 6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cli.pairing_view import DOUBTFUL, frame
from core.handoffs import Handoff
from core.models import Reason, SessionSnapshot, SessionState, Verdict
from core.reasons import Loss
from dashboard.formatting import LocaleFormatter
from dashboard.handoff.view import build_state
from simulator import Simulator, Times
from tests.plugins.leaks import keep_secret
from tests.support.live_core import FAST, NUMBER, SECRET, SERVER, SESSION, LiveCore, live_core
from tests.support.stack import Stack, free_port, stack
from tests.support.waiting import until

TOKEN = "a-token-of-the-webhook-4f1d"
USUAL_LIFE = replace(FAST, qr_first=60.0, qr_next=20.0, auto_close=60.0, spurious_disconnect=3.0)
"""Codes live as long as on a real gateway, and the wrong word comes once they have been seen."""


@contextmanager
def told_by_webhook(directory: Path, times: Times = USUAL_LIFE) -> Iterator[tuple[LiveCore, Stack]]:
    """A core of ours, and beside it an exporter that receives the gateway's webhook."""
    port = free_port()
    keep_secret("webhook token", [TOKEN])
    url = f"http://127.0.0.1:{port}/webhook/{TOKEN}"
    with (
        Simulator(secret_key=SECRET, times=times, sessions=[SESSION], webhook_url=url) as gateway,
        stack(gateway, directory, EXPORTER_WEBHOOK_TOKEN=TOKEN, WPPCONNECT_SESSIONS=SESSION) as product,
        live_core(gateway, directory / "data") as live,
    ):
        product.start_exporter(port=port)
        yield live, product


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveCore]:
    """A core that watches a gateway whose codes live as long as usual."""
    with (
        Simulator(secret_key=SECRET, times=USUAL_LIFE, sessions=[SESSION]) as gateway,
        live_core(gateway, tmp_path) as running,
    ):
        yield running


def show_a_code(live: LiveCore) -> SessionSnapshot:
    """Begin to pair until a QR code is shown."""
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    return live.await_verdict(Verdict.WAITING_FOR_QR)


def await_new_looks(live: LiveCore, *, count: int = 3) -> SessionSnapshot:
    """Wait until the session has been probed so often again."""
    looks = {live.session().observed_at}

    def looked_again() -> bool:
        live.core.monitor.watch(SERVER, SESSION)
        looks.add(live.session().observed_at)
        return len(looks) > count

    until(looked_again, seconds=60, what="new looks")
    return live.session()


def uptime_seconds(live: LiveCore) -> float:
    """Return the gateway's uptime as it was last seen."""
    gateway = live.core.monitor.snapshot().server(SERVER)
    return (gateway.uptime_seconds if gateway else None) or 0.0


def connected_since_restart(live: LiveCore) -> bool:
    """Return whether the session has been seen connected since the gateway's restart."""
    live.core.monitor.watch(SERVER, SESSION)
    gateway = live.core.monitor.snapshot().server(SERVER)
    restarted_at, seen = gateway.restarted_at if gateway else None, live.session()
    if restarted_at is None or seen.last_connected is None:
        return False
    return seen.verdict == Verdict.CONNECTED and seen.last_connected > restarted_at


@pytest.mark.both_generations
def test_a_code_is_shown_although_the_gateway_calls_the_session_closed(live: LiveCore) -> None:
    live.simulator.set_fault("spurious_disconnect", session=SESSION)
    shown = show_a_code(live)
    until(lambda: live.simulator.state(SESSION)["status"] == "CLOSED", what="the wrong word")

    during = await_new_looks(live)
    live.simulator.scan(SESSION)

    assert (during.verdict, during.reason, during.qr) == (Verdict.WAITING_FOR_QR, Reason.NONE, shown.qr)
    assert live.await_outcome().code == "connected"
    assert live.counted("start-session") == 1


@pytest.mark.both_generations
def test_a_pairing_code_is_waited_for_although_the_gateway_calls_the_session_closed(live: LiveCore) -> None:
    live.simulator.set_fault("spurious_disconnect", session=SESSION)
    live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER, wipe_webhook=True)
    code = live.await_step("waiting_for_code_entry").pairing_code
    live.await_verdict(Verdict.WAITING_FOR_CODE)
    until(lambda: live.simulator.state(SESSION)["status"] == "CLOSED", what="the wrong word")

    during = await_new_looks(live)
    live.simulator.enter_code(SESSION, str(code))

    assert (during.verdict, during.reason) == (Verdict.WAITING_FOR_CODE, Reason.NONE)
    assert live.await_outcome().code == "connected"


@pytest.mark.parametrize(
    ("seconds", "doubts"), [pytest.param(59, False, id="within"), pytest.param(60, True, id="after")]
)
def test_a_browser_that_does_not_come_up_is_doubted_after_a_minute(
    live: LiveCore, seconds: int, doubts: bool
) -> None:
    live.simulator.set_fault("launch_error", session=SESSION)
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    pairing = live.await_step("waiting_for_browser")
    seen = live.await_verdict(Verdict.STARTING)
    # The clock of who looks. The gateway says the same however long one waits (contract, section 6).
    later = pairing.step_since + timedelta(seconds=seconds)
    link = Handoff(
        id="0" * 16,
        server=SERVER,
        session=SESSION,
        maker="ana",
        made_at=pairing.started_at,
        expires_at=later + timedelta(minutes=10),
        token_hash="x",
    )

    terminal = frame(pairing, seen, later, columns=1000, rows=60)
    handed_on = build_state(LocaleFormatter(now=later), link, seen, pairing)

    assert seen.state == SessionState.INITIALIZING
    assert pairing.start_is_doubtful(later) is doubts
    assert (DOUBTFUL in terminal) is doubts
    assert ("contact ana" in handed_on["detail"]) is doubts


def test_the_webhook_takes_a_code_away_whose_browser_is_gone(tmp_path: Path) -> None:
    with told_by_webhook(tmp_path) as (live, _):
        live.simulator.set_fault("spurious_disconnect", session=SESSION)
        show_a_code(live)
        until(lambda: live.simulator.state(SESSION)["status"] == "CLOSED", what="the wrong word")
        await_new_looks(live)

        live.simulator.kill_browser(SESSION)

        closed = live.await_verdict(Verdict.DISCONNECTED)
    assert (closed.reason, closed.qr) == (Reason.CODE_EXPIRED, None)


@pytest.mark.both_generations
def test_a_phone_that_is_not_linked_after_a_good_scan_has_used_its_code(tmp_path: Path) -> None:
    with told_by_webhook(tmp_path, replace(USUAL_LIFE, sync=8.0)) as (live, _):
        live.simulator.set_fault("sync_failure", session=SESSION)
        show_a_code(live)

        live.simulator.scan(SESSION)

        assert live.await_verdict(Verdict.LINKING).reason == Reason.CODE_SCANNED
        closed = live.await_verdict(Verdict.DISCONNECTED)
        assert closed.reason == Reason.LINK_NOT_COMPLETED
        assert live.await_outcome().code == "link_not_completed"
        assert live.counted("start-session") == 1


def test_a_pairing_code_that_the_webhook_replaces_is_replaced_on_the_screen(tmp_path: Path) -> None:
    with told_by_webhook(tmp_path, replace(USUAL_LIFE, code_life=4.0)) as (live, _):
        live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER, wipe_webhook=True)
        first = live.await_step("waiting_for_code_entry").pairing_code

        until(lambda: live.operation().pairing_code != first, seconds=60, what="the next code")
        # The phone takes the newest code alone.
        until(lambda: live.operation().pairing_code == live.simulator.pairing_code(SESSION), seconds=60)
        live.simulator.enter_code(SESSION, str(live.operation().pairing_code))

        assert live.await_outcome().code == "connected"


def test_a_session_that_the_gateway_never_knew_has_no_webhook_to_lose(tmp_path: Path) -> None:
    with Simulator(secret_key=SECRET, times=USUAL_LIFE) as gateway, live_core(gateway, tmp_path) as live:
        until(lambda: live.session().is_listed is False, seconds=60, what="the gateway's list")

        live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER)

        assert live.await_step("waiting_for_code_entry").pairing_code


@pytest.mark.both_generations
def test_a_phone_that_is_unlinked_after_a_restart_is_no_restart(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    # A restart shows by an uptime that has shrunk.
    until(lambda: uptime_seconds(live) > 5, seconds=60, what="an uptime that can shrink")
    live.simulator.restart_gateway()
    until(lambda: connected_since_restart(live), seconds=60, what="connected since the restart")
    before = dict(live.session().disconnects)

    live.simulator.unlink(SESSION)

    lost = live.await_verdict(Verdict.DISCONNECTED)
    counted = {name: count - before.get(name, 0) for name, count in lost.disconnects.items()}
    assert (lost.reason, lost.lost_reason) == (Reason.CLOSED_ON_GATEWAY, Reason.CLOSED_ON_GATEWAY)
    assert {name for name, count in counted.items() if count} == {Loss.CLOSED.value}
