"""`wppconnect-ops test-pager` against a real Alertmanager with the shipped configuration."""

from __future__ import annotations

import json
import re
import urllib.request
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.main import main
from core.alertmanager.api import Alertmanager
from core.alertmanager.pager_check import Leg, PagerCheck, Passed
from core.settings.values import AlertmanagerSettings
from tests.plugins.system_tools import require
from tests.support.alertmanager import Inbox, alertmanager, post_alert, web_receiver
from tests.support.mail import mail_server
from tests.support.waiting import until

require("prometheus-alertmanager")

TEST_PAGER = ("test-pager", "--timeout", "60")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture(autouse=True)
def _folder_without_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def silence_everything(url: str) -> None:
    """Silence all that is critical for a long time."""
    silence = {
        "matchers": [{"name": "severity", "value": "critical", "isRegex": False, "isEqual": True}],
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2100-01-01T00:00:00Z",
        "createdBy": "test",
        "comment": "quiet",
    }
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v2/silences", json.dumps(silence).encode(), headers)
    urllib.request.urlopen(request, timeout=60).close()


def test_each_leg_is_timed_and_both_notices_arrive(
    tmp_path: Path, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        mail_server(tmp_path, partial(inbox.take, "mail")) as mail,
        alertmanager(tmp_path, receiver="email", web_port=9, mail=mail) as url,
    ):
        code = main([*TEST_PAGER], {"ALERTMANAGER_URL": f"{url}/"})

    told = capsys.readouterr().out
    assert code == 0, told
    assert [line.split("s  ")[1] for line in told.splitlines()] == [
        "accepted by Alertmanager",
        "routed to email",
        "alert delivered by email",
        "end accepted by Alertmanager",
        "resolved alert delivered by email",
    ]
    assert all(re.match(r" +\d+\.\d\d s  ", line) for line in told.splitlines())
    assert [one["Subject"] for one in inbox.of("mail")] == [
        "[FIRING] This is a test of the pager",
        "[OVER] This is a test of the pager",
    ]


def test_the_notice_of_another_alert_is_not_taken_for_the_tests(tmp_path: Path, inbox: Inbox) -> None:
    legs = []

    def report(passed: Passed) -> None:
        legs.append(passed.leg)
        if passed.leg is Leg.ROUTED:
            # Alertmanager notifies at once of an alert that is older than the group wait.
            post_alert(url, {"alertname": "Old", "severity": "critical"}, {}, startsAt="2026-01-01T00:00:00Z")
            until(lambda: inbox.of("/slack"), what="the notice of the other alert")

    with (
        web_receiver(inbox) as web,
        alertmanager(tmp_path, receiver="slack", web_port=web, faster=20) as url,
        closing(Alertmanager(AlertmanagerSettings(url=SecretStr(url)))) as client,
    ):
        PagerCheck(client, report, timeout_seconds=60).run()

    assert legs == [Leg.ACCEPTED, Leg.ROUTED, Leg.DELIVERED, Leg.END_ACCEPTED, Leg.END_DELIVERED]
    of_the_test = [str(one) for one in inbox.of("/slack") if "This is a test" in str(one)]
    assert ["FIRING" in one for one in of_the_test] == [True, False]


def test_it_says_so_when_another_receiver_notifies_in_the_same_way(
    tmp_path: Path, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    with web_receiver(inbox) as web, alertmanager(tmp_path, receiver="webhook", web_port=web) as url:
        assert main([*TEST_PAGER], {"ALERTMANAGER_URL": url}) == 0

    assert "and dead-mans-switch notifies in the same way: a notice" in capsys.readouterr().out
    assert [one["status"] for one in inbox.of("/webhook")] == ["firing", "resolved"]


def test_notice_that_nobody_takes_is_a_failure_and_the_alert_is_ended(
    tmp_path: Path, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        web_receiver(inbox, status=403) as web,
        alertmanager(tmp_path, receiver="slack", web_port=web) as url,
    ):
        code = main([*TEST_PAGER], {"ALERTMANAGER_URL": url})
        with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=60) as answer:
            firing = json.load(answer)

    assert code == 1
    assert "no notice could be delivered by slack" in capsys.readouterr().err
    assert firing == []


def test_silence_is_named_as_the_reason(
    tmp_path: Path, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    with web_receiver(inbox) as web, alertmanager(tmp_path, receiver="slack", web_port=web) as url:
        silence_everything(url)
        code = main([*TEST_PAGER], {"ALERTMANAGER_URL": url})

    assert code == 1
    assert "a silence or an inhibition suppresses the alert" in capsys.readouterr().err
