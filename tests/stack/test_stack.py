"""The image and the compose file on a real engine: every promise of docs/deployment.md, seen from outside."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pyrage
import pytest
import requests
from playwright.sync_api import Browser

from tests.support.deployed import COMPOSE, ROOT, Deployed, inspected
from tests.support.docker_engine import Engine
from tests.support.stack import PASSWORD, SESSION
from tests.support.stand_ins import GATEWAY
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

SERVICES = ("exporter", "page", "prometheus", "alertmanager", "grafana", "gateway")
OURS = ("exporter", "page")
SAVE_SETTINGS = """
import sys
from core.settings import load_environment
from core.settings_store import SettingsSource
from core.store import FileStore
source = SettingsSource(load_environment(), FileStore(__import__("pathlib").Path("/data/store")))
while True:
    current = source.current()
    changed = source.saved().with_interval(5 + current.revision % 7)
    print(source.save(changed, expected_revision=current.revision, actor="test").revision, flush=True)
"""
READ_SETTINGS = """
from core.settings import load_environment
from core.settings_store import SettingsSource
from core.store import FileStore, History
from pathlib import Path
source = SettingsSource(load_environment(), FileStore(Path("/data/store")))
current = source.current()
print(current.revision, current.interval_seconds, len(source.problems))
"""


def signed_in(browser: Browser, there: Deployed) -> Visitor:
    """Sign in, with the one-time link as long as there is one."""
    visitor = Visitor(browser, there, "phone")  # type: ignore[arg-type]
    visitor.open("/")
    if visitor.page.locator("input[name=password]").count():
        visitor.sign_in()
    else:
        visitor.sign_in_first(there.make("link").strip())
    return visitor


def connect(browser: Browser, there: Deployed) -> None:
    """Make sure that the session is connected, by scanning its code."""
    until(lambda: there.connected() is not None, seconds=30, what="the exporter's word on the session")
    if there.connected() == "1":
        return
    visitor = signed_in(browser, there)
    scan(visitor, there)
    visitor.close()


def scan(visitor: Visitor, there: Deployed) -> None:
    """Have a QR code made on the session's page and scan it."""
    visitor.open_session()
    visitor.press(f"repair-main-{SESSION}")
    scan_what_is_shown(visitor, there)


def scan_what_is_shown(visitor: Visitor, there: Deployed) -> None:
    """Scan the live code as soon as it is on the screen, and wait until the exporter sees it."""
    visitor.await_live_qr()
    there.phone("POST", f"/control/sessions/{SESSION}/scan")
    visitor.reads(f"{SESSION} is connected")
    until(lambda: there.connected() == "1", seconds=20, what="1 on the exporter")


def python(there: Deployed, service: str, code: str) -> str:
    """Run a program in a service's container."""
    done = there.container(service).exec_run(["python", "-c", code])
    assert done.exit_code == 0, done.output.decode()
    return str(done.output.decode())


def test_a_lost_session_is_told_once_paired_anew_and_told_as_resolved(
    browser: Browser, deployed: Deployed
) -> None:
    connect(browser, deployed)
    read = deployed.start_receiver()
    for variable in ("prometheus", "alertmanager"):
        until(lambda one=variable: deployed.is_healthy(one), seconds=60, what=f"{variable}'s health")
    # A session pages only once it was seen connected by Prometheus, too.
    query = f"{deployed.url('prometheus')}/api/v1/query?query=wppconnect_session_connected"
    until(
        lambda: [one["value"][1] for one in requests.get(query, timeout=5).json()["data"]["result"]] == ["1"],
        seconds=30,
        what="Prometheus's sight of the session",
    )

    def told(status: str) -> list[dict[str, object]]:
        alerts = [
            alert
            for notice in requests.get(read, timeout=5).json()
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


def test_killed_containers_come_back_one_by_one_and_all_at_once_in_the_middle_of_pairing(
    browser: Browser, deployed: Deployed
) -> None:
    connect(browser, deployed)
    for service in SERVICES:
        deployed.crash(service)
        until(lambda: deployed.connected() == "1", seconds=40, what=f"the session after {service}'s return")

    deployed.phone("POST", f"/control/sessions/{SESSION}/unlink")
    until(lambda: deployed.connected() == "0", seconds=20, what="the loss of the session")
    visitor = signed_in(browser, deployed)
    visitor.open_session()
    visitor.press(f"repair-main-{SESSION}")
    visitor.await_live_qr()
    deployed.crash(*SERVICES)

    # Still signed in. The code on the screen is gone with the gateway's memory; a new one is one click away.
    visitor.open_session()
    assert visitor.page.locator("input[name=password]").count() == 0
    scan(visitor, deployed)
    visitor.close()


def test_settings_that_were_saved_outlive_a_crash_in_the_middle_of_saving(deployed: Deployed) -> None:
    command = ["docker", "exec", deployed.container("page").name, "python", "-c", SAVE_SETTINGS]
    with subprocess.Popen(command, env=deployed.environ, stdout=subprocess.PIPE, text=True) as saving:
        assert saving.stdout is not None
        confirmed = [int(saving.stdout.readline()) for _ in range(20)]
        deployed.crash(*OURS)
        confirmed += [int(line) for line in saving.stdout.read().splitlines()]

    revision, interval, problems = python(deployed, "page", READ_SETTINGS).split()

    # The last one may have reached the disk and not the terminal.
    assert int(revision) - confirmed[-1] in (0, 1)
    assert float(interval) == 5 + (int(revision) - 1) % 7
    assert problems == "0"


def test_a_burnt_machine_is_restored_from_an_encrypted_backup(
    browser: Browser, deployed: Deployed, tmp_path: Path
) -> None:
    connect(browser, deployed)
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(str(key))
    history = "import glob; print(sum(len(open(f).readlines()) for f in glob.glob('/data/history/*.jsonl')))"
    before = python(deployed, "page", history)
    began = time.monotonic()
    deployed.make("backup", f"TO={tmp_path / 'saved'}", f"RECIPIENT={key.to_public()}")
    saved_after = time.monotonic() - began
    env = (deployed.directory / ".env").read_bytes()
    deployed.destroy()
    for name in (".env", "config"):
        subprocess.run(["rm", "-rf", str(deployed.directory / name)], check=True)

    began = time.monotonic()
    deployed.make("restore", f"FROM={tmp_path / 'saved'}", f"IDENTITY_FILE={tmp_path / 'key'}")
    deployed.make("up")
    print(f"backup took {saved_after:.0f} s, restoration and start {time.monotonic() - began:.0f} s")

    until(lambda: deployed.connected() == "1", seconds=30, what="the gateway's pairing")
    assert (deployed.directory / ".env").read_bytes() == env
    assert int(python(deployed, "page", history)) >= int(before)
    visitor = Visitor(browser, deployed, "desktop")  # type: ignore[arg-type]
    visitor.open("/")
    visitor.sign_in()
    visitor.reads("All 1 connected")
    visitor.close()
    assert b"AGE" not in (tmp_path / "saved").read_bytes()[:200]
    assert PASSWORD.encode() not in (tmp_path / "saved").read_bytes()


def test_our_containers_run_as_promised(deployed: Deployed, docker_engine: Engine, image: str) -> None:
    labels = docker_engine.client.images.get(image).labels
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    for service in OURS:
        container = deployed.container(service)
        host = container.attrs["HostConfig"]
        assert container.attrs["Config"]["User"] == "10001:10001"
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert host["Init"] is True
        # An orphan's zombie is reaped by process 1, and nothing but /data and /tmp can be written.
        container.exec_run(["sh", "-c", "(sleep 0.1 &) ; exit 0"])
        refused = container.exec_run(["sh", "-c", "touch /opt/x /x /etc/x"])
        assert refused.exit_code != 0
        until(lambda one=container: "defunct" not in str(one.top()), what="no zombies")
        began = time.monotonic()
        container.stop(timeout=10)
        assert time.monotonic() - began < 2
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0
        container.start()
        until(lambda one=service: deployed.is_healthy(one), seconds=60, what=f"{service}'s return")


def test_secrets_are_files_that_only_the_containers_and_the_owner_can_read(deployed: Deployed) -> None:
    secret = (deployed.directory / "config/secrets/wppconnect_secret_key").read_text()
    for service in OURS:
        container = deployed.container(service)
        read = container.exec_run(["cat", "/run/secrets/wppconnect_secret_key"])
        assert read.output.decode() == secret
        assert secret not in json.dumps(container.attrs["Config"])
    grafana = deployed.container("grafana").exec_run(["wget", "--help"])
    assert grafana.exit_code is not None
    assert (deployed.directory / "config").stat().st_mode & 0o077 == 0


def test_the_gateway_got_its_secret_and_nothing_of_it_is_published(deployed: Deployed) -> None:
    until(
        lambda: deployed.sample("wppconnect_secret_key_valid") == "1", seconds=30, what="the key's acceptance"
    )
    assert deployed.sample("wppconnect_server_default_secret") == "0"
    gateway = deployed.container("gateway")
    assert not any(gateway.attrs["NetworkSettings"]["Ports"].values())
    assert gateway.attrs["Config"]["Hostname"] == "wppconnect"
    assert set(gateway.attrs["NetworkSettings"]["Networks"]) == {deployed.environ["OPS_GATEWAY_NETWORK"]}
    addresses = "import socket; socket.getaddrinfo('gateway', 21465)"
    assert deployed.container("exporter").exec_run(["python", "-c", addresses]).exit_code == 0
    for service in ("prometheus", "alertmanager", "grafana"):
        networks = set(deployed.container(service).attrs["NetworkSettings"]["Networks"])
        assert networks == {f"{deployed.name}_monitoring"}


def test_what_is_published_answers_on_loopback_only(deployed: Deployed) -> None:
    paths = {
        "page": "/-/healthy",
        "exporter": "/-/healthy",
        "prometheus": "/-/healthy",
        "alertmanager": "/-/healthy",
        "grafana": "/api/health",
    }
    for service, path in paths.items():
        assert requests.get(deployed.url(service) + path, timeout=5).status_code == 200
        bound = deployed.container(service).attrs["NetworkSettings"]["Ports"]
        assert {one["HostIp"] for ports in bound.values() for one in ports or []} == {"127.0.0.1"}
    assert requests.get(f"{deployed.url('exporter')}/unhealthy", timeout=5).status_code == 404


def test_prometheus_loaded_the_rules_and_scrapes_everything(deployed: Deployed) -> None:
    def unhealthy() -> list[str]:
        found = requests.get(f"{deployed.url('prometheus')}/api/v1/targets", timeout=5).json()
        return [one["scrapePool"] for one in found["data"]["activeTargets"] if one["health"] != "up"]

    until(lambda: unhealthy() == [], seconds=40, what="healthy targets")
    rules = requests.get(f"{deployed.url('prometheus')}/api/v1/rules", timeout=5).json()["data"]["groups"]
    assert {rule["health"] for group in rules for rule in group["rules"]} <= {"ok", "unknown"}
    assert any(rule["name"] == "WppconnectSessionDisconnected" for group in rules for rule in group["rules"])


def test_an_old_stack_is_adopted_and_not_touched(docker_engine: Engine, image: str, tmp_path: Path) -> None:
    network = docker_engine.client.networks.create(docker_engine.name("old-default"))
    old = docker_engine.client.containers.run(
        GATEWAY,
        ["--secretKey", "an-old-secret-key-of-32-letters!", "--port", "21465"],
        name=docker_engine.name("old-gateway"),
        network=network.name,
        detach=True,
    )
    there = Deployed.prepare(
        docker_engine,
        tmp_path / "checkout",
        image,
        "beside",
        OPS_GATEWAY_CONTAINER=str(old.name),
        WPPCONNECT_SECRET_KEY="an-old-secret-key-of-32-letters!",
    )
    # The variables of the test's own gateway must not hide what make up finds out.
    del there.environ["OPS_GATEWAY_NETWORK"]
    old.reload()
    before = inspected(old.attrs)

    said = there.make("up")
    until(
        lambda: there.sample("wppconnect_secret_key_valid") == "1",
        seconds=30,
        what="the old gateway's answer",
    )

    assert f"The container {old.name} is used as it is" in said
    assert there.sample("wppconnect_up") == "1"
    assert not docker_engine.client.containers.list(
        filters={"label": [f"com.docker.compose.project={there.name}", "com.docker.compose.service=gateway"]}
    )
    there.make("down")
    old.reload()
    assert inspected(old.attrs) == before
    assert old.status == "running"


def test_the_image_is_built_by_buildkit_as_well(docker_engine: Engine, image: str) -> None:
    name = f"{docker_engine.prefix}-ops:buildkit"
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "DOCKER_HOST": docker_engine.host,
        "OPS_IMAGE": name,
        "OPS_BUILD_NETWORK": "host",
        "WPPCONNECT_SECRET_KEY": "",
    }
    command = [str(COMPOSE), "--project-directory", str(ROOT), "build", "exporter"]
    began = time.monotonic()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    print(f"built by BuildKit in {time.monotonic() - began:.0f} s")

    said = docker_engine.client.containers.run(
        name,
        ["--version"],
        remove=True,
        read_only=True,
        network_mode="none",
        name=docker_engine.name("version"),
    )

    assert said.startswith(b"wppconnect-ops ")
