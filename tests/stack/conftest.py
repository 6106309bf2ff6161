"""The image, built by the real Dockerfile, and one installation of it that all tests share."""

from __future__ import annotations

import io
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from docker.errors import ImageNotFound
from playwright.sync_api import Browser

from tests.plugins.leaks import inspect, keep_secret
from tests.plugins.system_tools import require
from tests.support.chromium import chromium
from tests.support.deployed import COMPOSE, ROOT, STAND_INS, Deployed
from tests.support.docker_engine import Engine
from tests.support.stack import PASSWORD
from tests.support.stand_ins import GATEWAYS, gateway_build_context, make_stand_ins

OTHER_FILES = ("/usr/share/doc/busybox-static/copyright", "/usr/share/doc/python3-venv/copyright")
REVISION, CREATED = "0123abc", "2026-01-02T03:04:05Z"
LABELS = {
    "BASE_DIGEST": "sha256:0123",
    "SOURCE": "https://code.example.org/ops",
    "URL": "https://ops.example.org",
    "DOCUMENTATION": "https://docs.example.org",
}
"""Build arguments that become labels."""
PROFILES_AND_TIMES = re.compile(r"(group_wait|group_interval): \w+")


HERE = Path(__file__).parent
LONGEST_SECONDS = 900
"""For one test: the first one waits until the image is built, which takes minutes on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give these tests more time than others."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def stand_ins(docker_engine: Engine) -> Iterator[None]:
    """The images that cannot be pulled; removed again, lest anybody take these for the real ones."""
    require("dockerd", "prometheus", "prometheus-alertmanager", *OTHER_FILES)
    client = docker_engine.client
    there_before = {name for name in STAND_INS if _has(docker_engine, name)}
    if there_before:
        pytest.fail(
            f"the engine has {', '.join(sorted(there_before))} already; this test would use these instead"
        )
    try:
        make_stand_ins(client)
        yield
    finally:
        docker_engine.remove_own()
        for one in STAND_INS:
            if _has(docker_engine, one):
                client.images.remove(one, force=True)


@pytest.fixture(scope="session")
def image(docker_engine: Engine, stand_ins: None) -> str:
    """Our image, built by BuildKit as `make up` builds it, and the stand-ins of the gateways made of it."""
    name = docker_engine.name("ops:buildkit")
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "DOCKER_HOST": docker_engine.host,
        "OPS_IMAGE": name,
        "OPS_BUILD_NETWORK": "host",
        "OPS_REVISION": REVISION,
        "OPS_CREATED": CREATED,
        "OPS_BASE_DIGEST": LABELS["BASE_DIGEST"],
        "OPS_LABEL_SOURCE": LABELS["SOURCE"],
        "OPS_LABEL_URL": LABELS["URL"],
        "OPS_LABEL_DOCUMENTATION": LABELS["DOCUMENTATION"],
        "WPPCONNECT_SECRET_KEY": "",
    }
    began = time.monotonic()
    run([str(COMPOSE), "--project-directory", str(ROOT), "build", "exporter"], environ)
    print(f"built by BuildKit in {time.monotonic() - began:.0f} s")
    for gateway, reads in GATEWAYS.items():
        docker_engine.client.images.build(
            fileobj=io.BytesIO(gateway_build_context(reads)),
            custom_context=True,
            tag=gateway,
            buildargs={"OPS_IMAGE": name},
            rm=True,
        )
    return name


def run(command: list[str], environ: Mapping[str, str]) -> None:
    """Run a command that has to succeed."""
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="session")
def deployed(
    docker_engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """Everything, from nothing, by `make up`; whom to tell of alerts was chosen before."""
    folder = tmp_path_factory.mktemp("checkout")
    there = Deployed.prepare(docker_engine, folder, image, "stack", OPS_ALERT_GRACE="30s")
    choose_receiver(there)
    began = time.monotonic()
    said = there.make("up")
    print(f"make up took {time.monotonic() - began:.0f} s")
    look_for_leaks(there, said)
    try:
        yield there
    finally:
        for service in ("page", "exporter", "prometheus", "alertmanager"):
            look_for_leaks(there, there.container(service).logs().decode(errors="replace"))
        there.destroy()


def choose_receiver(there: Deployed) -> None:
    """Do what docs/monitoring.md tells the administrator to do; and have Alertmanager wait for less."""
    text = (ROOT / "monitoring/alertmanager/alertmanager.yml").read_text()
    text = PROFILES_AND_TIMES.sub(r"\1: 1s", text)
    text = text.replace("https://oncall.example.org/alertmanager", f"http://{there.name}-receiver:8080/")
    text = re.sub(r"\n +http_config:\n +authorization:\n +credentials_file: .*webhook_token", "", text)
    target = there.directory / "config" / "alertmanager" / "alertmanager.yml"
    target.parent.mkdir(parents=True)
    target.write_text(text)


def look_for_leaks(there: Deployed, text: str) -> None:
    """Hand over the installation's secrets, and a text that people can read."""
    env = (there.directory / ".env").read_text()
    keep_secret("secret key", re.findall(r"WPPCONNECT_SECRET_KEY='(.+)'", env))
    keep_secret("password", [PASSWORD])
    keep_secret("Grafana password", [(there.directory / "config/secrets/grafana_admin_password").read_text()])
    inspect(f"{there.name}", text)


def _has(engine: Engine, name: str) -> bool:
    try:
        engine.client.images.get(name)
    except ImageNotFound:
        return False
    return True
