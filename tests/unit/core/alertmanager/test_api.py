"""What is asked of Alertmanager, and what is said when it does not do it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from core.alertmanager.api import Alertmanager, FiringAlert, Matcher, Silence
from core.exceptions import AlertmanagerError
from core.settings.values import AlertmanagerSettings
from tests.loopback import Loopback, answering, http_answer, silent

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
CONFIGURATION = """\
route:
  receiver: a
  continue: false
  routes:
  - receiver: "b c"
    continue: false
    routes:
    - match:
        severity: page
      continue: false
      group_wait: 1m30s
  - receiver: none
    continue: false
    group_wait: 500ms
    group_interval: 1m
  group_interval: 5m
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


CLIENTS = ExitStack()


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close a test's clients: urllib3's rescue of forgotten ones fails when it comes in a deep recursion."""
    with CLIENTS:
        yield


def asking(url: str, *, bearer_token: str | None = None, answer_seconds: float = 5.0) -> Alertmanager:
    """An Alertmanager at an address."""
    token = SecretStr(bearer_token) if bearer_token else None
    settings = AlertmanagerSettings(url=SecretStr(url), bearer_token=token)
    return CLIENTS.enter_context(closing(Alertmanager(settings, answer_seconds=answer_seconds)))


def matcher(label: str, value: str, **fields: bool) -> Matcher:
    """An exact matcher, unless told otherwise."""
    return Matcher(label, value, **({"is_regex": False, "is_equal": True} | fields))


def silence(*matchers: Matcher) -> Silence:
    """A silence with these conditions."""
    return Silence("id", "ana", "", NOW, NOW + timedelta(hours=1), matchers)


def test_kinds_of_each_receiver_are_read_from_the_configuration() -> None:
    with Loopback(answering(http_answer(STATUS))) as server:
        assert asking(server.url).kinds() == {
            "a": {"slack", "email"},
            "b c": {"webhook"},
            "none": set(),
        }


@pytest.mark.parametrize(
    ("receivers", "seconds"),
    [
        pytest.param(["a"], 30.0, id="Alertmanager's default"),
        pytest.param(["b c"], 90.0, id="the longest of two routes, one of which inherits its receiver"),
        pytest.param(["none"], 0.5, id="less than a second"),
        pytest.param(["a", "none"], 30.0, id="the longest of two receivers"),
        pytest.param(["unknown"], 0.0, id="no route"),
    ],
)
def test_group_wait_is_the_longest_of_the_receivers_routes(receivers: list[str], seconds: float) -> None:
    with Loopback(answering(http_answer(STATUS))) as server:
        assert asking(server.url).group_wait_seconds(receivers) == seconds


@pytest.mark.parametrize("configuration", ["route: [", "- a list", "", "receivers: 7"])
def test_configuration_that_is_none_is_named(configuration: str) -> None:
    status = json.dumps({"config": {"original": configuration}}).encode()

    with Loopback(answering(http_answer(status))) as server, pytest.raises(AlertmanagerError) as caught:
        asking(server.url).kinds()

    assert caught.value.code == "unreadable"


def test_notifications_are_counted_by_kind() -> None:
    with Loopback(answering(http_answer(METRICS))) as server:
        counts = asking(server.url).notice_counts()

    assert (counts.delivered, counts.given_up) == ({"slack": 5}, {"slack": 4})


@pytest.mark.parametrize("value", ["NaN", "+Inf", "seven"])
def test_counts_that_are_none_are_told_as_such(value: str) -> None:
    metrics = f'alertmanager_notification_requests_total{{integration="slack"}} {value}\n'.encode()

    with Loopback(answering(http_answer(metrics))) as server, pytest.raises(AlertmanagerError) as caught:
        asking(server.url).notice_counts()

    assert caught.value.code == "unreadable"


def test_password_of_the_address_is_sent_as_a_header() -> None:
    with Loopback(answering(http_answer(METRICS))) as server:
        asking(server.url.replace("://", "://me:p%40ss@")).notice_counts()

    assert b"Authorization: Basic bWU6cEBzcw==" in server.requests[0]


def test_bearer_token_is_sent_as_a_header_and_wins() -> None:
    with Loopback(answering(http_answer(METRICS))) as server:
        asking(server.url.replace("://", "://me:pass@"), bearer_token="t0ken").notice_counts()

    assert b"Authorization: Bearer t0ken" in server.requests[0]
    assert b"Basic" not in server.requests[0]


def test_no_password_is_in_an_error() -> None:
    with pytest.raises(AlertmanagerError, match=r"http://127\.0\.0\.1:1 cannot be reached") as raised:
        asking("http://me:s3cret@127.0.0.1:1").notice_counts()

    assert "s3cret" not in str(raised.value)
    assert raised.value.code == "unreachable"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param({"server": "main", "session": "sales"}, ("main", "sales"), id="of a session"),
        pytest.param({"server": "main"}, ("main", ""), id="of a gateway"),
        pytest.param({}, ("", ""), id="of neither"),
    ],
)
def test_alerts_that_fire_are_read_with_what_they_are_about(
    labels: dict[str, str], expected: tuple[str, str]
) -> None:
    alert = {
        "labels": {"alertname": "WppconnectGatewayUnreachable", "severity": "critical", **labels},
        "annotations": {"summary": "It is\u202e down"},
        "startsAt": NOW.isoformat(),
        "status": {"state": "suppressed", "silencedBy": ["one"], "inhibitedBy": []},
    }

    with Loopback(answering(http_answer(json.dumps([alert]).encode()))) as server:
        found = asking(server.url).firing()

    assert found == (
        FiringAlert(
            "WppconnectGatewayUnreachable",
            *expected,
            severity="critical",
            summary="It is? down",
            since=NOW,
            is_silenced=True,
        ),
    )


def test_alert_that_went_nowhere_yet_is_not_found() -> None:
    with Loopback(answering(http_answer(b"[]"))) as server:
        assert asking(server.url).find("session", "test") is None

    assert b"GET /api/v2/alerts?filter=session%3D%22test%22 " in server.requests[0]


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"a": 1}', b"[1]", b'[{"receivers": 1}]', b"[" * 100_000], ids=range(5)
)
def test_something_else_at_the_address_is_told_from_alertmanager(body: bytes) -> None:
    with Loopback(answering(http_answer(body))) as server, pytest.raises(AlertmanagerError) as raised:
        asking(server.url).find("session", "test")

    assert "answers, but not as Alertmanager does" in str(raised.value)


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (401, "refused", r"refused the request \(401\)"),
        (403, "refused", r"refused the request \(403\)"),
        (404, "unreadable", "not as Alertmanager does"),
        (400, "failed", r"could not handle the request \(400\)"),
        (500, "failed", r"could not handle the request \(500\)"),
        (429, "busy", "asks for a later retry"),
        (502, "unreachable", r"cannot be reached \(502\)"),
        (503, "unreachable", r"cannot be reached \(503\)"),
        (522, "unreachable", r"cannot be reached \(522\)"),
    ],
)
def test_refusal_has_the_code_of_its_status(status: int, code: str, text: str) -> None:
    with (
        Loopback(answering(http_answer(status=f"{status} Bad"))) as server,
        pytest.raises(AlertmanagerError, match=text) as raised,
    ):
        asking(server.url).post({})

    assert raised.value.code == code


def test_silence_of_the_other_side_ends_the_wait() -> None:
    with Loopback(silent) as server, pytest.raises(AlertmanagerError, match="cannot be reached"):
        asking(server.url, answer_seconds=0.2).notice_counts()


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        pytest.param([matcher("server", "main"), matcher("session", "sales")], True, id="this session"),
        pytest.param([matcher("server", "main")], True, id="its gateway"),
        pytest.param([matcher("session", "sal.*", is_regex=True)], True, id="a pattern of names"),
        pytest.param([matcher("session", "(?:sales|s[a-f]+)", is_regex=True)], True, id="one of several"),
        pytest.param([matcher("session", "support", is_equal=False)], True, id="all but another one"),
        pytest.param([matcher("session", "support")], False, id="another session"),
        pytest.param([matcher("session", "sal", is_regex=True)], False, id="a pattern of half a name"),
        pytest.param([matcher("session", "(", is_regex=True)], False, id="a pattern that we cannot read"),
        pytest.param([matcher("server", "main"), matcher("severity", "warning")], False, id="only warnings"),
    ],
)
def test_a_silence_covers_a_session_when_none_of_its_alerts_gets_through(
    matchers: list[Matcher], covered: bool
) -> None:
    assert silence(*matchers).covers("main", "sales") is covered


@pytest.mark.parametrize(
    ("matchers", "gateway"),
    [
        pytest.param([matcher("server", "main")], "main", id="all alerts of a gateway"),
        pytest.param([matcher("server", "main"), matcher("session", "sales")], "", id="a session"),
        pytest.param([matcher("server", "ma.*", is_regex=True)], "", id="several gateways"),
        pytest.param([matcher("server", "main", is_equal=False)], "", id="all but one"),
        pytest.param([matcher("session", "main")], "", id="a session of any gateway"),
        pytest.param([], "", id="everything"),
    ],
)
def test_a_silence_names_its_gateway(matchers: list[Matcher], gateway: str) -> None:
    assert silence(*matchers).gateway == gateway


@pytest.mark.parametrize(
    ("session", "labels"),
    [("sales", ["server", "session"]), ("", ["server"])],
    ids=["a session", "a gateway with its sessions"],
)
def test_a_silence_matches_what_it_is_about(session: str, labels: list[str]) -> None:
    with Loopback(answering(http_answer(b'{"silenceID": "s1"}'))) as server:
        made = asking(server.url).silence("main", session, author="ana", comment="", since=NOW, until=NOW)

    _, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert made == "s1"
    assert [one["name"] for one in json.loads(body)["matchers"]] == labels


@pytest.mark.parametrize(
    "pattern", ["(s*)*(s*)*!", "(a|s|ss)+!", "s*s*s*s*s*s*s*s*!", "(s?){60}!", "(" * 9999]
)
def test_a_pattern_that_could_take_for_ever_covers_nothing(pattern: str) -> None:
    # Tried on sixty letters, these would outlast the test's time by far.
    for is_equal in (True, False):
        one = matcher("session", pattern, is_regex=True, is_equal=is_equal)
        assert not silence(one).covers("main", "s" * 60)


def told(**fields: Any) -> bytes:
    """A silence as Alertmanager tells it."""
    usual = {"id": "1", "createdBy": "ana", "comment": "", "status": {"state": "active"}, "matchers": []}
    moments = {"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-02T00:00:00Z"}
    return json.dumps([usual | moments | fields]).encode()


def test_silences_hold_nothing_that_the_page_cannot_show() -> None:
    answer = told(createdBy="\ud800", comment="\x1b[2J", startsAt="0001-01-01T00:00:00Z")
    forever = told(endsAt="9999-12-31T23:59:59-12:00")
    with Loopback(answering(http_answer(answer), http_answer(forever))) as server:
        asked = asking(server.url)
        (odd,), (endless,) = asked.silences(), asked.silences()

    assert (odd.author, odd.comment) == ("?", "?[2J")
    for moment in (odd.since, endless.until):
        assert moment.astimezone(ZoneInfo("Pacific/Kiritimati")) == moment
        assert moment.astimezone(ZoneInfo("America/Los_Angeles")) == moment


def test_silence_without_a_time_zone_is_not_alertmanagers() -> None:
    with (
        Loopback(answering(http_answer(told(endsAt="2026-01-02T00:00:00")))) as server,
        pytest.raises(AlertmanagerError, match="not as Alertmanager does"),
    ):
        asking(server.url).silences()
