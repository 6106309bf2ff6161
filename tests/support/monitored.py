"""The whole chain, as an installation has it: gateway, exporters, Prometheus, Alertmanager, receiver, page.

Everything runs the shipped files with all their times divided by `FACTOR`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import requests

from cli.main import main as wppconnect_ops
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore
from simulator import Simulator, Times
from tests.meta.source import ROOT
from tests.plugins.leaks import inspect
from tests.support.alertmanager import EVERYBODY, Inbox, alertmanager, web_receiver
from tests.support.mail import mail_server
from tests.support.processes import Process
from tests.support.prometheus import Prometheus, prometheus
from tests.support.scaling import adapted
from tests.support.stack import SECRET, Stack, await_health, free_port
from tests.support.waiting import until

FACTOR = 30
SESSIONS = ("support", "billing", "hotline", "news")
LOST, QUIET, NEW = "sales", "quiet", "new"
"""One that is watched in its own story alone, one that gets paused, and one that is never paired."""
TIMES = Times(scale=0.05, qr_first=0.8, qr_next=0.4, auto_close=7, sync=0.3, unlink=0.1)
FLAGS = (
    "--storage.tsdb.retention.time=35d",
    f"--rules.alert.for-grace-period={60_000 // FACTOR}ms",
    # Defaults of Prometheus that are times, too: 1 minute and 5 minutes.
    f"--rules.alert.resend-delay={60_000 // FACTOR}ms",
    f"--query.lookback-delta={300_000 // FACTOR}ms",
)
AT_REST = {"WppconnectWatchdog": "firing"}


class Notice(NamedTuple):
    """One message that somebody got."""

    alert: str
    session: str
    status: str


class Monitored:
    """The running chain, in the words of a story."""

    def __init__(
        self, simulator: Simulator, page: Stack, replica: Stack, server: Prometheus, inbox: Inbox, pager: str
    ) -> None:
        self.simulator = simulator
        self.page = page
        """The stack with the page; its exporter shares the page's data directory."""
        self.replica = replica
        """An exporter with a data directory of its own."""
        self.prometheus = server
        self.inbox = inbox
        self._pager = pager
        self.exporters: list[Process] = []

    def start_exporters(self) -> None:
        """Start both exporters, on the ports that Prometheus knows."""
        stacks = (self.page, self.replica)
        self.exporters = [
            stack.start_program(
                "exporter.cli", EXPORTER_WEB_LISTEN_ADDRESS=stack.exporter_url.removeprefix("http://")
            )
            for stack in stacks
        ]
        for stack, process in zip(stacks, self.exporters, strict=True):
            await_health(stack.exporter_url, process)

    def kill_exporters(self) -> None:
        """End both without warning."""
        for process in self.exporters:
            process.kill()

    def mend(self) -> None:
        """Put right what a story that failed half way left broken."""
        if not self.simulator.is_gateway_running:
            self.simulator.start_gateway()
        self.enable(LOST, is_enabled=False)
        for session in SESSIONS:
            if not self.simulator.state(session)["check_connection"]:
                self.simulator.pair(session)
        if not all(process.is_running for process in self.exporters):
            self.kill_exporters()
            self.start_exporters()

    def enable(self, session: str, *, is_enabled: bool) -> None:
        """Watch or pause a session as the page does; each data directory has to be told."""
        for stack in (self.page, self.replica):
            settings = SettingsSource(load_environment(stack.environment), FileStore(stack.data / "store"))
            change = settings.saved().with_session("main", session, enabled=is_enabled)
            settings.save(change, expected_revision=settings.current().revision, actor="test")

    def start_session(self, session: str) -> None:
        """Ask the gateway for a QR code, as somebody who wants to pair."""
        headers = {"Authorization": f"Bearer {self.simulator.token(session)}"}
        url = f"{self.simulator.url}/api/{session}/start-session"
        requests.post(url, json={}, headers=headers, timeout=60).raise_for_status()
        until(lambda: self.simulator.urlcode(session), what="a QR code")

    def let_a_code_expire(self, session: str) -> None:
        """Show a QR code that nobody scans, long enough for the exporters to see both verdicts."""
        self.start_session(session)
        self.await_state(session, "waiting_for_qr")
        self.await_state(session, "disconnected")

    def await_state(self, session: str, state: str) -> None:
        """Wait until an exporter says so."""
        sample = f'wppconnect_session_state{{server="main",session="{session}",state="{state}"}}'
        until(lambda: self.page.metric(sample) == "1", what=f"{state} of {session}")

    def notices(self, since: float) -> list[Notice]:
        """Return what was sent after a moment, oldest first."""
        return [_notice(message) for at, message in self.inbox.timed("/webhook") if at > since]

    def await_notice(self, wanted: Notice, since: float) -> tuple[float, dict[str, str]]:
        """Wait for a message; returns when it came and the annotations of its one alert."""

        def found() -> tuple[float, Any] | None:
            arrived = ((at, one) for at, one in self.inbox.timed("/webhook") if at > since)
            return next(((at, one) for at, one in arrived if _notice(one) == wanted), None)

        arrival = until(found, what=f"{wanted}")
        assert arrival is not None
        (alert,) = arrival[1]["alerts"]
        return arrival[0], alert["annotations"]

    def mail(self, words: str, since: float) -> EmailMessage:
        """Wait for the mail with some words in its subject."""

        def found() -> EmailMessage | None:
            arrived = (mail for at, mail in self.inbox.timed("mail") if at > since)
            return next((mail for mail in arrived if words in mail["Subject"]), None)

        mail = until(found, what=f"the mail {words}")
        assert mail is not None
        return mail

    def rest(self) -> float:
        """Wait until nothing is wrong and nothing will be sent any more; returns that moment."""

        connected = (
            f'server_session:wppconnect_session_connected:last{{session=~"{"|".join(SESSIONS)}"}} == 1'
        )

        def is_at_rest() -> bool:
            known = requests.get(f"{self._pager}/api/v2/alerts", timeout=60).json()
            return (
                len(self.prometheus.query(connected)) == len(SESSIONS)
                and self.prometheus.alerts() == AT_REST
                and {one["labels"]["alertname"] for one in known} == set(AT_REST)
            )

        until(is_at_rest, what="everything at rest")
        return time.time()

    def legs(self, alert: str, lost: str, began: float, received: float, **labels: str) -> str:
        """Tell when each step on the way to a notice was taken, in seconds after what began it."""
        chosen = ",".join(f'{name}="{value}"' for name, value in labels.items())
        moments = {"metric 0": self.prometheus.first(f"{lost}{{{chosen}}}", 0, after=began)}
        for state in ("pending", "firing"):
            session = labels.get("session", "")
            selector = f'ALERTS{{alertname="{alert}",alertstate="{state}",session="{session}"}}'
            moments[state] = self.prometheus.first(selector, 1, after=began)
        moments["received"] = received
        assert list(moments.values()) == sorted(moments.values()), moments
        return ", ".join(f"{leg} {at - began:.1f} s" for leg, at in moments.items())


@contextmanager
def monitored(folder: Path) -> Iterator[Monitored]:
    """Run the chain until the tests end."""
    with ExitStack() as stack:
        times = Simulator(secret_key=SECRET, times=TIMES, paired=[*SESSIONS, LOST, QUIET], sessions=[NEW])
        simulator = stack.enter_context(times)
        page, replica = (_exporter_stack(simulator, folder / name) for name in ("page", "replica"))
        for one in (page, replica):
            stack.callback(one.stop)
            stack.callback(one.look_for_leaks)
        inbox = Inbox()
        stack.callback(lambda: inspect("notices", inbox.everything()))
        web = stack.enter_context(web_receiver(inbox))
        mail = stack.enter_context(mail_server(folder, partial(inbox.take, "mail")))
        pager, server = (f"127.0.0.1:{free_port()}" for _ in range(2))
        exporters = [one.exporter_url.removeprefix("http://") for one in (page, replica)]
        kit = _install(folder, page_url=page.page_url, pager=pager, server=server, exporters=exporters)
        (folder / "pager").mkdir()
        pager_url = stack.enter_context(
            alertmanager(
                folder / "pager",
                receiver=EVERYBODY,
                web_port=web,
                mail=mail,
                source=kit / "monitoring" / "alertmanager",
                faster=FACTOR,
                port=int(pager.rpartition(":")[2]),
            )
        )
        running = Monitored(simulator, page, replica, Prometheus(f"http://{server}"), inbox, pager_url)
        running.enable(LOST, is_enabled=False)
        running.start_exporters()
        stack.enter_context(prometheus(kit / "prometheus.yml", folder / "tsdb", *FLAGS, address=server))
        yield running


def _notice(message: Any) -> Notice:
    labels = message["groupLabels"]
    return Notice(labels["alertname"], labels.get("session", ""), message["status"])


def _exporter_stack(simulator: Simulator, folder: Path) -> Stack:
    folder.mkdir()
    names = ",".join((*SESSIONS, LOST, QUIET, NEW))
    stack = Stack(simulator, folder, WPPCONNECT_SESSIONS=names, WPPCONNECT_INTERVAL_SECONDS="1")
    stack.exporter_url, stack.page_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    return stack


def _install(folder: Path, *, page_url: str, pager: str, server: str, exporters: list[str]) -> Path:
    """Write the kit as an administrator does; then make it faster, and lead it to this machine."""
    installed = folder / "kit"
    monitoring = installed / "monitoring"
    assert wppconnect_ops(["rules", "--external-url", page_url, "--output", str(monitoring)]) == 0
    for rules in (monitoring / "rules").iterdir():
        rules.write_text(adapted(rules.read_text(), FACTOR, {}))
    targets = {
        '"127.0.0.1:21466"': ", ".join(f'"{one}"' for one in exporters),
        '"127.0.0.1:9093"': f'"{pager}"',
        '"127.0.0.1:9090"': f'"{server}"',
    }
    shipped = (ROOT / "prometheus.yml").read_text()
    (installed / "prometheus.yml").write_text(adapted(shipped, FACTOR, targets))
    return installed
