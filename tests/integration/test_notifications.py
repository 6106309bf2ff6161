"""What people get to read, from a real Alertmanager with the shipped configuration and templates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.system_tools import require
from tests.support.alertmanager import Inbox, alertmanager, mail_receiver, post_alert, web_receiver
from tests.support.waiting import until

require("prometheus-alertmanager")

LABELS = {
    "alertname": "WppconnectSessionDisconnected",
    "severity": "critical",
    "server": "main",
    "session": "sales",
}
ANNOTATIONS = {
    "summary": "WhatsApp session sales on main is disconnected",
    "description": "Messages are not delivered.",
    "verdict": "waiting for qr",
    "since": "2026-01-15 12:00:00 UTC",
    "lasted": "3m 5s",
    "reason": "closed on gateway",
    "tried": "2",
    "dashboard_url": "https://ops.example.org/session?server=main&session=sales&pair=1",
    "runbook_url": "https://ops.example.org/runbooks#wppconnectsessiondisconnected",
}
LINK = ANNOTATIONS["dashboard_url"]
FIRING_TEXT = """\
WhatsApp session sales on main is disconnected
Messages are not delivered.
Verdict: Waiting for a scan
Since: 2026-01-15 12:00:00 UTC (3m 5s)
Reason: Removed on the phone, or closed by somebody else
Restarts by self-healing: 2
Open: https://ops.example.org/session?server=main&session=sales&pair=1
Runbook: https://ops.example.org/runbooks#wppconnectsessiondisconnected"""
RESOLVED_TEXT = """\
Over: WhatsApp session sales on main is disconnected
It lasted 12m 30s.
Reason: Removed on the phone, or closed by somebody else
Restarts by self-healing: 2
Open: https://ops.example.org/session?server=main&session=sales&pair=1"""
START = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def run(tmp_path: Path, inbox: Inbox) -> Iterator[Any]:
    """Return what starts Alertmanager with one of the receivers; gives its address."""
    with ExitStack() as stack:
        web = stack.enter_context(web_receiver(inbox))
        mail = stack.enter_context(mail_receiver(inbox))
        yield lambda receiver: stack.enter_context(
            alertmanager(tmp_path, receiver=receiver, web_port=web, mail_port=mail)
        )


def fire(url: str, **labels: str) -> None:
    """Fire the alert of a lost session."""
    post_alert(url, LABELS | labels, ANNOTATIONS, startsAt=START.isoformat())


def end(url: str) -> None:
    """End it; Prometheus sends the annotations of its last evaluation along."""
    moments = {"startsAt": START.isoformat(), "endsAt": datetime.now(UTC).isoformat()}
    post_alert(url, LABELS, ANNOTATIONS | {"lasted": "12m 30s"}, **moments)


def test_slack_shows_everything_and_how_long_it_lasted(run: Any, inbox: Inbox) -> None:
    url = run("slack")

    fire(url)
    first = until(lambda: inbox.of("/slack"))[0]["attachments"][0]
    end(url)
    second = until(lambda: inbox.of("/slack")[1:])[0]["attachments"][0]

    assert first["title"] == "[FIRING] WhatsApp session sales on main is disconnected"
    assert first["title_link"] == LINK
    assert first["text"].strip() == FIRING_TEXT
    assert second["title"] == "[OVER] WhatsApp session sales on main is disconnected"
    assert second["text"].strip() == RESOLVED_TEXT


def test_telegram_shows_everything_and_how_long_it_lasted(run: Any, inbox: Inbox) -> None:
    url = run("telegram")

    fire(url)
    first = until(lambda: inbox.of("/telegram"))[0]
    end(url)
    second = until(lambda: inbox.of("/telegram")[1:])[0]

    assert first["text"].strip() == FIRING_TEXT
    assert first.get("parse_mode", "") == ""
    assert second["text"].strip() == RESOLVED_TEXT


def test_mail_shows_everything_and_how_long_it_lasted(run: Any, inbox: Inbox) -> None:
    url = run("email")

    fire(url)
    first = until(lambda: inbox.of("mail"))[0]
    end(url)
    second = until(lambda: inbox.of("mail")[1:])[0]

    html = first.get_body(("html",)).get_content()
    assert first["Subject"] == "[FIRING] WhatsApp session sales on main is disconnected"
    assert first.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == FIRING_TEXT
    assert (
        '<a href="https://ops.example.org/session?server=main&amp;session=sales&amp;pair=1">Open</a>' in html
    )
    assert "2026-01-15 12:00:00 UTC (3m 5s)" in html
    assert second.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == RESOLVED_TEXT
    ended = second.get_body(("html",)).get_content()
    assert "<p>It lasted 12m 30s.</p>" in ended
    assert "<p>Reason: Removed on the phone, or closed by somebody else</p>" in ended


def test_webhook_carries_the_annotations(run: Any, inbox: Inbox) -> None:
    url = run("webhook")

    fire(url)
    first = until(lambda: inbox.of("/webhook"))[0]
    end(url)
    second = until(lambda: inbox.of("/webhook")[1:])[0]

    assert [alert["annotations"] for alert in first["alerts"]] == [ANNOTATIONS]
    assert (first["status"], second["status"]) == ("firing", "resolved")


def test_alert_that_tells_no_duration_shows_how_long_it_fired(run: Any, inbox: Inbox) -> None:
    url = run("slack")
    labels = {"alertname": "WppconnectGatewayUnreachable", "severity": "critical", "server": "main"}
    bare = {"summary": "WPPConnect server main does not answer", "dashboard_url": "https://ops.example.org/"}
    ended = START + timedelta(seconds=45)

    post_alert(url, labels, bare, startsAt=START.isoformat())
    until(lambda: inbox.of("/slack"))
    post_alert(url, labels, bare, startsAt=START.isoformat(), endsAt=ended.isoformat())
    second = until(lambda: inbox.of("/slack")[1:])[0]["attachments"][0]

    assert "It lasted 45s." in second["text"]


def test_each_session_is_a_message_of_its_own(run: Any, inbox: Inbox) -> None:
    url = run("webhook")

    fire(url)
    fire(url, session="support")
    messages = until(lambda: inbox.of("/webhook")[1:] and inbox.of("/webhook"))

    assert {message["groupLabels"]["session"] for message in messages} == {"sales", "support"}
    assert [len(message["alerts"]) for message in messages] == [1, 1]


@pytest.mark.parametrize(
    "cause", ["WppconnectGatewayUnreachable", "WppconnectSecretKeyRejected", "WppconnectProbeStale"]
)
def test_fault_of_a_gateway_silences_its_sessions_and_no_others(cause: str, run: Any, inbox: Inbox) -> None:
    url = run("webhook")

    post_alert(url, {"alertname": cause, "severity": "critical", "server": "main"}, ANNOTATIONS)
    fire(url)
    fire(url, session="support")
    fire(url, server="other")
    messages = until(lambda: inbox.of("/webhook")[1:] and inbox.of("/webhook"))

    told = {(one["groupLabels"]["alertname"], one["groupLabels"]["server"]) for one in messages}
    assert told == {(cause, "main"), ("WppconnectSessionDisconnected", "other")}


def test_watchdog_goes_to_the_dead_mans_switch_again_and_again(run: Any, inbox: Inbox) -> None:
    url = run("webhook")

    post_alert(url, {"alertname": "WppconnectWatchdog", "severity": "none"}, {"summary": "Alerting works"})
    pings = until(lambda: inbox.of("/ping")[2:] and inbox.of("/ping"))

    assert {one["status"] for one in pings} == {"firing"}
    assert inbox.of("/webhook") == []
