from __future__ import annotations

import gzip
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from core.models import Account, Verdict
from core.settings.values import Timeouts
from exporter.catalogue import (
    PROCESS_METRICS,
    SERVER,
    SERVER_METRICS,
    SESSION,
    SESSION_METRICS,
    STEADY_FIELDS,
    TAG_METRICS,
    Kind,
    Measured,
)
from exporter.collector import Sample, server_at, session_at, stale_after
from exporter.exposition import Exposition, Families, Format, Rows, choose_format, family_of
from exporter.own_metrics import OwnMetrics
from exporter.tags import NO_TAGS
from tests.support.golden import golden_text
from tests.unit.exporter.conftest import (
    GOLDEN,
    NOON,
    new_own_metrics,
    new_server,
    new_session,
    new_snapshot,
    scenarios,
)

SCENARIOS = ["healthy", "down", "maintenance", "paused", "unauthorized", "many", "stale"]
TAGS = {"many": {("main", "connected"): ("norte", 'a "b"\\'), ("branch", "sales"): ("norte",)}}
"""The listed tags of sessions, by scenario."""
GENERATORS = {Format.TEXT: generate_latest, Format.OPENMETRICS: generate_openmetrics}


def written_by_the_library(snapshot, form, timeouts=None, tags=NO_TAGS):
    """What prometheus_client makes of the same samples."""
    limits = [(one, stale_after(one, timeouts or Timeouts())) for one in snapshot.servers]
    servers = [((one.server,), server_at(one, NOON, limit)) for one, limit in limits]
    sessions = [
        ((one.server, session.session), session_at(one, session, NOON, limit))
        for one, limit in limits
        for session in one.sessions
    ]
    families = [
        family_of(metric, ((key, sample) for key, subject in subjects for sample in metric.measure(subject)))
        for metrics, subjects in (
            (SERVER_METRICS, servers),
            (SESSION_METRICS, sessions),
            (TAG_METRICS, [(key, tags[key]) for key, _session in sessions if key in tags]),
        )
        for metric in metrics
    ]
    return GENERATORS[form](Families(*families, *new_own_metrics().registry.collect()))


class Recorded:
    """A session that records which of its fields are read."""

    def __init__(self, session):
        self._session, self.read = session, set()

    def __getattr__(self, name):
        self.read.add(name)
        return getattr(self._session, name)


ALL_SESSIONS = [
    session for snapshot in scenarios().values() for server in snapshot.servers for session in server.sessions
]


@pytest.mark.parametrize("metric", SESSION_METRICS, ids=lambda metric: metric.name)
def test_metrics_that_do_not_change_with_each_probe_read_steady_fields_only(metric):
    read = set()
    for session in ALL_SESSIONS:
        recorded = Recorded(session)
        metric.measure(recorded)
        read |= recorded.read

    assert read
    assert metric.changes_with_each_probe or read <= set(STEADY_FIELDS)


def test_of_a_session_that_was_only_probed_again_two_metrics_are_measured():
    measured = Counter()

    def counting(metric):
        def measure(session):
            measured[metric.name] += 1
            return metric.measure(session)

        return replace(metric, measure=measure)

    rows = Rows([counting(metric) for metric in SESSION_METRICS], attrgetter(*STEADY_FIELDS))
    session = new_session()
    rows.update([(("main", "sales"), session)])
    measured.clear()

    probed = {"observed_at": NOON, "page_checked_at": NOON, "last_connected": NOON, "auth_failures": {}}
    rows.update([(("main", "sales"), session.model_copy(update=probed))])
    again = set(measured)
    rows.update([(("main", "sales"), new_session(verdict=Verdict.UNKNOWN))])

    assert again == {
        "wppconnect_session_last_connected_timestamp_seconds",
        "wppconnect_session_last_probe_timestamp_seconds",
    }
    assert set(measured) == {metric.name for metric in SESSION_METRICS}


@pytest.mark.parametrize("name", SCENARIOS)
def test_exposition_equals_its_golden_file(name, scenario, new_exposition, noon, timeouts):
    tags = TAGS.get(name, NO_TAGS)
    text = new_exposition().body(scenario(name), noon, timeouts, Format.TEXT, tags=tags).decode()

    assert text == golden_text(GOLDEN / f"{name}.prom", text)


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("name", SCENARIOS)
def test_kept_text_is_what_prometheus_client_writes(name, form, new_exposition, noon, timeouts):
    exposition = new_exposition()
    for before in scenarios().values():
        exposition.body(before, noon, timeouts, form)
    snapshot, tags = scenarios()[name], TAGS.get(name, NO_TAGS)

    written = written_by_the_library(snapshot, form, tags=tags)

    assert exposition.body(snapshot, noon, timeouts, form, tags=tags) == written


PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
WITH_PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", Format.TEXT, id="no header"),
        pytest.param("*/*", Format.TEXT, id="anything"),
        pytest.param(PROMETHEUS_2, Format.OPENMETRICS, id="Prometheus 2"),
        pytest.param(PROMETHEUS_3, Format.OPENMETRICS, id="Prometheus 3"),
        pytest.param(WITH_PROTOBUF, Format.TEXT, id="Prometheus with protobuf"),
        pytest.param("application/openmetrics-text", Format.OPENMETRICS, id="OpenMetrics of any version"),
        pytest.param("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT, id="a browser"),
        pytest.param("application/openmetrics-text;version=one", Format.TEXT, id="a version without numbers"),
        pytest.param(";;,=,", Format.TEXT, id="garbage"),
    ],
)
def test_scraper_gets_a_format_that_it_reads(accept, expected):
    assert choose_format(accept) is expected


def test_zipped_body_holds_the_same_text(scenario, golden, new_exposition, noon, timeouts):
    body = new_exposition().body(
        scenario("many"), noon, timeouts, Format.TEXT, tags=TAGS["many"], zipped=True
    )

    assert gzip.decompress(body).decode() == golden("many")


def test_same_snapshot_is_answered_with_the_kept_bytes(scenario, make_own_metrics, noon, timeouts):
    snapshot, exposition = scenario("healthy"), Exposition(make_own_metrics(), clock=lambda: 0.0)

    first = exposition.body(snapshot, noon, timeouts, Format.TEXT)
    second = exposition.body(snapshot.model_copy(update={"taken_at": noon}), noon, timeouts, Format.TEXT)

    assert second is first


def test_kept_text_expires_with_the_snapshot(scenario, new_exposition, noon, timeouts):
    exposition, snapshot = new_exposition(), scenario("healthy")
    exposition.body(snapshot, noon, timeouts, Format.TEXT)

    later = exposition.body(snapshot, noon + timedelta(seconds=40), timeouts, Format.TEXT).decode()

    assert 'wppconnect_session_connected{server="main",session="sales"} 0.0\n' in later


def test_kept_text_is_fresh_again_when_the_clock_is_set_back(
    scenario, golden, new_exposition, noon, timeouts
):
    exposition, snapshot = new_exposition(), scenario("healthy")
    exposition.body(snapshot, noon + timedelta(seconds=40), timeouts, Format.TEXT)

    assert exposition.body(snapshot, noon, timeouts, Format.TEXT).decode() == golden("healthy")


def test_changed_timeouts_count_at_once(scenario, new_exposition, noon, timeouts):
    exposition, snapshot = new_exposition(), scenario("stale")
    exposition.body(snapshot, noon, timeouts, Format.TEXT)

    patient = exposition.body(snapshot, noon, Timeouts(status_seconds=60), Format.TEXT).decode()

    assert 'wppconnect_session_connected{server="main",session="sales"} 1.0\n' in patient


def test_tags_that_are_changed_count_at_once(new_exposition, noon, timeouts):
    exposition, snapshot = new_exposition(), new_snapshot(new_server(new_session("sales")))
    lines = []

    for tags in ({}, {("main", "sales"): ("norte",)}, {("main", "gone"): ("norte",)}):
        text = exposition.body(snapshot, noon, timeouts, Format.TEXT, tags=tags).decode()
        lines.append([one for one in text.splitlines() if one.startswith("wppconnect_session_tag{")])

    assert lines == [[], ['wppconnect_session_tag{server="main",session="sales",tag="norte"} 1.0'], []]


def test_removed_session_disappears(new_exposition, noon, timeouts):
    exposition = new_exposition()
    both = new_snapshot(new_server(new_session("sales"), new_session("support")))
    exposition.body(both, noon, timeouts, Format.TEXT)

    one = exposition.body(new_snapshot(new_server(new_session("sales"))), noon, timeouts, Format.TEXT)

    assert b"support" not in one
    assert b"sales" in one


def test_whatever_was_rendered_before_leaves_no_trace(new_exposition, noon, timeouts):
    # A random walk through servers, sessions and time; each step is compared with a fresh rendering.
    choice = random.Random(7)
    kept = new_exposition()
    sessions = [new_session(f"s{number}", verdict) for number in range(4) for verdict in Verdict]
    servers = [
        new_server(*choice.sample(sessions, choice.randint(0, 6)), name=choice.choice(("main", "branch")))
        for _ in range(12)
    ]
    steps = [
        (
            new_snapshot(*choice.sample(servers, choice.randint(0, 2))),
            noon + timedelta(seconds=choice.randint(0, 50)),
        )
        for _ in range(60)
    ]

    got = [kept.body(snapshot, now, timeouts, Format.TEXT) for snapshot, now in steps]

    assert got == [new_exposition().body(snapshot, now, timeouts, Format.TEXT) for snapshot, now in steps]


def test_no_payload_number_or_message_reaches_the_exposition(new_exposition, noon, timeouts):
    qr = {"payload": "2@SECRETPAYLOAD", "first_seen": noon}
    problem = {"kind": "ConnectError", "message": "call +5511987654321", "at": noon}
    session = new_session("sales", Verdict.WAITING_FOR_QR).model_validate(
        new_session("sales", Verdict.WAITING_FOR_QR).model_dump() | {"qr": qr, "problem": problem}
    )

    body = new_exposition().body(new_snapshot(new_server(session)), noon, timeouts, Format.TEXT)

    assert b"SECRETPAYLOAD" not in body
    assert b"5511987654321" not in body


def test_metrics_of_the_process_are_those_that_prometheus_expects_of_any(noon, timeouts):
    body = Exposition(OwnMetrics("1")).body(new_snapshot(), noon, timeouts, Format.TEXT).decode()

    assert [line.split()[0] for line in body.splitlines() if line.startswith("process_")] == list(
        PROCESS_METRICS
    )


def test_metrics_of_the_process_are_read_at_most_once_a_second(scenario, noon, timeouts):
    reads, seconds = [], iter([0.0, 0.9, 1.0])
    own = SimpleNamespace(changes=0, registry=SimpleNamespace(collect=lambda: (reads.append(1), [])[1]))
    exposition = Exposition(own, clock=lambda: next(seconds))

    for _ in range(3):
        exposition.body(scenario("healthy"), noon, timeouts, Format.TEXT)

    assert len(reads) == 2


def test_counted_event_shows_in_the_next_exposition(make_own_metrics, scenario, noon, timeouts):
    own = make_own_metrics()
    exposition, snapshot = Exposition(own, clock=lambda: 0.0), scenario("healthy")
    before = exposition.body(snapshot, noon, timeouts, Format.TEXT)

    own.note_reload(is_successful=False)

    assert b"\nwppconnect_exporter_settings_reload_success 1.0\n" in before
    assert b"\nwppconnect_exporter_settings_reload_success 0.0\n" in exposition.body(
        snapshot, noon, timeouts, Format.TEXT
    )


LENGTH = Measured("length", Kind.GAUGE, "Its length.", SERVER, lambda text: (Sample(len(text)),))
VOWELS = Measured("a", Kind.GAUGE, "Its a.", (*SERVER, "a"), lambda text: (Sample(text.count("a"), ("a",)),))
ECHO = Measured("echo", Kind.GAUGE, "Echo.", (*SESSION, "echo"), lambda one: (Sample(one[1], (one[0],)),))
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@settings(deadline=None)
@given(key=st.tuples(ANY_TEXT, ANY_TEXT), subjects=st.lists(st.tuples(ANY_TEXT, st.floats()), min_size=1))
def test_any_text_and_number_is_written_as_prometheus_client_does(key, subjects):
    rows = Rows((ECHO,))

    for subject in subjects:
        rows.update([(key, subject)])

    expected = generate_latest(Families(family_of(ECHO, [(key, one) for one in ECHO.measure(subjects[-1])])))
    assert rows.texts["echo"] == expected.split(b"\n", 2)[2]


def test_lines_are_written_again_only_for_the_metric_that_changed():
    rows = Rows((LENGTH, VOWELS))
    rows.update([(("main",), "ab")])
    before = rows.texts

    rows.update([(("main",), "aa")])

    assert rows.texts["length"] is before["length"]
    assert (before["a"], rows.texts["a"]) == (
        b'a{a="a",server="main"} 1.0\n',
        b'a{a="a",server="main"} 2.0\n',
    )


def test_same_subject_is_not_measured_again():
    measured = []
    metric = Measured("m", Kind.GAUGE, "M.", SERVER, lambda one: (measured.append(one), (Sample(1),))[1])
    rows, subject = Rows((metric,)), "ab"

    rows.update([(("main",), subject)])
    rows.update([(("main",), subject)])

    assert measured == ["ab"]


@pytest.mark.parametrize(
    ("subjects", "text"),
    [
        ([("branch", "abc"), ("main", "ab")], 'length{server="branch"} 3.0\nlength{server="main"} 2.0\n'),
        ([("main", "ab"), ("main", "abc")], 'length{server="main"} 3.0\n'),
        ([], ""),
    ],
    ids=["another order", "named twice", "gone"],
)
def test_subjects_are_those_of_the_latest_update(subjects, text):
    rows = Rows((LENGTH,))
    rows.update([(("main",), "ab"), (("branch",), "abc")])

    rows.update([((name,), subject) for name, subject in subjects])

    assert rows.texts["length"].decode() == text


def test_failing_measure_leaves_nothing_behind():
    rows = Rows((LENGTH,))
    rows.update([(("main",), "ab")])
    with pytest.raises(TypeError):
        rows.update([(("main",), "abc"), (("branch",), 5)])

    rows.update([(("main",), "abc")])

    assert rows.texts["length"] == b'length{server="main"} 3.0\n'


def test_nothing_of_the_linked_account_is_served(scenario, new_exposition, noon, timeouts):
    account = Account(seen_at=noon, number="5511900001234", push_name="Front desk")
    healthy = scenario("healthy")
    sessions = [one.model_copy(update={"account": account}) for one in healthy.servers[0].sessions]
    server = healthy.servers[0].model_copy(update={"sessions": tuple(sessions)})
    snapshot = healthy.model_copy(update={"servers": (server,)})

    body = new_exposition().body(snapshot, noon, timeouts, Format.TEXT).decode()

    assert not [text for text in ("1234", "Front desk") if text in body]
