"""An installation whose gateway gets new secret keys: a Compose project, our processes, their watchers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from core.store import FileStore
from core.sync.change_requests import ChangeKind, ChangeRequest, ChangeRequests, RequestState
from core.sync.targets import ReceivedKind, Receives
from tests.meta.source import ROOT
from tests.plugins.leaks import inspect, inspect_files, keep_secret
from tests.support.alertmanager import Inbox, alertmanager, web_receiver
from tests.support.compose import compose_program
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import EngineProxy
from tests.support.exposition import samples
from tests.support.gateway_container import GatewayProject
from tests.support.processes import Process
from tests.support.prometheus import Prometheus, prometheus
from tests.support.stack import PAIRING_LINK, PASSWORD, await_health, free_port
from tests.support.waiting import until

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
        self.desk = ChangeRequests(FileStore(self.data / "store"))
        self.exporter_url = f"http://127.0.0.1:{free_port()}"
        self.page_url = f"http://127.0.0.1:{free_port()}"
        self.processes: list[Process] = []
        self.keys = [OLD]
        """All that the gateway ever had."""

    def start(self, package: str, *arguments: str, **changes: str) -> Process:
        """Start one of our programs."""
        environ = {
            "PATH": f"{compose_program().parent}:{os.environ['PATH']}",
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
            "DASHBOARD_LISTEN_ADDRESS": self.page_url.removeprefix("http://"),
            "DASHBOARD_PRINT_LINK": "1",
        } | changes
        log = self.folder / f"{package}-{len(self.processes)}.log"
        self.processes.append(Process(package, log, environ, *arguments))
        return self.processes[-1]

    def start_agent(self) -> Process:
        """Start the sync agent."""
        return self.start("cli.main", "sync", "agent")

    def start_page(self, watch: Watch) -> str:
        """Start the page beside Alertmanager; returns the link of the first sign-in."""
        page = self.start("dashboard.cli", ALERTMANAGER_URL=watch.alertmanager)
        await_health(self.page_url, page)
        found = until(lambda: PAIRING_LINK.search(page.printed()), what="the one-time link")
        assert found is not None
        return found.group()

    def gateway_uptime(self) -> float:
        """For how long the gateway's process has been running: nothing that it held before is left of it."""
        return float(requests.get(f"{self.project.url}/healthz", timeout=60).json()["uptime"])

    def kill_agents(self) -> None:
        """End what a test that failed half way left."""
        for one in self.processes[1:]:
            if one.is_running:
                one.kill()

    def connected(self) -> bool:
        """Does the exporter say that every session is connected?"""
        text = requests.get(f"{self.exporter_url}/metrics", timeout=60).text
        connected = [
            value
            for series, value in samples(text).items()
            if series.startswith("wppconnect_session_connected{")
        ]
        return connected == [1] * len(SESSIONS)

    def approve_new_key(self) -> ChangeRequest:
        """Ask for a new secret key as the page does, look at the plan, and approve it."""
        order = self.desk.place(ChangeKind.APPLY, actor="ana", generate=(SECRET_KEY,))
        planned = self.await_state(order, RequestState.PLANNED)
        assert planned.plan is not None
        self.desk.approve(order.id, planned.plan.digest, actor="ana")
        return planned

    def await_state(self, order: ChangeRequest, state: RequestState) -> ChangeRequest:
        """Wait until the order is in a state."""

        def reached() -> ChangeRequest | None:
            now = self.desk.current()
            assert now is not None
            assert now.id == order.id
            assert now.state is state or not now.state.is_final, now.note
            return now if now.state is state else None

        found = until(reached, what=f"state {state}")
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
        found = self.engine.client.containers.list(
            all=True, filters={"name": self.project.name}, ignore_removed=True
        )
        return {str(one.name): str(one.status) for one in found}

    def accepts(self, key: str) -> bool:
        """Does the gateway accept a secret key?"""
        return requests.get(f"{self.project.url}/api/{key}/show-all-sessions", timeout=60).status_code == 200

    def look_for_leaks(self) -> None:
        """Hand over what was used, and everything that anybody can read."""
        keep_secret("secret key", self.keys)
        keep_secret("password", [PASSWORD])
        for process in self.processes:
            inspect(process.log.name, process.printed())
        inspect("metrics", requests.get(f"{self.exporter_url}/metrics", timeout=60).text)
        inspect_files(self.data / "history", "*.jsonl")
        order = self.desk.current()
        inspect("order", order.model_dump_json() if order else "")


@dataclass(frozen=True)
class Watch:
    """Who watches the installation, and whom they would tell."""

    server: Prometheus
    alertmanager: str
    inbox: Inbox

    def outage_seconds(self, session: str, began: float) -> float:
        """Tell for how long an exporter's samples said that a session was not connected.

        0 for a session that is back between two samples.
        """
        ((_, samples),) = self.server.samples(f'wppconnect_session_connected{{session="{session}"}}', 300)
        return float(sum(value == 0 for at, value in samples if at > began))


@contextmanager
def watched(installation: Installation) -> Iterator[Watch]:
    """Have a real Prometheus with the shipped rules look every second, and tell a real Alertmanager."""
    folder = installation.folder / "alertmanager"
    folder.mkdir()
    inbox = Inbox()
    with ExitStack() as stack:
        port = stack.enter_context(web_receiver(inbox))
        teller = stack.enter_context(alertmanager(folder, receiver="webhook", web_port=port))
        target = {"targets": [installation.exporter_url.removeprefix("http://")]}
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ROOT / "monitoring" / "rules" / "*.yml")],
            "scrape_configs": [{"job_name": "wppconnect", "static_configs": [target]}],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [teller.removeprefix("http://")]}]}]
            },
        }
        file = installation.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration))
        data, address = installation.folder / "tsdb", f"127.0.0.1:{free_port()}"
        # What fires before it has found its Alertmanager is otherwise told a minute later.
        resend = "--rules.alert.resend-delay=1s"
        server = stack.enter_context(prometheus(file, data, resend, address=address))
        connected = "sum(wppconnect_session_connected)"
        until(lambda: server.query(connected) == [({}, len(SESSIONS))], what="the first samples")
        yield Watch(server, teller, inbox)
