"""`/probe?debug=true`: what people read of a probe."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from core.logs import register_secret
from core.models import Account, Problem, QrCode, SessionState
from core.settings.values import ServerSettings, Settings
from exporter.probe import ProbeResult, debug_text

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def after(*seconds):
    return [NOON + timedelta(seconds=one) for one in seconds]


def sections(text):
    """Return the lines of each part of a debug text, without its title."""
    return [part.splitlines()[1:] for part in text.split("\n\n")]


def test_debug_tells_the_probe_in_the_order_in_which_it_happened(make_session):
    fields = {"state": SessionState.CONNECTED, "page_answers": True}
    moments = dict(zip(("probe_started_at", "observed_at", "page_checked_at"), after(1, 2, 3), strict=True))
    found = make_session(**fields, **moments)

    log, metrics, used = sections(debug_text(ProbeResult(found, NOON, True, 4.0), Settings(revision=1)))

    assert [line.split()[1] for line in log] == [
        "probe_requested",
        "probe_started",
        "state_read",
        "page_checked",
        "probe_ended",
    ]
    assert log[2].endswith(" state_read state=CONNECTED")
    assert log[4].endswith(" probe_ended success=true verdict=connected reason=none in_time=true")
    assert "probe_success 1.0" in metrics
    assert "check_connection_seconds=10.0" in used


def test_debug_shows_what_was_known_before_as_such(make_session):
    old = make_session(observed_at=NOON - timedelta(seconds=5), probe_started_at=None, page_checked_at=None)

    log, _, _ = sections(debug_text(ProbeResult(old, NOON, False, 9.5), Settings(revision=1)))

    assert [line.split()[1] for line in log] == ["state_read", "probe_requested", "probe_ended"]


def test_debug_shows_no_code_number_key_or_address(make_session):
    hidden = ("2@live", "351912345678", "a-secret-of-the-gateway", "gateway.internal")
    register_secret(hidden[2])
    found = make_session(
        qr=QrCode(payload=hidden[0], first_seen=NOON),
        account=Account(seen_at=NOON, number=hidden[1]),
        problem=Problem(kind="ConnectError", message=f"{hidden[2]}\nrefused for {hidden[1]}", at=NOON),
    )
    server = ServerSettings(name="main", url=f"http://{hidden[3]}", secret_key=SecretStr(hidden[2]))

    text = debug_text(ProbeResult(found, NOON, True, 1.0), Settings(revision=1, servers=(server,)))

    assert [one for one in hidden if one in text] == []
    [line] = [line for line in text.splitlines() if " problem " in line]
    assert re.search(r' kind=ConnectError message="[^"\n]* refused for [^"\n]*"$', line)


@pytest.mark.parametrize(
    ("query", "is_log"), [("debug=true", True), ("debug=false", False), ("debug=true&debug=true", False)]
)
def test_path_gives_the_log_on_request(ask, scenario, query, is_log):
    request = ask(lambda: scenario("healthy"))

    status, headers, body = request(
        f"/probe?server=main&session=sales&{query}", headers={"X-Prometheus-Scrape-Timeout-Seconds": "0.4"}
    )

    assert status == 200
    assert (headers["content-type"] == "text/plain; charset=utf-8") == is_log
    assert body.startswith(b"Log of the probe") == is_log
    assert b"\nprobe_success 0.0\n" in body
