"""The third-party images to start: as set in `.env`, else as already present, else the default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.stack.engine import Engine
from cli.stack.gateway import CONTAINER, Gateway, is_ours, profiles_of

VOLUMES = "OPS_EVOLUTION_VOLUMES"
VOLUMES_OF_VERSION_1, VOLUMES_OF_VERSION_2 = "evolution", "evolution2"
"""The prefixes of the volumes in docker-compose.yml. The versions never share volumes."""
VERSION_1 = re.compile(r":v?1(\.[\w.-]+)?(@.*)?$")


@dataclass(frozen=True)
class Service:
    """A third-party service in docker-compose.yml."""

    image: str
    """The variable of its image."""
    default: str
    """The image of a new installation."""
    former_default: str
    """The image of installations by releases that did not store the image."""
    volume: str
    """A volume by which such an installation is recognised."""
    container: str
    """The variable of its container's name."""
    container_default: str


GATEWAY = Service(
    image="OPS_GATEWAY_IMAGE",
    default="wppconnect/wppconnect-server:2.10.4",
    former_default="wppconnect/server-cli:1.3.18",
    volume="gateway-tokens",
    container="OPS_GATEWAY_CONTAINER",
    container_default=CONTAINER,
)
EVOLUTION = Service(
    image="OPS_EVOLUTION_IMAGE",
    default="evoapicloud/evolution-api:v2.3.7",
    former_default="atendai/evolution-api:v1.8.2",
    volume="evolution-store",
    container="OPS_EVOLUTION_CONTAINER",
    container_default="leguas_whatsapp_evolution",
)


def choose_images(
    values: Mapping[str, str], found: Mapping[str, str], engine: Engine, project: str, gateway: Gateway
) -> dict[str, str]:
    """Return the variables of images and volumes; `found` are those that the last `make up` stored."""
    chosen = {}
    if gateway.profile == "gateway":
        container = _container(GATEWAY, values, engine, project)
        chosen[GATEWAY.image] = _image(GATEWAY, values, found, engine, project, container)
    container = _container(EVOLUTION, values, engine, project)
    image = _image(EVOLUTION, values, found, engine, project, container)
    if "evolution" in profiles_of(values) or image != EVOLUTION.default:
        chosen[EVOLUTION.image] = image
    # Always stored: a file without it is of a release that did not store the image.
    chosen[VOLUMES] = _volumes(image, found, container)
    chosen["OPS_EVOLUTION_DATABASES"] = "0" if chosen[VOLUMES] == VOLUMES_OF_VERSION_1 else "1"
    return chosen


def notes_on_evolution(
    values: Mapping[str, str], chosen: Mapping[str, str], found: Mapping[str, str]
) -> Iterator[str]:
    """Yield notes on what makes Evolution API unusable or unsafe."""
    if "evolution" not in profiles_of(values):
        return
    if not values.get("EVOLUTION_API_KEY"):
        yield (
            "EVOLUTION_API_KEY: is not set, so that Evolution API takes a key that everybody knows; "
            "write one into .env"
        )
    if VERSION_1.search(chosen[EVOLUTION.image]):
        yield (
            f"{EVOLUTION.image}: {chosen[EVOLUTION.image]} stays, since it is here already; "
            "version 1 is abandoned and shows no QR code any more; docs/deployment.md says how to change to 2"
        )
    elif found and chosen[VOLUMES] != found.get(VOLUMES, chosen[VOLUMES]):
        yield (
            f"{EVOLUTION.image}: version 2 begins with empty volumes, and its sessions are paired "
            "anew; the volumes of version 1 stay as they are"
        )


def _container(
    service: Service, values: Mapping[str, str], engine: Engine, project: str
) -> dict[str, Any] | None:
    container = engine.container(values.get(service.container) or service.container_default)
    return container if container is not None and is_ours(container, project) else None


def _image(
    service: Service,
    values: Mapping[str, str],
    found: Mapping[str, str],
    engine: Engine,
    project: str,
    container: dict[str, Any] | None,
) -> str:
    if named := values.get(service.image):
        return named
    if container is not None:
        return str(container["Config"]["Image"])
    if service.image in found:
        return found[service.image]
    if found and VOLUMES not in found and engine.has_volume(f"{project}_{service.volume}"):
        return service.former_default
    return service.default


def _volumes(image: str, found: Mapping[str, str], container: dict[str, Any] | None) -> str:
    """Return the volumes that the image has used here, else those of its version."""
    if container is not None and container["Config"]["Image"] == image:
        names = [str(mount.get("Name", "")) for mount in container.get("Mounts") or []]
        is_first = any(name.endswith(f"_{VOLUMES_OF_VERSION_1}-instances") for name in names)
        return VOLUMES_OF_VERSION_1 if is_first else VOLUMES_OF_VERSION_2
    if found.get(EVOLUTION.image) == image and VOLUMES in found:
        return found[VOLUMES]
    return VOLUMES_OF_VERSION_1 if VERSION_1.search(image) else VOLUMES_OF_VERSION_2
