"""The gateway of the stack: an existing one, a new one, or the simulated one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cli.importing.words import Word, option
from cli.stack.engine import Engine, StackError
from core.sync.images import known_image

CONTAINER = "leguas_wppconnect"
PORT = 21465
HOST_FROM_INSIDE = "host.docker.internal"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
BUILT_IN_NETWORKS = ("bridge", "host", "none")


@dataclass(frozen=True)
class Gateway:
    """The gateway and its variables for Compose."""

    profile: str
    """"gateway", "demo", or "" for an existing one."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Variables for Compose."""
    says: str = ""
    """One sentence for the user."""

    @property
    def is_adopted(self) -> bool:
        """Whether the gateway exists outside the stack, which then never starts or changes it."""
        return not self.profile


def choose_gateway(values: Mapping[str, str], engine: Engine, *, project: str, demo: bool) -> Gateway:
    """Choose by settings and existing containers. Raise StackError if they contradict each other."""
    name = values.get("OPS_GATEWAY_CONTAINER") or CONTAINER
    container = engine.container(name)
    is_foreign = container is not None and not is_ours(container, project)
    profiles = profiles_of(values)
    if is_foreign and "gateway" in profiles:
        raise StackError(
            f"COMPOSE_PROFILES: asks for a gateway, but a container {name} is there already and is not of "
            "this stack; take `gateway` out to adopt that container, or name another in OPS_GATEWAY_CONTAINER"
        )
    if "gateway" in profiles or "demo" in profiles:
        return Gateway(profile="gateway" if "gateway" in profiles else "demo")
    if demo:
        return Gateway(profile="demo", says="A simulated gateway is started.")
    if values.get("WPPCONNECT_URL"):
        return _adopted(values["WPPCONNECT_URL"], container if is_foreign else None)
    if container is not None and is_foreign:
        return _adopted_container(container)
    return Gateway(profile="gateway", says=f"A gateway is started as container {name}.")


def profiles_of(values: Mapping[str, str]) -> list[str]:
    """Return the profiles of COMPOSE_PROFILES."""
    return [one.strip() for one in values.get("COMPOSE_PROFILES", "").split(",") if one.strip()]


def _adopted(url: str, container: dict[str, Any] | None) -> Gateway:
    parts = urlsplit(url)
    if container is not None and (parts.hostname in (*LOOPBACK, _name(container))):
        return _adopted_container(container)
    if parts.hostname in LOOPBACK:
        # In a container 127.0.0.1 is the container itself.
        port = f":{parts.port}" if parts.port else ""
        url = f"{parts.scheme}://{HOST_FROM_INSIDE}{port}{parts.path}"
    says = f"The gateway at {url} is used as it is; none is started."
    return Gateway(profile="", told={"OPS_GATEWAY_URL": url}, says=says)


def _adopted_container(container: dict[str, Any]) -> Gateway:
    name = _name(container)
    networks = [
        one for one in (container["NetworkSettings"]["Networks"] or {}) if one not in BUILT_IN_NETWORKS
    ]
    if networks:
        told = {
            "OPS_GATEWAY_URL": f"http://{name}:{_inner_port(container)}",
            "OPS_GATEWAY_NETWORK": networks[0],
            "OPS_GATEWAY_NETWORK_EXTERNAL": "true",
        }
        says = f"The container {name} is used as it is, through its network {networks[0]}; none is started."
        return Gateway(profile="", told=told, says=says)
    port = PORT if container["HostConfig"]["NetworkMode"] == "host" else _published_port(container)
    if port is None:
        raise StackError(
            f"{name}: is in no network of its own and publishes no port, so nobody but itself reaches it; "
            f"connect it to one: docker network create gateway && docker network connect gateway {name}"
        )
    told = {"OPS_GATEWAY_URL": f"http://{HOST_FROM_INSIDE}:{port}"}
    says = f"The container {name} is used as it is, through port {port} of this host; none is started."
    return Gateway(profile="", told=told, says=says)


def is_ours(container: dict[str, Any], project: str) -> bool:
    """Return whether a container belongs to this stack."""
    labels = container["Config"].get("Labels") or {}
    return bool(labels.get("com.docker.compose.project") == project)


def _name(container: dict[str, Any]) -> str:
    return str(container["Name"]).lstrip("/")


def _inner_port(container: dict[str, Any]) -> int:
    """Return the port that it listens on: as configured, else the only exposed one, else 21465."""
    config = container["Config"]
    image = known_image(str(config.get("Image") or ""))
    words = [Word(one, "") for one in (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))]
    variables = dict(one.partition("=")[::2] for one in config.get("Env") or ())
    given = option(words, "--port", "-p")
    told = [given.text if given else ""]
    if image is None or image.reads_environment:
        told.insert(0, variables.get("PORT", ""))
    exposed = [one.partition("/")[0] for one in config.get("ExposedPorts") or {} if one.endswith("/tcp")]
    return next((int(one) for one in (*told, *exposed[: len(exposed) == 1]) if one.isdecimal()), PORT)


def _published_port(container: dict[str, Any]) -> int | None:
    bound = (container["HostConfig"].get("PortBindings") or {}).get(f"{_inner_port(container)}/tcp") or []
    return next((int(one["HostPort"]) for one in bound if one.get("HostPort")), None)
