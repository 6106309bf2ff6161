"""The whole way through the stack: a session is lost, somebody is told, it is paired, they are told."""

from __future__ import annotations

import time

import pytest
import requests
from playwright.sync_api import Browser

from tests.stack.visits import connect, scan_what_is_shown, signed_in
from tests.support.deployed import Deployed
from tests.support.stack import SESSION
from tests.support.waiting import until

pytestmark = pytest.mark.browser


def test_a_lost_session_is_told_once_paired_anew_and_told_as_resolved(
    browser: Browser, deployed: Deployed
) -> None:
    connect(deployed)
    read = deployed.start_receiver()
    for variable in ("prometheus", "alertmanager"):
        until(lambda one=variable: deployed.answers(one), what=f"{variable}'s start")
    # A session pages only once it was seen connected by Prometheus, too.
    query = f"{deployed.url('prometheus')}/api/v1/query?query=wppconnect_session_connected"
    until(
        lambda: (
            [one["value"][1] for one in requests.get(query, timeout=60).json()["data"]["result"]] == ["1"]
        ),
        what="Prometheus's sight of the session",
    )

    def told(status: str) -> list[dict[str, object]]:
        alerts = [
            alert
            for notice in requests.get(read, timeout=60).json()
            for alert in notice["alerts"]
            if alert["labels"]["alertname"] == "WppconnectSessionDisconnected"
        ]
        return [alert for alert in alerts if alert["status"] == status]

    deployed.phone("POST", f"/control/sessions/{SESSION}/unlink")
    unlinked = time.monotonic()
    until(lambda: told("firing"), seconds=120, what="the alert")
    alerted_after = time.monotonic() - unlinked
    (alert,) = told("firing")
    visitor = signed_in(browser, deployed)
    # The link is the tap: the page brings the code up by itself.
    visitor.page.goto(str(alert["annotations"]["dashboard_url"]))  # type: ignore[index]
    scan_what_is_shown(visitor, deployed)
    scanned = time.monotonic()
    until(lambda: told("resolved"), seconds=90, what="the end of the alert")
    resolved_after = time.monotonic() - scanned
    visitor.close()

    print(f"alert {alerted_after:.0f} s after the unlink, resolved {resolved_after:.0f} s after the scan")
    assert len(told("firing")) == 1
    assert {alert["labels"]["session"] for alert in told("resolved")} == {SESSION}  # type: ignore[index]
