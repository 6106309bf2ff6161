from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from cli.alertmanager import Alertmanager, AlertmanagerError
from cli.test_pager import test_pager as run_pager_test
from tests.loopback import Loopback, answering, http_answer, silent

CONFIGURATION = """\
route:
  receiver: a
receivers:
- name: a
  slack_configs:
  - channel: x
  email_configs:
  - to: y
- name: "b c"
  webhook_configs:
  - url: z
- name: none
"""
STATUS = json.dumps({"config": {"original": CONFIGURATION}}).encode()
METRICS = b"""\
alertmanager_notification_requests_total{integration="slack"} 7
alertmanager_notification_requests_failed_total{integration="slack"} 2
alertmanager_notifications_failed_total{integration="slack",reason="clientError"} 1
alertmanager_notifications_failed_total{integration="slack",reason="other"} 3
"""


@pytest.fixture(autouse=True)
def _folder_without_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("url", ["", "127.0.0.1:9093", "ftp://example.org", "http://"])
def test_missing_or_wrong_address_is_a_configuration_mistake(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_pager_test({"ALERTMANAGER_URL": url}, timeout_seconds=1) == 2
    assert "ALERTMANAGER_URL: set it to Alertmanager's address" in capsys.readouterr().err


def test_address_may_stand_in_the_dotenv_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / ".env").write_text(f"ALERTMANAGER_URL=http://user:secret@127.0.0.1:{port}\n")

    assert run_pager_test({}, timeout_seconds=1) == 1

    told = capsys.readouterr().err
    assert f"http://127.0.0.1:{port} cannot be reached" in told
    assert "secret" not in told


def test_kinds_of_each_receiver_are_read_from_the_configuration() -> None:
    with Loopback(answering(http_answer(STATUS))) as server:
        assert Alertmanager(server.url).kinds() == {
            "a": {"slack", "email"},
            "b c": {"webhook"},
            "none": set(),
        }


def test_notifications_are_counted_by_kind() -> None:
    with Loopback(answering(http_answer(METRICS))) as server:
        tally = Alertmanager(server.url).tally()

    assert (tally.delivered, tally.given_up) == ({"slack": 5}, {"slack": 4})


def test_password_of_the_address_is_sent_as_a_header() -> None:
    with Loopback(answering(http_answer(METRICS))) as server:
        Alertmanager(server.url.replace("://", "://me:p%40ss@")).tally()

    assert b"Authorization: Basic bWU6cEBzcw==" in server.requests[0]


def test_alert_that_went_nowhere_yet_is_not_found() -> None:
    with Loopback(answering(http_answer(b"[]"))) as server:
        assert Alertmanager(server.url).find("session", "test") is None

    assert b"GET /api/v2/alerts?filter=session%3D%22test%22 " in server.requests[0]


@pytest.mark.parametrize("body", [b"<html>", b'{"a": 1}', b"[1]", b'[{"receivers": 1}]'])
def test_something_else_at_the_address_is_told_from_alertmanager(body: bytes) -> None:
    with Loopback(answering(http_answer(body))) as server, pytest.raises(AlertmanagerError) as raised:
        Alertmanager(server.url).find("session", "test")

    assert "answers, but not as Alertmanager does" in str(raised.value)


def test_refusal_is_told_with_its_code() -> None:
    with (
        Loopback(answering(http_answer(status="401 Unauthorized"))) as server,
        pytest.raises(AlertmanagerError, match=r"refused the request \(401\)"),
    ):
        Alertmanager(server.url).post({})


def test_silence_of_the_other_side_ends_the_wait() -> None:
    with Loopback(silent) as server, pytest.raises(AlertmanagerError, match="cannot be reached"):
        Alertmanager(server.url, answer_seconds=0.2).tally()
