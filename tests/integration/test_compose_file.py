"""docker-compose.yml and the Dockerfile, judged by a real Compose, compose-lint and hadolint."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import compose
import pytest
import yaml

from tests.plugins.system_tools import require

ROOT = Path(__file__).parents[2]
COMPOSE = Path(str(compose.__file__)).with_name("docker-compose")
"""The program itself: the package's wrapper swallows its exit code."""
CHOSEN = ("gateway", "evolution", "demo", "sync", "tools")
PROFILES = [
    *(",".join(some) for count in range(len(CHOSEN) + 1) for some in combinations(CHOSEN, count)),
    "*",
]


def config(profiles: str, *files: str, **variables: str) -> dict[str, Any]:
    """Let Compose read the file, and others upon it."""
    environ = {
        "PATH": "/usr/bin:/bin",
        "WPPCONNECT_SECRET_KEY": "k",
        "COMPOSE_PROFILES": profiles,
    } | variables
    chosen = [word for file in ("docker-compose.yml", *files) for word in ("-f", str(ROOT / file))]
    command = [str(COMPOSE), "--project-directory", str(ROOT), *chosen, "config", "--format", "json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    """All services of all profiles."""
    services: dict[str, Any] = config("*")["services"]
    return services


@pytest.mark.parametrize("profiles", PROFILES)
def test_compose_reads_every_profile_without_a_word(profiles: str) -> None:
    services = config(profiles)["services"]

    assert {"exporter", "page", "prometheus", "alertmanager", "grafana"} <= set(services)


def test_the_gateway_cannot_be_reached_from_outside(everything: dict[str, Any]) -> None:
    gateway = everything["gateway"]

    assert "ports" not in gateway
    neighbours = {name for name, one in everything.items() if "gateway" in (one.get("networks") or {})}
    assert neighbours == {"gateway", "simulator", "exporter", "page", "sync-agent"}


def test_only_the_sync_agent_has_the_engines_socket_and_your_folder_and_it_is_off_by_default() -> None:
    told = {"OPS_SYNC_FOLDER": "/srv/leguas", "OPS_DOCKER_GID": "998"}
    services = config("*", **told)["services"]

    for path in ("/var/run/docker.sock", "/srv/leguas"):
        have = [
            name for name, one in services.items() if path in {v["source"] for v in one.get("volumes", [])}
        ]
        assert have == ["sync-agent"]
    agent = services["sync-agent"]
    assert agent["group_add"] == ["998"]
    assert agent["networks"].keys() == {"gateway"}
    assert "ports" not in agent
    assert "sync-agent" not in config("gateway", **told)["services"]


def test_the_gateway_gets_its_secret_and_keeps_what_it_writes() -> None:
    gateway = config("gateway", WPPCONNECT_SECRET_KEY="a$b$$c")["services"]["gateway"]

    assert gateway["container_name"] == "leguas_wppconnect"
    assert gateway["hostname"]
    # Compose writes a dollar sign twice in its own output.
    assert gateway["command"][:2] == ["--secretKey", "a$$b$$$$c"]
    assert gateway["environment"]["SECRET_KEY"] == "a$$b$$$$c"
    assert {one["target"] for one in gateway["volumes"]} == {
        "/usr/src/wpp-server/tokens",
        "/usr/src/wpp-server/userDataDir",
    }
    assert {one["type"] for one in gateway["volumes"]} == {"volume"}


def test_a_proxy_beside_it_reaches_the_page_alone_and_has_the_address_that_is_trusted() -> None:
    example = "deploy/caddy/docker-compose.override.yml"
    trusted = re.search(r"DASHBOARD_TRUSTED_PROXIES=(\S+)", (ROOT / example).read_text())
    assert trusted

    services = config("gateway", example, DASHBOARD_TRUSTED_PROXIES=trusted[1])["services"]

    assert services["caddy"]["networks"] == {"proxy": {"ipv4_address": trusted[1]}}
    assert services["page"]["environment"]["DASHBOARD_TRUSTED_PROXIES"] == trusted[1]
    assert services["page"]["networks"].keys() == {"gateway", "monitoring", "proxy"}
    assert [name for name, one in services.items() if "proxy" in one["networks"]] == ["caddy", "page"]
    published = {
        name for name, one in services.items() for port in one.get("ports", []) if "host_ip" not in port
    }
    assert published == {"caddy"}


def test_names_of_containers_can_be_chosen() -> None:
    services = config("*", OPS_GATEWAY_CONTAINER="one", OPS_EVOLUTION_CONTAINER="two")["services"]

    assert services["gateway"]["container_name"] == "one"
    assert services["evolution"]["container_name"] == "two"


def test_a_gateway_is_not_started_without_its_secret() -> None:
    command = [str(COMPOSE), "--project-directory", str(ROOT), "config", "--quiet"]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, cwd=ROOT)

    assert done.returncode != 0
    assert "make up writes one into .env" in done.stderr


def test_everything_is_published_on_loopback_only(everything: dict[str, Any]) -> None:
    published = {port["host_ip"] for one in everything.values() for port in one.get("ports", [])}

    assert published == {"127.0.0.1"}


def test_every_container_is_limited_hardened_and_rotates_its_log(everything: dict[str, Any]) -> None:
    for name, one in everything.items():
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["deploy"]["resources"]["limits"].keys() >= {"memory", "cpus", "pids"}, name
        assert one["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert not one.get("privileged"), name


def test_our_own_containers_cannot_write_but_to_their_volume(everything: dict[str, Any]) -> None:
    for name in ("exporter", "page", "sync-agent", "simulator", "prometheus", "alertmanager"):
        assert everything[name]["read_only"] is True, name
    for name in ("exporter", "page", "sync-agent", "simulator"):
        assert everything[name]["init"] is True, name


def test_an_adopted_gateways_network_is_joined_and_not_made() -> None:
    told = {
        "OPS_GATEWAY_URL": "http://leguas_wppconnect:21465",
        "OPS_GATEWAY_NETWORK": "old_default",
        "OPS_GATEWAY_NETWORK_EXTERNAL": "true",
        "WPPCONNECT_URL": "http://127.0.0.1:21465",
    }
    found = config("", **told)

    assert found["networks"]["gateway"] == {"name": "old_default", "external": True, "ipam": {}}
    assert found["services"]["page"]["environment"]["WPPCONNECT_URL"] == "http://leguas_wppconnect:21465"
    assert "gateway" not in found["services"]


def test_compose_lint_finds_only_what_is_argued_beside_it() -> None:
    program = str(Path(sys.executable).with_name("compose-lint"))
    command = [program, "check", "--strict-config", "--fail-on", "low", "--format", "json"]
    done = subprocess.run(
        [*command, "docker-compose.yml"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {(one["rule_id"], one["service"]) for one in json.loads(done.stdout)["findings"]}

    # And everything that .compose-lint.yml argues is still found.
    rules = yaml.safe_load((ROOT / ".compose-lint.yml").read_text())["rules"]
    excluded = {(rule, service) for rule, one in rules.items() for service in one.get("exclude_services", ())}
    everywhere = {rule for rule, one in rules.items() if one.get("reason")}
    assert {(rule, service) for rule, service in found if rule not in everywhere} == excluded
    assert everywhere <= {rule for rule, _service in found}


def test_hadolint_finds_nothing() -> None:
    command = [str(Path(sys.executable).with_name("hadolint")), "--no-color", "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_prometheus_is_told_the_same_in_and_out_of_compose() -> None:
    outside = (ROOT / "prometheus.yml").read_text()
    inside = (ROOT / "monitoring/prometheus/prometheus.yml").read_text()
    places = {
        "127.0.0.1:21466": "exporter:21466",
        "127.0.0.1:9093": "alertmanager:9093",
        "monitoring/rules": "/etc/prometheus/rules",
    }

    expected = re.sub("|".join(places), lambda match: places[match[0]], outside)

    assert yaml.safe_load(inside) == yaml.safe_load(expected)


def test_promtool_accepts_what_prometheus_reads_in_compose(tmp_path: Path) -> None:
    require("promtool")
    text = (ROOT / "monitoring/prometheus/prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus", str(ROOT / "monitoring")))

    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
