from __future__ import annotations

import json

import pytest

from core.settings.values import ServerSettings, SessionSettings, Settings
from exporter.probe import monitored_sessions, targets

SETTINGS = Settings(
    revision=0,
    servers=(
        ServerSettings(
            name="main",
            url="http://127.0.0.1:21465",
            sessions=(SessionSettings(name="sales"), SessionSettings(name="night", enabled=False)),
        ),
        ServerSettings(name="off", url="http://a", enabled=False, sessions=(SessionSettings(name="idle"),)),
        ServerSettings(name="empty", url="http://b"),
    ),
)


def test_only_what_is_not_paused_is_monitored():
    assert list(monitored_sessions(SETTINGS)) == [("main", "sales")]


def test_target_leads_to_the_probe_of_one_session():
    assert targets(SETTINGS, "exporter:21466", is_tls=False) == [
        {
            "targets": ["exporter:21466"],
            "labels": {
                "__metrics_path__": "/probe",
                "__param_server": "main",
                "__param_session": "sales",
                "server": "main",
                "session": "sales",
            },
        }
    ]


def test_target_of_an_exporter_that_serves_tls_says_so():
    [target] = targets(SETTINGS, "exporter:21466", is_tls=True)

    assert target["labels"]["__scheme__"] == "https"


def test_path_answers_with_the_address_that_was_asked(ask, scenario):
    status, headers, body = ask(lambda: scenario("healthy"), read_settings=lambda: SETTINGS)(
        "/sd", headers={"Host": "exporter.internal:8443"}
    )

    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)[0]["targets"] == ["exporter.internal:8443"]


def test_no_sessions_are_an_empty_list(ask, scenario):
    assert ask(lambda: scenario("healthy"))("/sd")[2] == b"[]"


@pytest.mark.parametrize("host", ["", "a b", "exporter/../x", 'x"y'])
def test_impossible_host_is_refused(ask, scenario, host):
    status, _, _ = ask(lambda: scenario("healthy"), read_settings=lambda: SETTINGS)(
        "/sd", headers={"Host": host}
    )

    assert status == 400
