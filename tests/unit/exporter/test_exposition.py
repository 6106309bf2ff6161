from __future__ import annotations

import gzip
import random
from datetime import timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from core.models import Account, Verdict
from core.settings.values import Timeouts
from exporter.exposition import Exposition
from exporter.lines import Family, Format

SCENARIOS = ["healthy", "down", "paused", "unauthorized", "many", "stale"]


def samples(families):
    return sorted(
        (one.name, sorted(one.labels.items()), one.value) for family in families for one in family.samples
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_exposition_equals_its_golden_file(name, scenario, golden, new_exposition, noon, timeouts):
    body = new_exposition().body(scenario(name), noon, timeouts, Format.TEXT)

    assert body.decode() == golden(name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_openmetrics_says_the_same_as_the_text_format(name, scenario, golden, new_exposition, noon, timeouts):
    body = new_exposition().body(scenario(name), noon, timeouts, Format.OPENMETRICS)

    assert samples(parse_openmetrics(body.decode())) == samples(parse_text(golden(name)))


def test_zipped_body_holds_the_same_text(scenario, golden, new_exposition, noon, timeouts):
    body = new_exposition().body(scenario("many"), noon, timeouts, Format.TEXT, zipped=True)

    assert gzip.decompress(body).decode() == golden("many")


def test_same_snapshot_is_answered_with_the_kept_bytes(scenario, noon, timeouts):
    snapshot, exposition = scenario("healthy"), Exposition(version="1", read_process=list, clock=lambda: 0.0)

    first = exposition.body(snapshot, noon, timeouts, Format.TEXT)
    second = exposition.body(snapshot.model_copy(update={"taken_at": noon}), noon, timeouts, Format.TEXT)

    assert second is first


def test_kept_text_expires_with_the_snapshot(scenario, golden, new_exposition, noon, timeouts):
    exposition, snapshot = new_exposition(), scenario("healthy")
    exposition.body(snapshot, noon, timeouts, Format.TEXT)

    later = exposition.body(snapshot, noon + timedelta(seconds=40), timeouts, Format.TEXT).decode()

    assert 'wppconnect_session_connected{server="main",session="sales"} 0\n' in later


def test_kept_text_is_fresh_again_when_the_clock_is_set_back(
    scenario, golden, new_exposition, noon, timeouts
):
    exposition, snapshot = new_exposition(), scenario("healthy")
    exposition.body(snapshot, noon + timedelta(seconds=40), timeouts, Format.TEXT)

    assert exposition.body(snapshot, noon, timeouts, Format.TEXT).decode() == golden("healthy")


def test_changed_timeouts_count_at_once(scenario, golden, new_exposition, noon, timeouts):
    exposition, snapshot = new_exposition(), scenario("stale")
    exposition.body(snapshot, noon, timeouts, Format.TEXT)

    patient = exposition.body(snapshot, noon, Timeouts(status_seconds=60), Format.TEXT).decode()

    assert 'wppconnect_session_connected{server="main",session="sales"} 1\n' in patient


def test_removed_session_disappears(make_server, make_session, make_snapshot, new_exposition, noon, timeouts):
    exposition = new_exposition()
    both = make_snapshot(make_server(make_session("sales"), make_session("support")))
    exposition.body(both, noon, timeouts, Format.TEXT)

    one = exposition.body(make_snapshot(make_server(make_session("sales"))), noon, timeouts, Format.TEXT)

    assert b"support" not in one
    assert b"sales" in one


def test_whatever_was_rendered_before_leaves_no_trace(
    make_server, make_session, make_snapshot, new_exposition, noon, timeouts
):
    # A random walk through servers, sessions and time; each step is compared with a fresh rendering.
    choice = random.Random(7)
    kept = new_exposition()
    sessions = [make_session(f"s{number}", verdict) for number in range(4) for verdict in Verdict]
    servers = [
        make_server(*choice.sample(sessions, choice.randint(0, 6)), name=choice.choice(("main", "branch")))
        for _ in range(12)
    ]
    steps = [
        (
            make_snapshot(*choice.sample(servers, choice.randint(0, 2))),
            noon + timedelta(seconds=choice.randint(0, 50)),
        )
        for _ in range(200)
    ]

    got = [kept.body(snapshot, now, timeouts, Format.TEXT) for snapshot, now in steps]

    assert got == [new_exposition().body(snapshot, now, timeouts, Format.TEXT) for snapshot, now in steps]


def test_no_payload_number_or_message_reaches_the_exposition(
    make_server, make_session, make_snapshot, new_exposition, noon, timeouts
):
    qr = {"payload": "2@SECRETPAYLOAD", "first_seen": noon}
    problem = {"kind": "ConnectError", "message": "call +5511987654321", "at": noon}
    session = make_session("sales", Verdict.WAITING_FOR_QR).model_validate(
        make_session("sales", Verdict.WAITING_FOR_QR).model_dump() | {"qr": qr, "problem": problem}
    )

    body = new_exposition().body(make_snapshot(make_server(session)), noon, timeouts, Format.TEXT)

    assert b"SECRETPAYLOAD" not in body
    assert b"5511987654321" not in body


def test_process_metrics_are_read_at_most_once_a_second(scenario, noon, timeouts):
    reads, seconds = [], iter([0.0, 0.9, 1.0])

    def read() -> list[Family]:
        reads.append(1)
        return [Family("process_open_fds", "gauge", "Open files.", f"process_open_fds {len(reads)}\n")]

    exposition = Exposition(version="1", read_process=read, clock=lambda: next(seconds))
    bodies = [exposition.body(scenario("healthy"), noon, timeouts, Format.TEXT) for _ in range(3)]

    assert [body.splitlines()[-1] for body in bodies] == [
        b"process_open_fds 1",
        b"process_open_fds 1",
        b"process_open_fds 2",
    ]


def test_nothing_of_the_linked_account_is_served(scenario, new_exposition, noon, timeouts):
    account = Account(seen_at=noon, number="5511900001234", push_name="Front desk")
    healthy = scenario("healthy")
    sessions = [one.model_copy(update={"account": account}) for one in healthy.servers[0].sessions]
    server = healthy.servers[0].model_copy(update={"sessions": tuple(sessions)})
    snapshot = healthy.model_copy(update={"servers": (server,)})

    body = new_exposition().body(snapshot, noon, timeouts, Format.TEXT).decode()

    assert not [text for text in ("1234", "Front desk") if text in body]
