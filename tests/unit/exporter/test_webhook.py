from __future__ import annotations

import json
import socket
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.gateways.registry import KINDS
from exporter.own_metrics import DropReason
from exporter.probe_trigger import BURST, GAPS_SECONDS, PER_SECOND

TOKEN = "a-token-of-the-webhook-4f1d"
LOST = {"event": "status-find", "status": "disconnectedMobile", "session": "sales"}


@pytest.fixture
def hints():
    return []


@pytest.fixture
def receiver(ask, scenario, hints):
    """Serve a webhook for the session "sales" and return a function that asks it."""
    return ask(
        lambda: scenario("healthy"),
        webhook_token=TOKEN,
        monitored=[("main", "sales")],
        trigger=lambda server, session: hints.append((server, session)),
    )


def post(receiver, body, token=TOKEN, **options):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return receiver(f"/webhook/{token}", "POST", body=content, **options)[0]


def counters(receiver, name):
    families = text_string_to_metric_families(receiver("/metrics")[2].decode())
    return {
        next(iter(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if sample.name == f"wppconnect_exporter_events_{name}_total" and sample.value
    }


def test_event_about_a_connection_is_a_hint(receiver, hints):
    assert post(receiver, LOST) == 204
    assert set(hints) == {("main", "sales")}
    assert counters(receiver, "received") == {"status-find": 1}
    assert counters(receiver, "dropped") == {}


def test_event_of_another_kind_of_gateway_is_a_hint_by_its_own_words(monkeypatch, ask, scenario):
    monkeypatch.setitem(KINDS, "evolution", "tests.fakes.evolution")
    hints = []
    receiver = ask(
        lambda: scenario("healthy"),
        webhook_token=TOKEN,
        monitored=[("main", "sales"), ("main", "support")],
        trigger=lambda server, session: hints.append((server, session)),
    )
    closed = {"event": "connection.update", "instance": "support", "data": {"state": "close"}}
    message = {"event": "messages.upsert", "instance": "sales", "data": {}}

    answers = [post(receiver, event) for event in (LOST, closed, message)]

    assert answers == [204, 204, 204]
    assert counters(receiver, "received") == {"status-find": 1, "connection.update": 1, "other": 1}
    assert set(hints) == {("main", "sales"), ("main", "support")}


def test_message_is_discarded_unread(receiver, hints):
    message = {"event": "onmessage", "session": "sales", "body": "x" * 100_000}

    assert post(receiver, message) == 204
    assert hints == []
    assert counters(receiver, "received") == {"other": 1}


def test_message_that_is_no_valid_json_is_not_even_noticed(receiver):
    assert post(receiver, b'{"event":"onmessage", and so on') == 204
    assert counters(receiver, "dropped") == {}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"event": "status-find", "status": "inChat"}, DropReason.WITHOUT_SESSION),
        ({"event": "status-find", "session": ""}, DropReason.WITHOUT_SESSION),
        ({"event": "status-find", "session": "stranger"}, DropReason.NOT_MONITORED),
        (b"", DropReason.MALFORMED),
        (b"nothing", DropReason.MALFORMED),
        ([LOST], DropReason.MALFORMED),
    ],
)
def test_useless_event_is_taken_and_counted(receiver, hints, body, reason):
    assert post(receiver, body) == 204
    assert hints == []
    assert counters(receiver, "dropped") == {reason.value: 1}


@pytest.mark.parametrize(
    "token", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "%00", "x" * 5000, "%C3%A4%ff"]
)
def test_wrong_token_is_404_unread(receiver, hints, token):
    assert post(receiver, LOST, token) == 404
    assert hints == []
    assert counters(receiver, "dropped") == {"wrong_token": 1}


def test_without_a_configured_token_there_is_no_webhook(ask, scenario):
    receiver = ask(lambda: scenario("healthy"))

    assert [post(receiver, LOST, token) for token in ("", "None", TOKEN)] == [404, 404, 404]
    assert counters(receiver, "dropped") == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_method_with_the_token_is_405_and_without_it_404(receiver, method):
    status, headers, _ = receiver(f"/webhook/{TOKEN}", method)

    assert (status, headers["allow"]) == (405, "POST")
    assert receiver("/webhook/other", method)[0] == 404


def test_body_that_is_announced_too_large_is_refused_unread(receiver):
    status, headers, _ = receiver(f"/webhook/{TOKEN}", "POST", headers={"Content-Length": "52428800"})

    assert (status, headers["connection"]) == (413, "close")
    assert counters(receiver, "dropped") == {"too_large": 1}


def test_body_without_a_length_is_cut_when_it_grows_too_large(receiver, make_app, serve, scenario):
    address = serve(make_app(lambda: scenario("healthy"), webhook_token=TOKEN))
    head = f"POST /webhook/{TOKEN} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(head.encode())
        sent = send_until_refused(connection, b'{"event":"onmessage"', b"x" * 65_536)

    assert sent < 50_000_000


def send_until_refused(connection: socket.socket, *parts: bytes) -> int:
    """Send chunks, the last one again and again; returns after how many bytes the other side had enough."""
    sent = 0
    queue = list(parts)
    try:
        while sent < 50_000_000:
            part = queue.pop(0) if len(queue) > 1 else queue[0]
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            sent += len(part)
    except OSError:
        return sent
    return sent


def test_flood_about_one_session_is_one_series_of_hints(receiver, hints):
    began = time.monotonic()
    statuses = {post(receiver, LOST) for _ in range(100)}
    took = time.monotonic() - began

    assert statuses == {204}
    assert counters(receiver, "received") == {"status-find": 100}
    assert counters(receiver, "dropped") == {}
    assert len(hints) <= took / GAPS_SECONDS[0] + 2


def test_flood_about_many_sessions_is_limited(ask, scenario, hints):
    receiver = ask(
        lambda: scenario("healthy"),
        webhook_token=TOKEN,
        monitored=[("main", f"s{number}") for number in range(60)],
        trigger=lambda server, session: hints.append(session),
    )

    began = time.monotonic()
    for number in range(60):
        post(receiver, LOST | {"session": f"s{number}"})
    took = time.monotonic() - began

    assert BURST <= len(set(hints)) <= BURST + took * PER_SECOND + 1
    assert counters(receiver, "dropped")["rate_limited"] == 60 - len(set(hints))


def test_event_of_a_name_on_two_gateways_is_a_hint_for_both(ask, scenario, hints):
    receiver = ask(
        lambda: scenario("healthy"),
        webhook_token=TOKEN,
        monitored=[("main", "sales"), ("branch", "sales"), ("main", "support")],
        trigger=lambda server, session: hints.append((server, session)),
    )

    post(receiver, LOST)

    assert set(hints) == {("main", "sales"), ("branch", "sales")}


def test_token_is_in_no_log(receiver, caplog):
    caplog.set_level("DEBUG")

    post(receiver, LOST)
    post(receiver, LOST, TOKEN[:-1])

    assert TOKEN[:-1] not in caplog.text
