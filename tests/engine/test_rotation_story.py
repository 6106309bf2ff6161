"""A gateway's secret key is rotated while its sessions are connected: page, files, container, tokens, alerts.

The gateway is a container of a Compose project on a real Docker Engine; the sync agent, the exporter, the
page, Prometheus and Alertmanager are processes of their own, and the administrator clicks in a real browser.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import cast

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from core.sync.change_requests import RequestState
from tests.plugins.system_tools import require
from tests.support.chromium import chromium
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import engine_proxy
from tests.support.rotation import GRACE_SECONDS, SESSIONS, Installation, watched
from tests.support.stack import Stack, await_health
from tests.support.visitor import Visitor
from tests.support.waiting import until

require("prometheus", "prometheus-alertmanager", "chromium")

pytestmark = [pytest.mark.prometheus, pytest.mark.browser]

STEPS = (
    "Write {file}",
    "Recreate {name}",
    "Wait until {name} is up",
    "Wait until main/sales is connected again",
    "Wait until main/support is connected again",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def running(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The gateway and the exporter, from when every session is connected."""
    folder = tmp_path_factory.mktemp("rotation")
    with ExitStack() as stack:
        stack.callback(docker_engine.remove_own)
        proxy = stack.enter_context(engine_proxy(folder, docker_engine.host))
        installation = Installation(docker_engine, folder, proxy)
        installation.project.up()
        await_health(installation.exporter_url, installation.start("exporter.cli"))
        stack.callback(lambda: [one.kill() for one in installation.processes])
        until(installation.connected, what="every session connected")
        yield installation
        installation.look_for_leaks()


@pytest.fixture
def installation(running: Installation) -> Iterator[Installation]:
    """The same with everything at rest, and no agent."""
    until(running.connected, what="every session connected")
    yield running
    running.proxy.passes = lambda _call: True
    running.kill_agents()


def test_new_key_clicked_on_the_page_brings_every_session_back_and_pages_nobody(
    installation: Installation, browser: Browser
) -> None:
    with watched(installation) as watch:
        before, old = installation.inspect(), installation.key()
        agent = installation.start_agent()
        visitor = Visitor(browser, cast(Stack, installation), "desktop")
        visitor.sign_in_first(installation.start_page(watch))
        began = time.time()

        visitor.open("/sync")
        visitor.reads("Everything in sync")
        visitor.press("sync-generate-secret_key-of-main")
        visitor.reads("A new secret key of main is created; the current one stops working.")
        visitor.reads("Written: project/docker-compose.yml.")
        visitor.reads(f"{installation.project.name} is down for about")
        visitor.reads("Its sessions disconnect meanwhile and are expected to reconnect: sales, support.")
        visitor.page.get_by_text("What changes in project/docker-compose.yml").first.click()
        visitor.reads("+ --secretKey: ‹new value›")
        assert installation.key() == old
        visitor.press("sync-approve")
        stays_until(visitor, "Done. Everything is in sync.")
        until(installation.connected, what="every session connected again")

        for step in STEPS:
            visitor.reads(step.format(name=installation.project.name, file=installation.project.file))
        after, new = installation.inspect(), installation.key()
        assert after["Id"] != before["Id"]
        assert after["Config"]["Hostname"] == before["Config"]["Hostname"]
        assert after["Config"]["Cmd"] == ["--secretKey", new, "--port", "21465"]
        assert new != old
        assert installation.accepts(new)
        assert not installation.accepts(old)
        # The process that held every session is another one: all of them were gone, however short.
        assert installation.gateway_uptime() < time.time() - began
        for session in SESSIONS:
            outage = watch.outage_seconds(session, began)
            print(f"{session} was not connected for {outage:.0f} s")
            assert outage < GRACE_SECONDS
        until(lambda: watch.inbox.of("/ping"), what="the dead man's switch, through the whole chain")
        assert watch.inbox.of("/webhook") == []
        assert watch.server.samples('ALERTS{alertstate="firing",severity="critical"}', 300) == []
        said = visitor.page.content()
        assert old not in said
        assert new not in said
        visitor.close()
        assert agent.stop() == 0


def stays_until(visitor: Visitor, text: str) -> None:
    """Wait for a result as somebody does whose browser is on the machine of the containers.

    Chromium drops its connections whenever a network interface of its own machine comes or goes, here with
    each container (ERR_NETWORK_CHANGED); whoever sits elsewhere sees none of that. The result stays, so it is
    there after a reload, too.
    """

    def is_told() -> bool:
        with suppress(PlaywrightError):
            if text in visitor.page.inner_text("body"):
                visitor.page.reload()
                visitor.reads(text)
                return True
            if visitor.page.get_by_text("Connection error").count():
                visitor.page.reload()
        return False

    until(is_told, what=f"the page's word {text!r}")


def test_agent_that_is_killed_in_the_middle_finishes_after_its_next_start(installation: Installation) -> None:
    agent, old = installation.start_agent(), installation.key()

    def passes(call: str) -> bool:
        if call.endswith("/start"):
            agent.send(signal.SIGKILL)
        return True

    installation.proxy.passes = passes
    order = installation.approve_new_key()
    until(lambda: not agent.is_running, what="the agent's death")
    installation.proxy.passes = lambda _call: True
    agent = installation.start_agent()
    ended = installation.await_state(order, RequestState.FAILED)
    until(installation.connected, what="every session connected again")

    assert installation.containers() == {installation.project.name: "running"}
    assert "finished the change" in str(ended.note)
    assert installation.accepts(installation.key())
    assert not installation.accepts(old)
    assert agent.stop() == 0


def test_agent_that_is_told_to_end_takes_back_what_waits(installation: Installation) -> None:
    agent, before = installation.start_agent(), installation.inspect()
    old = installation.key()

    def passes(call: str) -> bool:
        if call.endswith("/start"):
            agent.send(signal.SIGTERM)
        return True

    installation.proxy.passes = passes
    order = installation.approve_new_key()
    ended = installation.await_state(order, RequestState.FAILED)
    until(lambda: not agent.is_running, what="the agent's end")
    until(installation.connected, what="every session connected again")

    assert "was stopped while it waited" in str(ended.note)
    assert f"{installation.project.name} runs with what they hold" in str(ended.note)
    assert agent.stop() == 0
    assert installation.inspect()["Config"]["Hostname"] == before["Config"]["Hostname"]
    assert installation.containers() == {installation.project.name: "running"}
    assert installation.key() == old
    assert installation.accepts(old)
