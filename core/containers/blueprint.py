"""From what the engine tells of a container to an order for one that differs in a few values only.

Pure functions. The oddities are the engine's (measured with 20.10): an inspection cannot be sent back as it
is.
"""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from core.containers.engine import Inspection
from core.models import Frozen

SHORT_ID = 12


class Blueprint(Frozen):
    """How to make a container. It holds the environment, and so secrets: never log it."""

    body: dict[str, Any]
    """For `containers/create`; `HostConfig` and the first network are in it."""
    networks: dict[str, dict[str, Any]]
    """The further networks, to be connected one by one: this dialect takes one at the creation."""

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "Blueprint(...)"

    __str__ = __repr__

    def with_image(self, image_id: str) -> Blueprint:
        """Name the image by its id, where its name means another one by now."""
        return self.model_copy(update={"body": self.body | {"Image": image_id}})


class CannotCopyError(Exception):
    """A container that could not be made anew as it is; the text says why."""


def blueprint(
    seen: Inspection,
    *,
    environment: Mapping[str, str] | None = None,
    arguments: Mapping[str, str] | None = None,
) -> Blueprint:
    """Draw a container's like, with these variables and options changed."""
    config = copy.deepcopy(seen["Config"])
    host = copy.deepcopy(seen["HostConfig"])
    config["Env"] = with_environment(config.get("Env") or [], environment or {})
    entrypoint = config.get("Entrypoint") or []
    words = with_arguments([*entrypoint, *(config.get("Cmd") or ())], arguments or {})
    config["Entrypoint"] = words[: len(entrypoint)] or None
    config["Cmd"] = words[len(entrypoint) :] or None
    if config["Entrypoint"] is None and config["Cmd"]:
        # None would be filled in from the image; the engine reads [""] as "really none".
        config["Entrypoint"] = [""]
    _leave_out_what_others_give(config, host)
    _keep_anonymous_volumes(seen, host)
    host["Links"] = [_link(one) for one in host.get("Links") or ()] or None
    first, networks = _networks(seen, host)
    body = {**config, "HostConfig": host, "NetworkingConfig": {"EndpointsConfig": first}}
    return Blueprint(body={key: value for key, value in body.items() if value is not None}, networks=networks)


def environment_of(seen: Inspection) -> dict[str, str]:
    """Read the variables that a container runs with."""
    return dict(one.partition("=")[::2] for one in seen["Config"].get("Env") or () if "=" in one)


def with_environment(lines: Iterable[str], changes: Mapping[str, str]) -> list[str]:
    """Set variables, each in its place, new ones at the end."""
    left = dict(changes)
    changed = []
    for line in lines:
        key, _, _ = line.partition("=")
        changed.append(f"{key}={left.pop(key)}" if key in left else line)
    return [*changed, *(f"{key}={value}" for key, value in left.items())]


def argument_of(seen: Inspection, option: str) -> str | None:
    """Read an option's value from a container's command; None when it does not stand there as a word."""
    words = [*(seen["Config"].get("Entrypoint") or ()), *(seen["Config"].get("Cmd") or ())]
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word == option:
            return None if following is None else str(following)
        if word.startswith(f"{option}="):
            return str(word).partition("=")[2]
    return None


def with_arguments(words: list[str], changes: Mapping[str, str]) -> list[str]:
    """Set options of a command where they stand."""
    changed = []
    before = ""
    for word in words:
        option, equals, _ = word.partition("=")
        if before in changes:
            changed.append(changes[before])
        elif equals and option in changes:
            changed.append(f"{option}={changes[option]}")
        else:
            changed.append(word)
        before = "" if before in changes else word
    return changed


def _leave_out_what_others_give(config: dict[str, Any], host: Mapping[str, Any]) -> None:
    """Drop what the engine refuses beside another container's network or the host's names."""
    mode = str(host.get("NetworkMode", ""))
    if mode.startswith("container:"):
        for key in ("Hostname", "Domainname", "MacAddress", "ExposedPorts"):
            config.pop(key, None)
    elif host.get("UTSMode") == "host":
        config.pop("Hostname", None)
        config.pop("Domainname", None)


def _keep_anonymous_volumes(seen: Inspection, host: dict[str, Any]) -> None:
    """Name the volumes that were made without a name, or the new container would get empty ones."""
    volumes = {
        posixpath.normpath(one["Destination"]): one for one in seen["Mounts"] if one["Type"] == "volume"
    }
    covered = set()
    binds = []
    for bind in host.get("Binds") or ():
        source, colon, rest = bind.partition(":")
        destination = posixpath.normpath(rest.partition(":")[0] if colon else source)
        covered.add(destination)
        binds.append(bind if colon else f"{volumes[destination]['Name']}:{bind}")
    mounts = []
    for mount in host.get("Mounts") or ():
        destination = posixpath.normpath(mount["Target"])
        covered.add(destination)
        named = {"Source": volumes[destination]["Name"]} if destination in volumes else {}
        mounts.append(mount if mount.get("Source") or mount["Type"] != "volume" else mount | named)
    for destination, volume in volumes.items():
        if destination not in covered:
            mount = {"Type": "volume", "Source": volume["Name"], "Target": volume["Destination"]}
            mounts.append(mount if volume["RW"] else mount | {"ReadOnly": True})
    host["Binds"] = binds or None
    host["Mounts"] = mounts or None


def _link(text: str) -> str:
    """Turn "/db:/app/store" as it is told into "db:store" as it is asked for."""
    other, _, alias = text.partition(":")
    return f"{other.lstrip('/')}:{alias.rpartition('/')[2]}"


def _networks(
    seen: Inspection, host: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    mode = str(host.get("NetworkMode", ""))
    joined = seen["NetworkSettings"]["Networks"] or {}
    if mode in ("host", "none") or mode.startswith("container:"):
        return {}, {}
    wanted = "bridge" if mode == "default" else mode
    first = next(
        (name for name, one in joined.items() if wanted == name or one["NetworkID"].startswith(wanted)), None
    )
    if first is None:
        raise CannotCopyError(f"it was made in the network {wanted} and has been taken out of it")
    endpoints = {name: _endpoint(seen, one) for name, one in joined.items()}
    return {first: endpoints.pop(first)}, endpoints


def _endpoint(seen: Inspection, told: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what was asked for of a network: an address that the engine chose is not."""
    kept = {key: told.get(key) for key in ("IPAMConfig", "Links", "DriverOpts", "Aliases")}
    if kept["Aliases"] is not None:
        # The engine adds each container's short id by itself.
        kept["Aliases"] = [one for one in kept["Aliases"] if one != seen["Id"][:SHORT_ID]]
    return {key: value for key, value in kept.items() if value is not None}
