from __future__ import annotations

import asyncio
import json
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from core.models import Problem, Reason, SessionState, Verdict
from core.settings.values import ServerSettings, SessionSettings, Settings
from exporter.exposition import Format
from exporter.probe import (
    POLL_SECONDS,
    Prober,
    ProbeResult,
    budget_seconds,
    monitored_sessions,
    probe_body,
    targets,
)
from tests.support.waiting import until

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


class World:
    """A Snapshot of one session that changes when a probe is triggered, if the test says how."""

    def __init__(self, make_snapshot, make_server, session, noon):
        self._make = lambda: make_snapshot(make_server(self.session))
        self.session = session
        self.noon = noon
        self.triggered = []
        self.after_trigger = None
        self.reads = 0

    def prober(self):
        return Prober(read_snapshot=self.read, trigger=self.trigger, now=lambda: self.noon)

    def read(self):
        self.reads += 1
        return self._make()

    def trigger(self, server, session):
        self.triggered.append((server, session))
        if self.after_trigger is not None:
            self.session = self.after_trigger

    def probe(self, seconds=5.0):
        return asyncio.run(self.prober().probe("main", "sales", seconds=seconds))


@pytest.fixture
def world(make_snapshot, make_server, make_session, noon):
    return World(make_snapshot, make_server, make_session(state=SessionState.CONNECTED), noon)


def seen(world, verdict=Verdict.CONNECTED, **fields):
    """The session as it is known after a probe that began and ended after noon."""
    moment = world.noon + timedelta(seconds=1)
    usual = {"probe_started_at": moment, "observed_at": moment, "page_checked_at": moment}
    return world.session.model_copy(update=usual | {"verdict": verdict} | fields)


def test_connected_session_whose_page_answered_since_is_a_success(world):
    world.after_trigger = seen(world)

    result = world.probe()

    assert world.triggered == [("main", "sales")]
    assert (result.is_success, result.is_answered) == (True, True)


@pytest.mark.parametrize(
    ("verdict", "fields"),
    [
        (Verdict.DISCONNECTED, {"state": SessionState.CLOSED, "page_checked_at": None}),
        (Verdict.WAITING_FOR_QR, {"state": SessionState.QRCODE, "page_checked_at": None}),
        (Verdict.UNRESPONSIVE, {"page_checked_at": None}),
        (Verdict.UNREACHABLE, {"page_checked_at": None, "problem": "ConnectError"}),
    ],
)
def test_any_other_verdict_is_no_success(world, noon, verdict, fields):
    if "problem" in fields:
        fields = fields | {"problem": Problem(kind=fields["problem"], message="nobody listens", at=noon)}
    world.after_trigger = seen(world, verdict, **fields)

    result = world.probe()

    assert (result.is_success, result.session.verdict) == (False, verdict)


def test_old_news_are_not_taken_for_an_answer(world):
    result = world.probe(seconds=0.2)

    assert (result.is_success, result.is_answered) == (False, False)
    assert (result.session.verdict, result.session.reason) == (Verdict.UNKNOWN, Reason.GATEWAY_TIMEOUT)
    assert result.seconds >= 0.2


@pytest.mark.parametrize("verdict", [Verdict.CONNECTED, Verdict.STARTING])
def test_page_that_did_not_answer_since_leaves_it_open(world, noon, verdict):
    world.after_trigger = seen(world, verdict, page_checked_at=noon - timedelta(seconds=3))

    result = world.probe(seconds=0.2)

    assert (result.is_success, result.session.verdict) == (False, Verdict.UNKNOWN)
    assert result.session.reason is Reason.PAGE_NOT_ANSWERING


def test_session_that_is_not_configured_is_none(world):
    assert asyncio.run(world.prober().probe("main", "other", seconds=1)) is None
    assert world.triggered == []


def test_paused_session_is_not_asked_and_no_success_or_failure(world, make_session):
    world.session = make_session(verdict=Verdict.PAUSED)

    result = world.probe()

    assert (result.is_success, world.triggered) == (None, [])


def test_parallel_askers_share_one_probe(world):
    async def story():
        prober = world.prober()
        asking = [asyncio.create_task(prober.probe("main", "sales", seconds=5)) for _ in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        world.session = seen(world)
        return await asyncio.gather(*asking)

    results = asyncio.run(story())

    assert world.triggered == [("main", "sales")]
    assert all(result.is_success for result in results)
    assert world.reads < 50 + 20


def test_who_has_less_time_does_not_end_the_probe_of_the_others(world):
    async def story():
        prober = world.prober()
        patient = asyncio.create_task(prober.probe("main", "sales", seconds=5))
        hasty = await prober.probe("main", "sales", seconds=0.05)
        world.session = seen(world)
        return hasty, await patient

    hasty, patient = asyncio.run(story())

    assert (hasty.is_answered, patient.is_success) == (False, True)
    assert len(world.triggered) == 1


def test_second_probe_after_the_first_one_asks_again(world):
    async def story():
        prober = world.prober()
        world.after_trigger = seen(world)
        await prober.probe("main", "sales", seconds=5)
        await prober.probe("main", "sales", seconds=5)

    asyncio.run(story())

    assert len(world.triggered) == 2


def test_unreadable_snapshot_reaches_everybody_who_waits(world):
    async def story():
        prober = world.prober()
        asking = [asyncio.create_task(prober.probe("main", "sales", seconds=5)) for _ in range(2)]
        await asyncio.sleep(0)
        world._make = lambda: 1 / 0
        return await asyncio.gather(*asking, return_exceptions=True)

    assert [type(one) for one in asyncio.run(story())] == [ZeroDivisionError] * 2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 9.5),
        ("", 9.5),
        ("soon", 9.5),
        ("nan", 9.5),
        ("inf", 9.5),
        ("-3", 9.5),
        ("0", 9.5),
        ("10", 9.5),
        ("15.000000", 14.5),
        ("2.5", 2.0),
        ("0.6", 0.3),
        ("3600", 60.0),
    ],
)
def test_budget_is_the_scrape_timeout_minus_the_way_back(header, seconds):
    assert budget_seconds(header) == pytest.approx(seconds)


@pytest.mark.parametrize("form", list(Format))
def test_answer_is_the_outcome_and_the_session_without_the_labels_of_the_target(make_session, form):
    body = probe_body(ProbeResult(make_session(), NOON, is_answered=True, seconds=0.0123), form).decode()

    assert body.startswith("# HELP probe_success ")
    assert "\nprobe_success 1.0\n" in body
    assert "\nprobe_duration_seconds 0.0123\n" in body
    assert "\nwppconnect_session_connected 1.0\n" in body
    assert '\nwppconnect_session_state{state="connected"} 1.0\n' in body
    assert '\nwppconnect_auth_failures_total{reason="token_rejected"} 0.0\n' in body
    assert "session=" not in body


def test_answer_is_valid_openmetrics(make_session):
    result = ProbeResult(make_session(), NOON, is_answered=False, seconds=9.5)

    families = list(parse_openmetrics(probe_body(result, Format.OPENMETRICS).decode()))

    assert families[0].samples[0].value == 0


def test_paused_session_has_neither_success_nor_connected(make_session):
    result = ProbeResult(make_session(verdict=Verdict.PAUSED), NOON, is_answered=True, seconds=0)

    body = probe_body(result, Format.TEXT).decode()

    assert "\nprobe_success " not in body
    assert "\nwppconnect_session_connected " not in body
    assert '\nwppconnect_session_state{state="paused"} 1.0\n' in body


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?server=main", 400),
        ("?session=sales", 400),
        ("?server=main&server=main&session=sales", 400),
        ("?server=main&session=", 400),
        ("?server=main&session=stranger", 404),
        ("?server=stranger&session=sales", 404),
        ("?server=main&session=sales" + "&a=b" * 50, 400),
        ("?server=%ff&session=sales", 404),
        ("?target=http://169.254.169.254/", 400),
    ],
)
def test_only_one_configured_session_can_be_asked_for(ask, scenario, query, status):
    assert ask(lambda: scenario("healthy"))(f"/probe{query}")[0] == status


def test_path_answers_within_the_scrape_timeout(ask, scenario):
    request = ask(lambda: scenario("healthy"))

    status, headers, body = request(
        "/probe?server=main&session=sales", headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.4"}
    )

    assert (status, headers["content-type"]) == (200, Format.TEXT.value)
    assert b"\nprobe_success 0.0\n" in body


def test_nothing_waits_for_an_answer_that_nobody_wants_any_more(serve, make_app, world):
    request = b"GET /probe?server=main&session=sales HTTP/1.1\r\nHost: a\r\n"
    address = serve(make_app(world.read, trigger=world.trigger))

    with socket.create_connection(address, timeout=60) as client:
        client.sendall(request + b"X-Prometheus-Scrape-Timeout-Seconds: 60\r\n\r\n")
        until(lambda: world.reads > 2, what="a probe that is awaited")

    def is_at_rest():
        before = world.reads
        threading.Event().wait(4 * POLL_SECONDS)
        return world.reads == before

    until(is_at_rest, what="the end of the waiting")
    assert world.triggered == [("main", "sales")]


SETTINGS = Settings(
    revision=0,
    servers=(
        ServerSettings(
            name="main",
            url="http://127.0.0.1:21465",
            sessions=(SessionSettings(name="sales"), SessionSettings(name="night", enabled=False)),
        ),
        ServerSettings(name="off", url="http://a", enabled=False, sessions=(SessionSettings(name="idle"),)),
        ServerSettings(name="empty", url="http://b"),
    ),
)


def test_only_what_is_not_paused_is_monitored():
    assert list(monitored_sessions(SETTINGS)) == [("main", "sales")]


def test_target_leads_to_the_probe_of_one_session():
    assert targets(SETTINGS, "exporter:21466", is_tls=False) == [
        {
            "targets": ["exporter:21466"],
            "labels": {
                "__metrics_path__": "/probe",
                "__param_server": "main",
                "__param_session": "sales",
                "server": "main",
                "session": "sales",
            },
        }
    ]


def test_target_of_an_exporter_that_serves_tls_says_so():
    [target] = targets(SETTINGS, "exporter:21466", is_tls=True)

    assert target["labels"]["__scheme__"] == "https"


def test_path_answers_with_the_address_that_was_asked(ask, scenario):
    status, headers, body = ask(lambda: scenario("healthy"), read_settings=lambda: SETTINGS)(
        "/sd", headers={"Host": "exporter.internal:8443"}
    )

    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)[0]["targets"] == ["exporter.internal:8443"]


def test_no_sessions_are_an_empty_list(ask, scenario):
    assert ask(lambda: scenario("healthy"))("/sd")[2] == b"[]"


@pytest.mark.parametrize("host", ["", "a b", "exporter/../x", 'x"y'])
def test_impossible_host_is_refused(ask, scenario, host):
    status, _, _ = ask(lambda: scenario("healthy"), read_settings=lambda: SETTINGS)(
        "/sd", headers={"Host": host}
    )

    assert status == 400
