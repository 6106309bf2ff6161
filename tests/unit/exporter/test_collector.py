from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.models import EndToEnd, Healing, Reason, Verdict
from exporter.catalogue import SESSION_METRICS
from exporter.collector import (
    Sample,
    connected,
    counts,
    expiry,
    is_stale,
    server_at,
    session_at,
    stale_after,
    state,
)

MOMENT = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
LIMIT = timedelta(seconds=35)
"""Three intervals of 5 s, and the 10 s that status-session and check-connection may each take."""


def test_news_are_stale_after_three_intervals_and_the_timeouts(make_server, timeouts):
    assert stale_after(make_server(), timeouts) == LIMIT


@pytest.mark.parametrize(
    ("age_seconds", "stale"),
    [(34.9, False), (35.1, True), (-3600, False)],
    ids=["just fresh", "just stale", "published in the future, the clock was set back"],
)
def test_age_of_the_published_snapshot_decides_about_staleness(
    make_server, noon, timeouts, age_seconds, stale
):
    server = make_server(published_at=noon - timedelta(seconds=age_seconds))

    assert is_stale(server, noon, timeouts) is stale


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.PAUSED])
def test_any_enabled_session_of_a_stale_server_is_unknown(make_server, make_session, noon, verdict):
    session = make_session(verdict=verdict)
    server = make_server(session, published_at=noon - timedelta(seconds=36))

    shown = session_at(server, session, noon, LIMIT)

    assert shown.verdict is Verdict.UNKNOWN
    assert shown.reason is Reason.STALE


def test_unknown_of_a_stale_server_holds_since_it_became_stale(make_server, make_session, noon):
    session = make_session()
    server = make_server(session, published_at=noon - timedelta(seconds=40))

    assert session_at(server, session, noon, LIMIT).since == noon - timedelta(seconds=5)


def test_paused_session_of_a_stale_server_stays_paused(make_server, make_session, noon):
    session = make_session(verdict=Verdict.PAUSED)
    server = make_server(session, published_at=noon - timedelta(hours=1))

    assert session_at(server, session, noon, LIMIT) is session


def test_sessions_of_a_paused_server_are_paused(make_server, make_session, noon):
    session = make_session()

    shown = session_at(make_server(session, enabled=False), session, noon, LIMIT)

    assert shown.verdict is Verdict.PAUSED


def test_connected_without_a_fresh_proof_is_unknown_although_the_server_is_fresh(
    make_server, make_session, noon
):
    session = make_session(page_checked_at=noon - timedelta(seconds=36))

    assert session_at(make_server(session), session, noon, LIMIT).verdict is Verdict.UNKNOWN


def test_fresh_session_is_shown_as_published(make_server, make_session, noon):
    session = make_session()

    assert session_at(make_server(session), session, noon, LIMIT) is session


@pytest.mark.parametrize(
    "fields",
    [{"enabled": False}, {"up": None}, {"published_at_age": 36}],
    ids=["paused", "never probed", "stale"],
)
def test_whether_a_server_is_up_can_be_unknown(make_server, noon, fields):
    age = timedelta(seconds=fields.pop("published_at_age", 0))
    server = make_server(published_at=noon - age, **fields)

    assert server_at(server, noon, LIMIT).up is None


def test_what_is_shown_changes_when_the_server_or_a_proof_of_connection_expires(
    make_server, make_session, noon
):
    connected = make_session(page_checked_at=noon - timedelta(seconds=4))
    slow = make_session("billing", page_checked_at=noon, page_round_seconds=40)
    waiting = make_session("support", Verdict.WAITING_FOR_QR)

    moments = expiry(make_server(connected, slow, waiting, published_at=noon), LIMIT)

    assert moments == [
        noon + LIMIT,
        noon + LIMIT - timedelta(seconds=4),
        noon + LIMIT + timedelta(seconds=40),
    ]


@pytest.mark.parametrize("verdict", Verdict)
def test_connected_is_one_only_for_connected_and_absent_when_paused(make_session, verdict):
    expected = {Verdict.CONNECTED: (Sample(1.0),), Verdict.PAUSED: ()}

    samples = connected(make_session(verdict=verdict))

    assert samples == expected.get(verdict, (Sample(0.0),))


@pytest.mark.parametrize("verdict", Verdict)
def test_state_set_emits_all_eleven_verdicts_and_one_of_them_holds(make_session, verdict):
    samples = state(make_session(verdict=verdict))

    assert [sample.labels for sample in samples] == [(one.value,) for one in Verdict]
    assert [sample.labels for sample in samples if sample.value] == [(verdict.value,)]


def test_counts_are_those_of_the_listed_reasons_each_from_zero_on():
    reasons = (Reason.TOKEN_REJECTED, Reason.SECRET_REJECTED)

    samples = counts({"token_rejected": 2, "<script>": 9}, reasons)

    assert samples == (Sample(2, ("token_rejected",)), Sample(0, ("secret_rejected",)))


@pytest.mark.parametrize(
    ("verdict", "fields", "most"),
    [
        pytest.param(Verdict.CONNECTED, {}, 26, id="connected"),
        pytest.param(Verdict.DISCONNECTED, {}, 26, id="lost"),
        pytest.param(
            Verdict.DISCONNECTED,
            {"end_to_end": EndToEnd(checked_at=MOMENT, passed_at=MOMENT), "healing": Healing()},
            29,
            id="with all that can be switched on",
        ),
    ],
)
def test_a_session_has_few_samples(make_session, verdict, fields, most):
    session = make_session(verdict=verdict, **fields)

    assert sum(len(metric.measure(session)) for metric in SESSION_METRICS) <= most


CHECKED = {"end_to_end": EndToEnd(checked_at=MOMENT, passed_at=MOMENT)}
HEALED = {"healing": Healing(tries=1, tried_at=MOMENT)}
LOST = {"verdict": Verdict.DISCONNECTED, "last_connected": MOMENT}


@pytest.mark.parametrize(
    ("fields", "samples"),
    [({}, 25), (LOST, 26), (CHECKED | HEALED, 27), (LOST | CHECKED | HEALED, 29)],
    ids=["connected", "lost", "connected, with all that can be switched on", "lost, with all of it"],
)
def test_session_costs_as_many_samples_as_the_documentation_says(make_session, fields, samples):
    session = make_session(**fields)

    assert sum(len(metric.measure(session)) for metric in SESSION_METRICS) == samples
