"""`make up`: an installation keeps its images, and no Evolution API gets another version's volumes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cli.stack.images import EVOLUTION, GATEWAY
from tests.fakes.docker import container
from tests.unit.cli.checkout import Checkout

COMPOSE_FILE = Path(__file__).parents[3] / "docker-compose.yml"
OURS = {"com.docker.compose.project": "wppconnect-ops"}
NEW_GATEWAY, NEW_EVOLUTION = GATEWAY.default, EVOLUTION.default
OLD_GATEWAY, OLD_EVOLUTION = "wppconnect/server-cli:1.3.18", "atendai/evolution-api:v1.8.2"
BEFORE = "COMPOSE_PROFILES='gateway'\nOPS_REVISION='unknown'\n"
"""What a release that wrote down no image left in compose.env."""
SINCE = "OPS_EVOLUTION_VOLUMES='evolution2'\n"


def gateway(image: str, **changes: Any) -> dict[str, Any]:
    """The stack's own gateway as a container."""
    return {"leguas_wppconnect": container(image=image, labels=OURS, **changes)}


def evolution(image: str, volumes: str) -> dict[str, Any]:
    """The stack's own Evolution API as a container."""
    name = "leguas_whatsapp_evolution"
    mounted = [f"wppconnect-ops_{volumes}-instances"]
    return {name: container(name, image=image, labels=OURS, volumes=mounted)}


def found(checkout: Checkout, text: str) -> None:
    """Leave what an earlier `make up` wrote down."""
    (checkout.directory / "config").mkdir()
    (checkout.directory / "config/compose.env").write_text(text)


@pytest.mark.parametrize("service", [GATEWAY, EVOLUTION], ids=lambda one: one.image)
def test_the_compose_file_has_the_same_default(service: Any) -> None:
    (default,) = re.findall(rf"\${{{service.image}:-(\S+)}}", COMPOSE_FILE.read_text())

    assert default == service.default


@pytest.mark.parametrize(
    ("machine", "before", "variables", "image"),
    [
        pytest.param({}, "", {}, NEW_GATEWAY, id="from nothing"),
        pytest.param({"containers": gateway(OLD_GATEWAY)}, BEFORE, {}, OLD_GATEWAY, id="it runs"),
        pytest.param({"containers": gateway("own/gateway:7")}, "", {}, "own/gateway:7", id="own image runs"),
        pytest.param(
            {"volumes": ["wppconnect-ops_gateway-tokens"]},
            BEFORE,
            {},
            OLD_GATEWAY,
            id="stopped before the update",
        ),
        pytest.param({}, BEFORE, {}, NEW_GATEWAY, id="an older release adopted another gateway"),
        pytest.param(
            {"volumes": ["wppconnect-ops_gateway-tokens"]},
            SINCE,
            {},
            NEW_GATEWAY,
            id="volumes of a backup alone",
        ),
        pytest.param({}, f"{SINCE}OPS_GATEWAY_IMAGE='a/b:1'\n", {}, "a/b:1", id="stopped since"),
        pytest.param(
            {"containers": gateway(OLD_GATEWAY)},
            "",
            {"OPS_GATEWAY_IMAGE": NEW_GATEWAY},
            NEW_GATEWAY,
            id="wanted",
        ),
    ],
)
def test_a_gateway_keeps_its_image(
    checkout: Checkout, machine: dict[str, Any], before: str, variables: dict[str, str], image: str
) -> None:
    checkout.docker.tell(**machine)
    if before:
        found(checkout, before)

    assert checkout.make("up", WPPCONNECT_SECRET_KEY="k", **variables) == 0

    assert checkout.found["OPS_GATEWAY_IMAGE"] == image


@pytest.mark.parametrize(
    ("machine", "before", "named", "image", "volumes"),
    [
        pytest.param({}, "", "", NEW_EVOLUTION, "evolution2", id="from nothing"),
        pytest.param(
            {"containers": evolution(OLD_EVOLUTION, "evolution")},
            BEFORE,
            "",
            OLD_EVOLUTION,
            "evolution",
            id="1 runs",
        ),
        pytest.param(
            {"volumes": ["wppconnect-ops_evolution-store"]},
            BEFORE,
            "",
            OLD_EVOLUTION,
            "evolution",
            id="1 is stopped",
        ),
        pytest.param(
            {"volumes": ["wppconnect-ops_evolution-store"]},
            SINCE,
            "",
            NEW_EVOLUTION,
            "evolution2",
            id="never ran",
        ),
        pytest.param(
            {"containers": evolution(OLD_EVOLUTION, "evolution")},
            BEFORE,
            NEW_EVOLUTION,
            NEW_EVOLUTION,
            "evolution2",
            id="from 1 to 2",
        ),
        pytest.param(
            {"containers": evolution(OLD_EVOLUTION, "evolution")},
            "",
            "atendai/evolution-api:v1.8.7",
            "atendai/evolution-api:v1.8.7",
            "evolution",
            id="another 1",
        ),
        pytest.param(
            {"containers": evolution(NEW_EVOLUTION, "evolution2")},
            "",
            OLD_EVOLUTION,
            OLD_EVOLUTION,
            "evolution",
            id="back from 2 to 1",
        ),
        pytest.param(
            {"containers": evolution("own/evolution:stable", "evolution")},
            BEFORE,
            "own/evolution:stable",
            "own/evolution:stable",
            "evolution",
            id="own image, which runs",
        ),
        pytest.param(
            {},
            "OPS_EVOLUTION_VOLUMES='evolution'\nOPS_EVOLUTION_IMAGE='own/evolution:stable'\n",
            "own/evolution:stable",
            "own/evolution:stable",
            "evolution",
            id="own image, which is stopped",
        ),
        pytest.param(
            {},
            "",
            "registry:1/evolution-api",
            "registry:1/evolution-api",
            "evolution2",
            id="a port and no tag",
        ),
        pytest.param(
            {},
            "",
            f"atendai/evolution-api:v1.8.2@sha256:{64 * 'a'}",
            f"atendai/evolution-api:v1.8.2@sha256:{64 * 'a'}",
            "evolution",
            id="tag and digest",
        ),
    ],
)
def test_an_evolution_api_keeps_its_image_and_gets_no_other_versions_volumes(
    checkout: Checkout, machine: dict[str, Any], before: str, named: str, image: str, volumes: str
) -> None:
    checkout.docker.tell(**machine)
    if before:
        found(checkout, before)
    variables = {"OPS_EVOLUTION_IMAGE": named} if named else {}

    assert (
        checkout.make("up", COMPOSE_PROFILES="gateway,evolution", WPPCONNECT_SECRET_KEY="k", **variables) == 0
    )

    assert checkout.found["OPS_EVOLUTION_IMAGE"] == image
    assert checkout.found["OPS_EVOLUTION_VOLUMES"] == volumes
    assert checkout.found["OPS_EVOLUTION_DATABASES"] == {"evolution": "0", "evolution2": "1"}[volumes]


def test_a_second_time_the_database_has_the_same_password(checkout: Checkout) -> None:
    checkout.make("up")
    first = checkout.found["OPS_EVOLUTION_DATABASE_PASSWORD"]
    checkout.make("up")

    assert checkout.found["OPS_EVOLUTION_DATABASE_PASSWORD"] == first
    assert len(first) == 32


@pytest.mark.parametrize(
    ("profiles", "image", "key", "notes"),
    [
        ("gateway,evolution", "", "", ["EVOLUTION_API_KEY"]),
        ("gateway,evolution", "", "a-key", []),
        ("gateway", "", "", []),
        ("gateway,evolution", OLD_EVOLUTION, "a-key", ["OPS_EVOLUTION_IMAGE"]),
    ],
    ids=["the public key", "all is well", "not started", "version 1"],
)
def test_what_is_wrong_with_evolution_api_is_a_note(
    checkout: Checkout,
    profiles: str,
    image: str,
    key: str,
    notes: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    variables = {"COMPOSE_PROFILES": profiles, "OPS_EVOLUTION_IMAGE": image, "EVOLUTION_API_KEY": key}

    assert checkout.make("up", WPPCONNECT_SECRET_KEY="k", **variables) == 0

    assert re.findall(r"^note: (\w+): ", capsys.readouterr().out, re.MULTILINE) == notes


def test_a_service_of_no_container_is_not_missed(checkout: Checkout) -> None:
    without = '{"services": {"exporter": {}, "page": {}, "evolution-database": {"deploy": {"replicas": 0}}}}'
    checkout.docker.tell(config=without)

    assert checkout.make("up") == 0
