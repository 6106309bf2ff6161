"""Read what the engine says of a container. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.containers.engine import Inspection
from core.propagation.reach import Project

LABEL = "com.docker.compose."
SERVICE = f"{LABEL}service"
CONFIG_HASH = f"{LABEL}config-hash"
VERSION = f"{LABEL}version"
SWARM_TASK = "com.docker.swarm.task.id"


def labels_of(seen: Inspection) -> dict[str, str]:
    """Return a container's labels."""
    return seen["Config"].get("Labels") or {}


def name_of(seen: Inspection) -> str:
    """Return a container's name."""
    return str(seen["Name"]).lstrip("/")


def image_of(seen: Inspection) -> str:
    """Name the image that a container was made from."""
    return str(seen["Config"]["Image"])


def project_of(seen: Inspection) -> Project | None:
    """Return the project from which Compose made a container; None when it did not."""
    return project_of_labels(labels_of(seen))


def project_of_labels(labels: Mapping[str, str]) -> Project | None:
    """Return the project that a container's labels name."""
    name, directory = labels.get(f"{LABEL}project"), labels.get(f"{LABEL}project.working_dir")
    if not name or not directory or not labels.get(SERVICE):
        return None
    return Project(
        name=name,
        directory=Path(directory),
        files=_paths(labels.get(f"{LABEL}project.config_files")),
        env_files=_paths(labels.get(f"{LABEL}project.environment_file")),
    )


def environment_of(seen: Inspection) -> dict[str, str]:
    """Return the variables that a container runs with."""
    return dict(one.partition("=")[::2] for one in seen["Config"].get("Env") or () if "=" in one)


def words_of(seen: Inspection) -> list[str]:
    """Return the words of a container's command line."""
    return [*(seen["Config"].get("Entrypoint") or ()), *(seen["Config"].get("Cmd") or ())]


def argument_in(words: list[str], option: str) -> str | None:
    """Read an option's value from a command line; None when it does not stand there as a word."""
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word == option:
            return None if following is None else str(following)
        if word.startswith(f"{option}="):
            return str(word).partition("=")[2]
    return None


def value_in(environment: dict[str, str], words: list[str], key: str) -> str | None:
    """Read a variable, or an option such as `--secretKey`; None when it is not set."""
    return argument_in(words, key) if key.startswith("--") else environment.get(key)


def host_name_of(seen: Inspection) -> str:
    """Return a container's host name; empty where it has the host's or another container's."""
    host = seen["HostConfig"]
    is_shared = str(host.get("NetworkMode", "")).startswith("container:") or host.get("UTSMode") == "host"
    return "" if is_shared or host.get("NetworkMode") == "host" else str(seen["Config"]["Hostname"])


def _paths(text: str | None) -> tuple[Path, ...]:
    return tuple(Path(one) for one in (text or "").split(",") if one)
