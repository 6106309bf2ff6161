"""A kind of Evolution API's shape behind monitor, operations, doctor, exporter and page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from page_world import FakeSignIns, open_page
from prometheus_client.parser import text_string_to_metric_families

from core.doctor.diagnosis import Cause, Check, Result
from core.doctor.examination import examine
from core.gateways.registry import DEFAULT, KINDS
from core.models import ServerSnapshot, SessionSnapshot, SessionState, Verdict
from core.monitor.probe import PageCheck, probe_session
from core.runtime import Core, open_core
from core.settings.environment import load_environment
from core.settings.values import Timeouts
from dashboard import state
from exporter.exposition import Exposition, Format
from exporter.own_metrics import OwnMetrics
from tests.fakes import FakeClock
from tests.fakes.evolution import SERVERS, EvolutionGateway, EvolutionServer
from tests.support.waiting import until

URL = "http://evolution.example:8080"


@pytest.fixture
def evolution(monkeypatch: pytest.MonkeyPatch) -> Iterator[EvolutionServer]:
    for name in (DEFAULT, "evolution"):
        monkeypatch.setitem(KINDS, name, "tests.fakes.evolution")
    SERVERS[URL] = EvolutionServer("sales", "support")
    yield SERVERS[URL]
    del SERVERS[URL]


@pytest.fixture
def core(evolution: EvolutionServer, sign_ins: FakeSignIns, tmp_path: Path) -> Iterator[Core]:
    evolution.scan("sales")
    environ = {
        "WPPCONNECT_URL": URL,
        "WPPCONNECT_SECRET_KEY": evolution.key,
        "WPPCONNECT_SESSIONS": "sales,support",
        "WPPCONNECT_DATA_DIR": str(tmp_path / "data"),
        "WPPCONNECT_INTERVAL_SECONDS": "1",
    }
    running = open_core(load_environment(environ), program="tests")
    running.monitor.start()
    state.install(running)
    await_verdict(running, "sales", Verdict.CONNECTED)
    yield running
    state.uninstall()
    running.stop()


def gateway(core: Core) -> ServerSnapshot:
    found = core.monitor.snapshot().server("main")
    assert found is not None
    return found


def await_verdict(core: Core, name: str, verdict: Verdict) -> SessionSnapshot:
    def reached() -> SessionSnapshot | None:
        core.monitor.watch("main", name)
        found = core.monitor.snapshot().session("main", name)
        return found if found is not None and found.verdict is verdict else None

    found = until(reached, what=f"{name} {verdict}")
    assert found is not None
    return found


def outcome(core: Core, name: str) -> str:
    def ended() -> str:
        status = core.operations.status("main", name)
        return status.outcome.code if status is not None and status.outcome is not None else ""

    return until(ended, what="the end of the operation") or ""


def test_states_alone_are_the_proof(core: Core) -> None:
    until(lambda: core.monitor.snapshot().session("main", "sales").account, what="the account")  # type: ignore[union-attr]
    support = await_verdict(core, "support", Verdict.DISCONNECTED)

    found = gateway(core)
    sales = next(one for one in found.sessions if one.session == "sales")
    assert (found.kind, found.version, found.up) == ("evolution", "2.3.6", True)
    assert (found.secret_key_valid, found.default_secret) == (True, False)
    assert found.capabilities == ("all_states", "pairing_code", "remove")
    assert sales.account is not None
    assert sales.account.number == "5511900000000"
    assert support.state is SessionState.CLOSED


def test_a_listed_connected_session_costs_no_call(evolution: EvolutionServer) -> None:
    other = EvolutionGateway(URL, evolution.key)

    seen = probe_session(other, "sales", now=FakeClock(), page_check=PageCheck.ONLY)

    assert (seen.state, seen.page_answers, seen.page_unproved) == (SessionState.CONNECTED, True, False)
    assert evolution.calls.total() == 0


def test_a_gateway_that_is_down_and_back(core: Core, evolution: EvolutionServer) -> None:
    evolution.is_down = True
    await_verdict(core, "sales", Verdict.UNREACHABLE)

    evolution.is_down = False
    await_verdict(core, "sales", Verdict.CONNECTED)


def test_a_refused_key(core: Core, evolution: EvolutionServer) -> None:
    evolution.key = "another"

    await_verdict(core, "sales", Verdict.UNAUTHORIZED)

    until(lambda: gateway(core).secret_key_valid is False, what="the refusal")
    assert examine(core, "main", "sales").cause is Cause.SECRET_WRONG


def test_pairing_by_qr_code(core: Core, evolution: EvolutionServer) -> None:
    core.operations.pair("main", "support", actor="ana")
    waiting = await_verdict(core, "support", Verdict.WAITING_FOR_QR)

    assert waiting.qr is not None
    assert (waiting.qr.payload, waiting.qr.life_seconds) == ("2@code-of-support", 45)
    evolution.scan("support")
    assert outcome(core, "support") == "connected"


def test_pairing_by_number(core: Core, evolution: EvolutionServer) -> None:
    begun = core.operations.pair("main", "support", actor="ana", phone="5511900000001")

    def code() -> str | None:
        status = core.operations.status("main", "support")
        return status.pairing_code if status is not None else None

    assert begun.mode == "code"
    assert until(code, what="the code") == "WZYEH1YY"
    evolution.scan("support")
    assert outcome(core, "support") == "connected"


def test_no_pairing_code_is_offered_where_the_gateway_makes_none(
    core: Core, evolution: EvolutionServer
) -> None:
    await_verdict(core, "support", Verdict.DISCONNECTED)
    offered = core.operations.code_obstacle("main", "support")

    evolution.makes_pairing_codes = False

    until(
        lambda: core.operations.code_obstacle("main", "support") == "code_unsupported",
        what="the gateway without pairing codes",
    )
    assert offered is None


@pytest.mark.parametrize(
    ("action", "code"),
    [("start", "already_connected"), ("close", "failed"), ("logout", "logged_out")],
)
def test_operations_end_as_the_kind_says(core: Core, action: str, code: str) -> None:
    getattr(core.operations, action)("main", "sales", actor="ana")

    assert outcome(core, "sales") == code


def test_an_instance_is_deleted(core: Core, evolution: EvolutionServer) -> None:
    removed = core.operations.remove("main", "support", actor="ana")

    assert (removed.code, set(evolution.instances)) == ("removed", {"sales"})


def test_the_doctor_asks_what_there_is(core: Core) -> None:
    await_verdict(core, "support", Verdict.DISCONNECTED)

    well, closed = (examine(core, "main", name, asks_whatsapp=True) for name in ("sales", "support"))

    assert (well.cause, closed.cause) == (Cause.WELL, Cause.NEVER_PAIRED)
    assert {one.check for one in well.results} == {
        Check.REACHABLE,
        Check.VERSION,
        Check.SECRET_ACCEPTED,
        Check.DEFAULT_REFUSED,
        Check.TOKEN_ACCEPTED,
        Check.SESSION_STATE,
    }
    assert {one.result for one in well.results} == {Result.PASSED}


def test_the_exporter_names_the_kind(core: Core) -> None:
    exposition = Exposition(OwnMetrics("1.2.3"))

    body = exposition.body(core.monitor.snapshot(), datetime.now(UTC), Timeouts(), Format.TEXT)

    samples = {
        (one.name, one.labels.get("session", "")): one
        for family in text_string_to_metric_families(body.decode())
        for one in family.samples
    }
    assert samples["wppconnect_session_connected", "sales"].value == 1
    info = samples["wppconnect_server_info", ""].labels
    assert info == {"kind": "evolution", "server": "main", "version": "2.3.6"}


def test_the_page_offers_what_there_is(core: Core) -> None:
    session = open_page("session", server="main", session="sales")
    settings = open_page("settings")

    assert not session.exception
    assert not settings.exception
    buttons = {one.key for one in (*session.button, *settings.button)}
    assert {"restart-more-main-sales", "logout-main-sales", "remove-from-gateway-main-sales"} <= buttons
    assert "close-main-sales" not in buttons
    assert "minutes between two end-to-end checks" not in {
        one.label.lower()[:37] for one in settings.number_input
    }
    assert not [one for one in settings.selectbox if one.label.startswith("Tokens")]
    assert not settings.get("link_button")
