"""The image and the containers as the engine knows them: what docs/deployment.md promises, by inspection."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from docker.models.containers import Container

from core.version import version
from tests.stack.conftest import CREATED, LABELS, REVISION, run
from tests.stack.visits import OURS, SERVICES
from tests.support.deployed import PUBLISHED, ROOT, Deployed, copy_checkout
from tests.support.docker_engine import Engine
from tests.support.stand_ins import BASE, GATEWAY_FOLDER, NOBODY
from tests.support.waiting import until

VERSION = version()
MOST_MEGABYTES = 420
WRITES_TO_ITS_ROOT = ("grafana", "gateway")
"""Somebody else's, and never run here with a read-only one."""
FEW_PACKAGES = re.compile(r"^(?:babel|click)==(?:.+\\\n)+.+\n", re.MULTILINE)
CONFIGURED = "User", "ExposedPorts", "Env", "Cmd", "Entrypoint", "Healthcheck", "StopSignal", "WorkingDir"
"""What the Dockerfile says about a container of the image."""


def labels_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of ours; Compose adds some of its own to what it builds."""
    prefix = "org.opencontainers.image."
    labels = config["Labels"]
    return {name.removeprefix(prefix): text for name, text in labels.items() if name.startswith(prefix)}


def test_the_image_is_small_labelled_and_runs_as_nobody_known(docker_engine: Engine, image: str) -> None:
    attrs = docker_engine.client.images.get(image).attrs
    base = docker_engine.client.images.get(BASE).attrs
    added = (attrs["Size"] - base["Size"]) / 1e6
    print(f"the image adds {added:.0f} MB to its base of {base['Size'] / 1e6:.0f} MB")
    labels = labels_of(attrs["Config"])

    assert added < MOST_MEGABYTES
    assert attrs["Config"]["User"] == "10001:10001"
    assert attrs["Config"]["Healthcheck"]["Test"] == ["CMD", "wppconnect-ops", "healthy"]
    assert labels == {
        "title": "wppconnect-ops",
        "description": "Operations page and Prometheus exporter for WPPConnect Server",
        "licenses": "Apache-2.0",
        "version": VERSION,
        "revision": REVISION,
        "created": CREATED,
        "base.name": BASE,
        "base.digest": LABELS["BASE_DIGEST"],
        "source": LABELS["SOURCE"],
        "url": LABELS["URL"],
        "documentation": LABELS["DOCUMENTATION"],
    }


def test_nothing_that_is_needed_was_taken_out_of_the_image(docker_engine: Engine, image: str) -> None:
    docker_engine.client.containers.run(
        image,
        ["-c", "import babel.dates, pandas, phonenumbers, pyarrow, streamlit"],
        entrypoint=["python3"],
        remove=True,
        network_mode="none",
        name=docker_engine.name("imports"),
    )


def test_every_container_is_confined_limited_watched_and_keeps_its_log_short(deployed: Deployed) -> None:
    for service in SERVICES:
        container = deployed.container(service)
        host = container.attrs["HostConfig"]
        assert host["CapDrop"] == ["ALL"], service
        assert host["CapAdd"] is None, service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert host["Privileged"] is False, service
        assert host["ReadonlyRootfs"] is (service not in WRITES_TO_ITS_ROOT), service
        assert min(host["Memory"], host["NanoCpus"], host["PidsLimit"]) > 0, service
        assert host["LogConfig"] == {
            "Type": "json-file",
            "Config": {"max-size": "10m", "max-file": "3"},
        }, service
        assert host["RestartPolicy"]["Name"] == "unless-stopped", service
        until(lambda one=service: deployed.is_healthy(one), what=f"{service}'s health")


def exit_code_of_stop(container: Container) -> int:
    """End a container by SIGTERM, which the engine follows by SIGKILL after a minute; it is started again."""
    container.stop(timeout=60)
    container.reload()
    code: int = container.attrs["State"]["ExitCode"]
    container.start()
    return code


def test_our_containers_write_nowhere_else_leave_no_zombies_and_stop_at_once(deployed: Deployed) -> None:
    for service in OURS:
        container = deployed.container(service)
        assert container.attrs["Config"]["User"] == "10001:10001"
        for place, code in {
            "/opt/x": 1,
            "/x": 1,
            "/etc/x": 1,
            "/var/x": 1,
            "/tmp/x": 0,
            "/data/x": 0,
        }.items():
            assert container.exec_run(["touch", place]).exit_code == code, place
        container.exec_run(["rm", "/tmp/x", "/data/x"])
        # An orphan becomes a child of process 1, which reaps it.
        container.exec_run(["sh", "-c", "(sleep 0.1 &) ; exit 0"])
        until(lambda one=container: "sleep" not in str(one.top()), what="the orphan's end")
        assert "defunct" not in str(container.top())
        assert exit_code_of_stop(container) == 0
        until(lambda one=service: deployed.answers(one), what=f"{service}'s return")


def test_secrets_are_files_that_only_the_containers_and_the_owner_can_read(deployed: Deployed) -> None:
    kept = deployed.directory / "config" / "secrets"
    for service, name in (
        *((one, "wppconnect_secret_key") for one in OURS),
        ("grafana", "grafana_admin_password"),
    ):
        container = deployed.container(service)
        secret = (kept / name).read_text()
        # As the number that the container runs under, which is not the owner's.
        assert container.exec_run(["cat", f"/run/secrets/{name}"]).output.decode() == secret
        assert container.exec_run(["cat", f"/run/secrets/{name}"]).exit_code == 0
        assert secret not in json.dumps(container.attrs)
        # Compose mounts it as it lies here.
        _content, told = container.get_archive(f"/run/secrets/{name}")
        assert told["mode"] == (kept / name).stat().st_mode & 0o777 == 0o444

    for path in (kept / "wppconnect_secret_key", deployed.directory / ".env"):
        asked = subprocess.run(["cat", path], user=NOBODY, group=NOBODY, capture_output=True, check=False)
        assert asked.returncode != 0
        assert asked.stdout == b""


def test_the_gateway_got_its_secret_keeps_its_files_and_cannot_be_reached_from_outside(
    deployed: Deployed,
) -> None:
    gateway = deployed.container("gateway")
    started = gateway.attrs["State"]["StartedAt"]
    until(lambda: deployed.sample("wppconnect_secret_key_valid") == "1", what="the key's acceptance")
    assert deployed.sample("wppconnect_server_default_secret") == "0"
    assert not any(gateway.attrs["NetworkSettings"]["Ports"].values())
    assert gateway.attrs["Config"]["Hostname"] == "wppconnect"
    kept = {one["Destination"]: one["Type"] for one in gateway.attrs["Mounts"]}
    assert kept == {f"/{GATEWAY_FOLDER}/tokens": "volume", f"/{GATEWAY_FOLDER}/userDataDir": "volume"}
    assert set(gateway.attrs["NetworkSettings"]["Networks"]) == {deployed.environ["OPS_GATEWAY_NETWORK"]}

    url = "http://gateway:21465/healthz"
    ask = f"import urllib.request; urllib.request.urlopen('{url}', timeout=5)"
    for service in OURS:
        assert deployed.container(service).exec_run(["python", "-c", ask]).exit_code == 0
    for service in ("prometheus", "alertmanager", "grafana"):
        refused = deployed.container(service).exec_run(["wget", "-q", "-T", "5", "-O", "-", url])
        assert refused.exit_code != 0
        networks = set(deployed.container(service).attrs["NetworkSettings"]["Networks"])
        assert networks == {f"{deployed.name}_monitoring"}
    # What is published passes nothing on to it: a question would end it.
    for service in PUBLISHED:
        asked = requests.get(f"{deployed.url(service)}/unhealthy", timeout=60, allow_redirects=False)
        assert asked.status_code in (401, 404), service
    gateway.reload()
    assert gateway.attrs["State"]["StartedAt"] == started


def test_what_is_published_answers_on_loopback_only(deployed: Deployed) -> None:
    for service, path in PUBLISHED.items():
        assert requests.get(deployed.url(service) + path, timeout=60).status_code == 200
        bound = deployed.container(service).attrs["NetworkSettings"]["Ports"]
        assert {one["HostIp"] for ports in bound.values() for one in ports or []} == {"127.0.0.1"}


def test_prometheus_loaded_the_rules_and_scrapes_everything(deployed: Deployed) -> None:
    def unhealthy() -> list[str]:
        found = requests.get(f"{deployed.url('prometheus')}/api/v1/targets", timeout=60).json()
        return [one["scrapePool"] for one in found["data"]["activeTargets"] if one["health"] != "up"]

    until(lambda: unhealthy() == [], what="healthy targets")
    rules = requests.get(f"{deployed.url('prometheus')}/api/v1/rules", timeout=60).json()["data"]["groups"]
    assert {rule["health"] for group in rules for rule in group["rules"]} <= {"ok", "unknown"}
    assert any(rule["name"] == "WppconnectSessionDisconnected" for group in rules for rule in group["rules"])


def test_the_classic_builder_of_engine_20_10_builds_the_same_image(
    docker_engine: Engine, image: str, tmp_path: Path
) -> None:
    # The instructions are what another builder may read differently; two packages are enough for them.
    context = tmp_path / "context"
    copy_checkout(context)
    locked = (ROOT / "requirements.lock").read_text()
    (context / "requirements.lock").write_text("".join(FEW_PACKAGES.findall(locked)))
    name = docker_engine.name("ops:classic")
    values = {**LABELS, "REVISION": REVISION, "CREATED": CREATED}
    arguments = [f"--build-arg={argument}={value}" for argument, value in values.items()]
    run(
        ["docker", "build", "--quiet", "--network", "host", "--tag", name, *arguments, str(context)],
        {"PATH": os.environ["PATH"], "DOCKER_HOST": docker_engine.host, "DOCKER_BUILDKIT": "0"},
    )

    by_buildkit, classic = (docker_engine.client.images.get(one).attrs["Config"] for one in (image, name))
    said = docker_engine.client.containers.run(
        name,
        ["--version"],
        remove=True,
        read_only=True,
        network_mode="none",
        name=docker_engine.name("version"),
    )

    assert said.decode().startswith(f"wppconnect-ops {VERSION} ")
    assert labels_of(classic) == labels_of(by_buildkit)
    assert {key: classic.get(key) for key in CONFIGURED} == {key: by_buildkit.get(key) for key in CONFIGURED}
