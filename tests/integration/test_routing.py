"""Who is told of what, and what holds what back: a real Alertmanager with the shipped configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from tests.plugins.system_tools import require
from tests.support.alertmanager import Inbox, alertmanager, post_alert, web_receiver
from tests.support.waiting import until

require("prometheus-alertmanager")

LOST = "WppconnectSessionDisconnected"


class Told(NamedTuple):
    """An Alertmanager and what it says. Each test names servers of its own."""

    url: str
    inbox: Inbox

    def alert(self, name: str, **labels: str) -> None:
        """Hand over an alert that pages."""
        post_alert(self.url, {"alertname": name, "severity": "critical"} | labels, {"summary": name})

    def groups(self, *servers: str) -> list[Mapping[str, str]]:
        """Return what the messages about these servers are about."""
        messages = self.inbox.of("/webhook")
        return [one["groupLabels"] for one in messages if one["groupLabels"].get("server") in servers]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    inbox = Inbox()
    with (
        web_receiver(inbox) as web,
        alertmanager(tmp_path_factory.mktemp("alertmanager"), receiver="webhook", web_port=web) as url,
    ):
        running = Told(url, inbox)
        running.alert("WppconnectWatchdog", severity="none")
        yield running


def test_each_session_is_a_message_of_its_own(told: Told) -> None:
    told.alert(LOST, server="own", session="sales")
    told.alert(LOST, server="own", session="support")

    groups = until(lambda: told.groups("own")[1:] and told.groups("own"), what="two messages")

    assert sorted(group["session"] for group in groups) == ["sales", "support"]


@pytest.mark.parametrize(
    "cause", ["WppconnectGatewayUnreachable", "WppconnectSecretKeyRejected", "WppconnectProbeStale"]
)
def test_fault_of_a_gateway_silences_its_sessions_and_no_others(cause: str, told: Told) -> None:
    server, other = f"with {cause}", f"beside {cause}"

    told.alert(cause, server=server)
    told.alert(LOST, server=server, session="sales")
    told.alert(LOST, server=server, session="support")
    told.alert(LOST, server=other, session="sales")
    groups: list[Any] = until(
        lambda: told.groups(server, other)[1:] and told.groups(server, other), what="two messages"
    )

    assert {(one["alertname"], one["server"]) for one in groups} == {(cause, server), (LOST, other)}


def test_watchdog_goes_to_the_dead_mans_switch_again_and_again(told: Told) -> None:
    pings = until(lambda: told.inbox.of("/ping")[2:] and told.inbox.of("/ping"), what="three pings")

    assert {one["status"] for one in pings} == {"firing"}
    assert [one for one in told.inbox.of("/webhook") if one["commonLabels"]["severity"] == "none"] == []
