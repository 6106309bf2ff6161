"""A gateway's secret key is rotated while its sessions are connected: files, container, tokens, alerts.

The gateway is a container of a Compose project on a real Docker Engine; the sync agent, the exporter and
Prometheus are processes of their own.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from core.propagation.orders import Order, OrderDesk, OrderKind, OrderState
from core.propagation.reach import ContainerAction, StepState
from core.propagation.targets import ReceivedKind, Receives
from core.store import FileStore
from tests.meta.source import ROOT
from tests.plugins.leaks import inspect, inspect_files, keep_secret
from tests.plugins.system_tools import require
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import EngineProxy, engine_proxy
from tests.support.gateway_container import GatewayProject
from tests.support.prometheus import Prometheus, prometheus
from tests.support.stack import Process, await_health, free_port
from tests.support.waiting import until

require("prometheus")

pytestmark = pytest.mark.prometheus

OLD = "0123456789abcdef0123456789abcdef"
SESSIONS = ["sales", "support"]
SECRET_KEY = Receives(kind=ReceivedKind.SECRET_KEY, server="main")
GRACE_SECONDS = 180.0
"""As the shipped rules have it: `for: 3m  # grace`."""
SYNC_FILE = """
folders: {{project: {folder}}}
targets:
  - {{file: docker-compose.yml, service: wppconnect, key: --secretKey, receives: secret_key of main}}
containers:
  - {{name: {name}, gateway: main}}
"""


class Installation:
    """The project with its gateway, and our processes beside it."""

    def __init__(self, engine: Engine, folder: Path, proxy: EngineProxy) -> None:
        self.folder = folder
        self.engine = engine
        self.proxy = proxy
        (folder / "project").mkdir()
        self.project = GatewayProject(
            engine, folder / "project", port=free_port(), key=OLD, sessions=SESSIONS
        )
        text = SYNC_FILE.format(folder=folder / "project", name=self.project.name)
        (folder / "sync.yml").write_text(text)
        self.data = folder / "data"
        self.desk = OrderDesk(FileStore(self.data / "store"))
        self.exporter_url = f"http://127.0.0.1:{free_port()}"
        self.processes: list[Process] = []
        self.keys = [OLD]
        """All that the gateway ever had."""

    def start(self, package: str, *arguments: str) -> Process:
        """Start one of our programs."""
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "WPPCONNECT_URL": self.project.url,
            "WPPCONNECT_SECRET_KEY": OLD,
            "WPPCONNECT_SESSIONS": ",".join(SESSIONS),
            "WPPCONNECT_DATA_DIR": str(self.data),
            "WPPCONNECT_INTERVAL_SECONDS": "1",
            "WPPCONNECT_LOG_LEVEL": "debug",
            "WPPCONNECT_SYNC_FILE": str(self.folder / "sync.yml"),
            "WPPCONNECT_DOCKER_HOST": self.proxy.host,
            "EXPORTER_WEB_LISTEN_ADDRESS": self.exporter_url.removeprefix("http://"),
        }
        log = self.folder / f"{package}-{len(self.processes)}.log"
        self.processes.append(Process(package, log, environ, *arguments))
        return self.processes[-1]

    def start_agent(self) -> Process:
        """Start the sync agent."""
        return self.start("cli.main", "sync", "agent")

    def kill_agents(self) -> None:
        """End what a test that failed half way left."""
        for one in self.processes[1:]:
            if one.is_running:
                one.kill()

    def connected(self) -> bool:
        """Does the exporter say that every session is connected?"""
        text = requests.get(f"{self.exporter_url}/metrics", timeout=5).text
        samples = [line for line in text.splitlines() if line.startswith("wppconnect_session_connected{")]
        return [line.rpartition(" ")[2] for line in samples] == ["1"] * len(SESSIONS)

    def approve_new_key(self) -> Order:
        """Ask for a new secret key as the page does, look at the plan, and approve it."""
        order = self.desk.place(OrderKind.APPLY, actor="ana", generate=(SECRET_KEY,))
        planned = self.await_state(order, OrderState.PLANNED)
        assert planned.plan is not None
        self.desk.approve(order.id, planned.plan.digest, actor="ana")
        return planned

    def await_state(self, order: Order, state: OrderState) -> Order:
        """Wait until the order is in a state."""

        def reached() -> Order | None:
            now = self.desk.current()
            assert now is not None
            assert now.id == order.id
            assert now.state is state or not now.state.is_final, now.note
            return now if now.state is state else None

        found = until(reached, seconds=60, what=f"state {state}")
        assert found is not None
        return found

    def key(self) -> str:
        """The key in the compose file."""
        command = yaml.safe_load(self.project.file.read_text())["services"]["wppconnect"]["command"]
        self.keys.append(str(command[1]))
        return self.keys[-1]

    def inspect(self) -> dict[str, Any]:
        """Everything that the engine tells of the gateway's container."""
        return dict(self.engine.client.api.inspect_container(self.project.name))

    def containers(self) -> dict[str, str]:
        """Every container whose name begins with the gateway's, and whether it runs."""
        found = self.engine.client.containers.list(all=True, filters={"name": self.project.name})
        return {str(one.name): str(one.status) for one in found}

    def accepts(self, key: str) -> bool:
        """Does the gateway accept a secret key?"""
        return requests.get(f"{self.project.url}/api/{key}/show-all-sessions", timeout=5).status_code == 200

    def look_for_leaks(self) -> None:
        """Hand over what was used, and everything that anybody can read."""
        keep_secret("secret key", self.keys)
        for process in self.processes:
            inspect(process.log.name, process.printed())
        inspect("metrics", requests.get(f"{self.exporter_url}/metrics", timeout=5).text)
        inspect_files(self.data / "history", "*.jsonl")
        order = self.desk.current()
        inspect("order", order.model_dump_json() if order else "")


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
        until(installation.connected, seconds=30, what="every session connected")
        yield installation
        installation.look_for_leaks()


@pytest.fixture
def installation(running: Installation) -> Iterator[Installation]:
    """The same with everything at rest, and no agent."""
    until(running.connected, seconds=30, what="every session connected")
    yield running
    running.proxy.passes = lambda _call: True
    running.kill_agents()


@contextmanager
def watched_by_prometheus(installation: Installation) -> Iterator[Prometheus]:
    """Have a real Prometheus with the shipped rules look every second."""
    scrape = {
        "job_name": "wppconnect",
        "static_configs": [{"targets": [installation.exporter_url.removeprefix("http://")]}],
    }
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ROOT / "monitoring" / "rules" / "*.yml")],
        "scrape_configs": [scrape],
    }
    file = installation.folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(configuration))
    with prometheus(file, installation.folder / "tsdb", address=f"127.0.0.1:{free_port()}") as server:
        connected = "sum(wppconnect_session_connected)"
        until(lambda: server.query(connected) == [({}, len(SESSIONS))], seconds=20, what="the first samples")
        yield server


def test_new_key_from_the_page_brings_every_session_back_and_pages_nobody(installation: Installation) -> None:
    with watched_by_prometheus(installation) as server:
        before, old = installation.inspect(), installation.key()
        agent = installation.start_agent()
        began = time.time()

        planned = installation.approve_new_key()
        done = installation.await_state(planned, OrderState.DONE)
        until(installation.connected, seconds=30, what="every session connected again")

        after, new = installation.inspect(), installation.key()
        assert planned.plan is not None
        (consequence,) = planned.plan.containers
        assert consequence.action is ContainerAction.RECREATE
        assert consequence.sessions == ("main/sales", "main/support")
        assert done.result is not None
        assert done.result.recreated == (installation.project.name,)
        assert done.result.lost_sessions == ()
        assert {one.state for one in done.steps} == {StepState.DONE}
        assert after["Id"] != before["Id"]
        assert after["Config"]["Hostname"] == before["Config"]["Hostname"]
        assert after["Config"]["Cmd"] == ["--secretKey", new, "--port", "21465"]
        assert new != old
        assert installation.accepts(new)
        assert not installation.accepts(old)
        for session in SESSIONS:
            outage = outage_seconds(server, session, began)
            print(f"{session} was not connected for {outage:.0f} s")
            # May be 0: a session that is back between two samples was never seen to be gone.
            assert outage < GRACE_SECONDS
        assert server.samples('ALERTS{alertstate="firing",severity="critical"}', 300) == []
        assert agent.stop() == 0


def outage_seconds(server: Prometheus, session: str, began: float) -> float:
    """Tell for how long an exporter's samples said that a session was not connected."""
    ((_, samples),) = server.samples(f'wppconnect_session_connected{{session="{session}"}}', 300)
    return float(sum(value == 0 for at, value in samples if at > began))


def test_agent_that_is_killed_in_the_middle_finishes_after_its_next_start(installation: Installation) -> None:
    agent, old = installation.start_agent(), installation.key()

    def passes(call: str) -> bool:
        if call.endswith("/start"):
            agent.send(signal.SIGKILL)
        return True

    installation.proxy.passes = passes
    order = installation.approve_new_key()
    until(lambda: not agent.is_running, seconds=30, what="the agent's death")
    installation.proxy.passes = lambda _call: True
    agent = installation.start_agent()
    ended = installation.await_state(order, OrderState.FAILED)
    until(installation.connected, seconds=60, what="every session connected again")

    assert installation.containers() == {installation.project.name: "running"}
    assert "it finished the change" in ended.note
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
    ended = installation.await_state(order, OrderState.FAILED)
    until(lambda: not agent.is_running, seconds=10, what="the agent's end")
    until(installation.connected, seconds=60, what="every session connected again")

    assert "was stopped while it waited" in ended.note
    assert agent.stop() == 0
    assert installation.inspect()["Id"] == before["Id"]
    assert installation.containers() == {installation.project.name: "running"}
    assert installation.key() == old
    assert installation.accepts(old)
