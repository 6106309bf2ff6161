"""The doctor at the bed of a real core and a simulated gateway with each of the usual faults."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.doctor.diagnosis import Cause, Check, Diagnosis, Result
from core.doctor.examination import examine, examine_unsaved
from core.gateways.wppconnect.contract.credentials import PUBLIC_DEFAULT_SECRET
from core.messages import Message
from core.models import Verdict
from dashboard.text.diagnosis import report
from simulator import Simulator
from tests.plugins.leaks import inspect
from tests.support.live_core import FAST, SECRET, SERVER, SESSION, LiveCore, environment, live_core


def examined(live: LiveCore, session: str | None = SESSION) -> Diagnosis:
    diagnosis = examine(live.core, SERVER, session)
    inspect("the doctor's report", report(str, diagnosis, "1.0"))
    return diagnosis


def results(diagnosis: Diagnosis) -> dict[Check, Result]:
    return {one.check: one.result for one in diagnosis.results}


def test_every_question_passes_for_a_session_that_is_well(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    told: list[Diagnosis] = []

    diagnosis = examine(live.core, SERVER, SESSION, tell=told.append)

    assert diagnosis.cause is Cause.WELL
    assert list(results(diagnosis)) == [
        check for check in Check if check not in (Check.QR_LIVE, Check.END_TO_END)
    ]
    assert set(results(diagnosis).values()) == {Result.PASSED}
    assert [len(one.results) for one in told] == [1, 2, 3, 4, 5, 6, 7, 7]
    assert all(
        one.seconds > 0
        for one in diagnosis.results
        if one.check is not Check.SESSION_STATE and not one.detail
    )


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({}, Cause.WELL),
        ({"secret_key": "another-secret-key-1"}, Cause.SECRET_WRONG),
        ({"url": "http://127.0.0.1:9"}, Cause.UNREACHABLE),
    ],
    ids=["well", "another key", "another address"],
)
def test_settings_that_are_not_saved_are_tried_and_leave_nothing(
    live: LiveCore, fields: dict[str, str], cause: Cause
) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    source, store, subject = live.core.settings, live.core.store, f"tokens.{SERVER}"
    settings = source.preview(source.saved().with_server(SERVER, **fields))
    before = store.read_all(subject)

    diagnosis = examine_unsaved(live.core, settings, SERVER)

    assert diagnosis.cause is cause
    assert store.read_all(subject) == before
    assert source.current().revision == 0


def test_a_session_that_was_never_paired(live: LiveCore) -> None:
    live.await_verdict(Verdict.DISCONNECTED)

    assert examined(live).cause is Cause.NEVER_PAIRED


def test_a_live_code_waits_and_an_expired_one_is_named(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    live.await_verdict(Verdict.WAITING_FOR_QR)

    waiting = examined(live)
    live.await_outcome()
    expired = examined(live)

    assert waiting.cause is Cause.WAITING_FOR_SCAN
    assert results(waiting)[Check.QR_LIVE] is Result.PASSED
    # The simulator ends an attempt after 6 s.
    assert expired.cause is Cause.ATTEMPT_TOO_SHORT


def test_a_dead_browser(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    live.simulator.kill_browser(SESSION)

    assert examined(live).cause is Cause.BROWSER_DEAD


def test_a_frozen_page(gateway: Simulator, tmp_path: Path) -> None:
    limit = {"WPPCONNECT_TIMEOUT_CHECK_CONNECTION_SECONDS": "1"}
    with live_core(gateway, tmp_path, **limit) as live:
        gateway.pair(SESSION)
        live.await_verdict(Verdict.CONNECTED)
        gateway.freeze(SESSION)

        assert examined(live).cause is Cause.PAGE_FROZEN


def test_a_page_without_a_network_is_found_by_who_asks_whatsapp(gateway: Simulator, tmp_path: Path) -> None:
    with live_core(gateway, tmp_path, WPPCONNECT_TIMEOUT_END_TO_END_SECONDS="1") as live:
        gateway.pair(SESSION)
        live.await_verdict(Verdict.CONNECTED)
        whole = examine(live.core, SERVER, SESSION, asks_whatsapp=True)
        gateway.lose_network(SESSION)

        usual = examined(live)
        lost = examine(live.core, SERVER, SESSION, asks_whatsapp=True)

    assert results(whole)[Check.END_TO_END] is Result.PASSED
    assert usual.cause is Cause.WELL
    assert lost.cause is Cause.WHATSAPP_NOT_REACHED


def test_an_unlinked_phone(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    live.simulator.unlink(SESSION)
    live.await_verdict(Verdict.DISCONNECTED)

    assert examined(live).cause is Cause.UNLINKED


def test_a_secret_that_is_right_again_is_used_at_once(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    live.simulator.change_secret("another secret for a while")
    live.await_verdict(Verdict.UNAUTHORIZED)
    refused = examined(live)
    live.simulator.change_secret(SECRET)

    mended = examined(live)

    assert refused.cause is Cause.SECRET_WRONG
    assert mended.cause is Cause.WELL


def test_a_gateway_that_is_down(live: LiveCore) -> None:
    live.simulator.stop_gateway()

    diagnosis = examined(live)

    assert diagnosis.cause is Cause.UNREACHABLE
    assert list(results(diagnosis)) == [Check.REACHABLE]


def test_a_gateway_that_ignores_its_secret_key(tmp_path: Path) -> None:
    with (
        Simulator(secret_key=PUBLIC_DEFAULT_SECRET, times=FAST, sessions=[SESSION]) as gateway,
        live_core(gateway, tmp_path, WPPCONNECT_SECRET_KEY=SECRET) as live,
    ):
        diagnosis = examined(live)

    assert diagnosis.cause is Cause.SECRET_IGNORED
    assert "--secretKey" in report(str, diagnosis, "1.0")


def test_another_secret_key(gateway: Simulator, tmp_path: Path) -> None:
    with live_core(gateway, tmp_path, WPPCONNECT_SECRET_KEY="another-secret-of-32-characters!") as live:
        assert examined(live).cause is Cause.SECRET_WRONG


def test_a_gateway_without_a_session_in_question(live: LiveCore) -> None:
    diagnosis = examined(live, None)

    assert diagnosis.cause is Cause.WELL
    assert list(results(diagnosis))[-1] is Check.TOKEN_ACCEPTED
    assert report(str, diagnosis, "1.0").endswith("No problem found on the gateway.")
    assert diagnosis.hint is None


def test_what_its_release_was_built_with_is_a_hint_and_no_cause(tmp_path: Path) -> None:
    with (
        Simulator(secret_key=SECRET, times=FAST, paired=[SESSION], version="2.10.4") as gateway,
        live_core(gateway, tmp_path) as live,
    ):
        live.await_verdict(Verdict.CONNECTED)
        diagnosis = examined(live)

    assert diagnosis.cause is Cause.WELL
    assert diagnosis.hint is not None
    assert diagnosis.hint.id == "gateway.web_version_expired"
    assert str(diagnosis.hint) in report(str, diagnosis, "1.0")


def test_a_session_that_is_not_configured(live: LiveCore) -> None:
    assert examined(live, "elsewhere").cause is Cause.NOT_CONFIGURED


def run_doctor(variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "doctor", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])} | variables,
        cwd=variables["WPPCONNECT_DATA_DIR"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    inspect("wppconnect-ops doctor", done.stdout + done.stderr)
    return done


def test_from_the_command_line(gateway: Simulator, tmp_path: Path) -> None:
    variables = environment(gateway, tmp_path)
    gateway.pair(SESSION)

    well = run_doctor(variables)
    gateway.stop_gateway()
    ill = run_doctor(variables, SESSION)

    assert (well.returncode, ill.returncode) == (0, 1)
    assert "ok       WhatsApp in the gateway's browser answers" in well.stdout
    assert well.stdout.rstrip().endswith("check the application that receives them.")
    assert "fail     The gateway does not answer" in ill.stdout
    assert str(Message("transport.refused")) in ill.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["a:b"], "use 1 to 71 letters, digits, '_' or '-'", id="a name that breaks tokens"),
        pytest.param(["other"], "configured are: main: sales", id="a session that is not configured"),
        pytest.param(["--server", "other"], "servers: main", id="a server that is not configured"),
    ],
)
def test_what_cannot_be_examined_is_refused_with_the_remedy(
    gateway: Simulator, tmp_path: Path, arguments: list[str], told: str
) -> None:
    done = run_doctor(environment(gateway, tmp_path), *arguments)

    assert done.returncode == 2
    assert told in done.stderr
