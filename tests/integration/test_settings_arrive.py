"""Every documented setting, written in `.env`, arrives in the containers that use it, or is named by `up`."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.plan import SimulatorEnvironment
from cli.stack.checks import MEANINGLESS_IN_A_CONTAINER, notes_on_settings, passed_settings
from core.settings.environment import CoreEnvironment
from core.settings.loader import Environment
from dashboard.settings import DashboardEnvironment
from exporter.settings import ExporterEnvironment
from tests.support.compose import compose_program

ROOT = Path(__file__).parents[2]
AS_A_FILE = {"WPPCONNECT_SECRET_KEY", "WPPCONNECT_SECRET_KEY_FILE"}
"""`make up` writes the secret key into a file, which every container gets."""
OURS = ("exporter", "page", "sync-agent")


def documented() -> list[str]:
    """Return every setting that .env.example offers and docs/settings.md lists, secrets also as files."""
    example = (ROOT / ".env.example").read_text()
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}
    return sorted(names | set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE)))


def users_of(name: str) -> tuple[str, ...]:
    """Return the services that use a setting."""
    if name.startswith("EXPORTER_"):
        return ("exporter",)
    return ("page",) if name.startswith(("DASHBOARD_", "ALERTMANAGER_", "GRAFANA_")) else OURS


def config(folder: Path, env: str) -> dict[str, Any]:
    """Let Compose read the product's file with this `.env`."""
    (folder / ".env").write_text(env)
    command = [str(compose_program()), "--project-directory", str(ROOT), "--env-file", str(folder / ".env")]
    done = subprocess.run(
        [*command, "-f", str(ROOT / "docker-compose.yml"), "config", "--format", "json"],
        env={"PATH": "/usr/bin:/bin", "COMPOSE_PROFILES": "*"},
        capture_output=True,
        text=True,
        check=True,
    )
    services: dict[str, Any] = json.loads(done.stdout)["services"]
    return services


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What each service gets when `.env` sets every documented setting to a value of its own."""
    env = "WPPCONNECT_SECRET_KEY='k'\n" + "".join(f"{name}='value of {name}'\n" for name in documented())
    services = config(tmp_path_factory.mktemp("env"), env)
    return {name: service.get("environment") or {} for name, service in services.items()}


@pytest.mark.parametrize("name", [one for one in documented() if one not in AS_A_FILE])
def test_documented_setting_arrives_where_it_is_used_or_is_named(
    arrived: dict[str, dict[str, str]], name: str
) -> None:
    notes = [*notes_on_settings({name: "x"}, has_override=True)]
    values = {service: arrived[service].get(name) for service in users_of(name)}

    assert values == dict.fromkeys(values, f"value of {name}") or notes


def test_only_what_means_nothing_in_a_container_is_left_out() -> None:
    named = {name for name in documented() if [*notes_on_settings({name: "x"}, has_override=True)]}

    assert named <= set(MEANINGLESS_IN_A_CONTAINER)


def test_secret_key_arrives_as_a_file(arrived: dict[str, dict[str, str]]) -> None:
    assert {arrived[name]["WPPCONNECT_SECRET_KEY_FILE"] for name in OURS} == {
        "/run/secrets/wppconnect_secret_key"
    }


@pytest.mark.parametrize("model", [CoreEnvironment, ExporterEnvironment, DashboardEnvironment])
def test_every_setting_of_the_code_is_passed_on_or_means_nothing_there(model: type[Environment]) -> None:
    known = passed_settings() | AS_A_FILE | set(MEANINGLESS_IN_A_CONTAINER)

    assert {model.variable(name) for name in model.model_fields} - known == set()


def test_settings_that_mean_nothing_there_exist() -> None:
    models = (CoreEnvironment, ExporterEnvironment, DashboardEnvironment, SimulatorEnvironment)
    names = {model.variable(name) for model in models for name in model.model_fields}

    assert {
        name.removesuffix("_FILE") if name == "ALERTMANAGER_URL_FILE" else name
        for name in MEANINGLESS_IN_A_CONTAINER
    } <= names


def test_what_is_not_set_does_not_exist_for_a_container(tmp_path: Path) -> None:
    services = config(tmp_path, "WPPCONNECT_SECRET_KEY='k'\n")

    set_ones = {name for name, value in services["page"]["environment"].items() if value}
    assert set_ones == {
        "ALERTMANAGER_URL",
        "DASHBOARD_EXTERNAL_URL",
        "DASHBOARD_LISTEN_ADDRESS",
        "GRAFANA_URL",
        "WPPCONNECT_SECRET_KEY_FILE",
        "WPPCONNECT_SERVER_NAME",
        "WPPCONNECT_SESSIONS",
        "WPPCONNECT_URL",
    }
