"""The Docker Engine, as far as it is used here: few calls, each by name, and readings of what it says.

docs/sync.md lists the calls; a test compares that list with what is really asked for.
"""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from docker import APIClient
from docker.errors import APIError, DockerException, NotFound

from core.exceptions import ContainerError
from core.logs import redact
from core.messages import Message
from core.sync.plan import Project

API_VERSION = "1.41"
"""Engine 20.10's, used with newer ones too as long as they know it: it means the same there."""
TIMEOUT_SECONDS = 30.0
DEFAULT_GRACE_SECONDS = 10
"""How long the engine lets a container end that says nothing else."""
NANOSECONDS = 1e9
HEALTH_DEFAULTS = {"Interval": 30.0, "Timeout": 30.0, "StartPeriod": 0.0, "Retries": 3}
"""The engine's own, in seconds."""

REFUSALS = frozenset([401, 403, 405, 501])
"""How a proxy, or the engine's own authorization plugin, answers what it does not let through."""

Inspection = dict[str, Any]
"""What the engine tells of a container."""

COMPOSE_CALLS: Mapping[str, Callable[[Any, str], object]] = {
    "GET /_ping": lambda client, _: client.ping(),
    "GET /containers/json": lambda client, name: client.containers(filters={"name": name}),
    "GET /containers/{id}/json": lambda client, name: client.inspect_container(name),
    "GET /images/{id}/json": lambda client, name: client.inspect_image(name),
    "GET /networks/{id}": lambda client, name: client.inspect_network(name),
    "GET /volumes/{id}": lambda client, name: client.inspect_volume(name),
    "POST /containers/create": lambda client, _: client.create_container_from_config({}),
    "POST /containers/{id}/stop": lambda client, name: client.stop(name),
    "DELETE /containers/{id}": lambda client, name: client.remove_container(name),
    "POST /containers/{id}/rename": lambda client, name: client.rename(name, f"{name}-2"),
    "POST /containers/{id}/start": lambda client, name: client.start(name),
}
"""What Compose recreates a container with, asked for a name that nothing bears: the engine does nothing."""

LABEL = "com.docker.compose."
PROJECT = f"{LABEL}project"
SERVICE = f"{LABEL}service"
CONFIG_HASH = f"{LABEL}config-hash"
VERSION = f"{LABEL}version"
SWARM_TASK = "com.docker.swarm.task.id"


class Engine:
    """A connection to one engine; `with` closes it."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._opened: APIClient | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            self._opened.close()

    def inspect(self, name: str) -> Inspection | None:
        """Return everything of a container, by name or id; None when there is none."""
        with self._errors("look at a container"):
            try:
                return dict(self._client.inspect_container(name))
            except NotFound:
                return None

    def image_id(self, reference: str) -> str | None:
        """Return the id of the image that a name means now; None when there is none of that name."""
        with self._errors("look at an image"):
            try:
                look: Any = self._client.inspect_image  # it has no types
                return str(look(reference)["Id"])
            except NotFound:
                return None

    def inspect_all(self) -> list[Inspection]:
        """Return everything of every container, stopped ones too, but those that go away meanwhile."""
        found = (self.inspect(one["Id"]) for one in self.list_all())
        return [one for one in found if one]

    def list_all(self) -> list[Inspection]:
        """Return id, names, image, state and labels of every container, stopped ones too."""
        with self._errors("list the containers"):
            return list(self._client.containers(all=True))

    def restart(self, container: str, grace_seconds: int) -> None:
        """Stop a container and start it again, as it is."""
        with self._errors("restart a container"):
            self._client.restart(container, timeout=grace_seconds)

    def tail_logs(self, container: str, lines: int) -> str:
        """Read the end of what a container printed, without control characters."""
        with self._errors("read a container's output"):
            output = self._client.logs(container, tail=lines, stdout=True, stderr=True)
            return re.sub(r"[^\x20-\x7e\x80-\U0010ffff]+", " ", output.decode(errors="replace"))

    def refused_calls(self) -> tuple[str, ...]:
        """Return the calls of Compose's that something in front of the engine does not let through."""
        with self._errors("say what it lets through"):
            name = f"wppconnect-ops-{uuid.uuid4().hex}"
            try:
                client = self._client
            except APIError as error:
                return () if _is_of_engine(error) else ("GET /version",)
            refused = []
            for call, ask in COMPOSE_CALLS.items():
                try:
                    ask(client, name)
                except APIError as error:
                    if not _is_of_engine(error):
                        refused.append(call)
            return tuple(refused)

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """Turn what the library raises into our errors, which say what was being done."""
        try:
            yield
        except APIError as error:
            why = Message.of("containers.engine_refuses", doing=doing, reason=_explanation(error))
            raise ContainerError(why) from None
        # What the library lets through of `requests` is an OSError.
        except (DockerException, OSError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            why = Message.of("containers.engine_silent", host=self.host, reason=reason)
            raise ContainerError(why) from None

    @property
    def _client(self) -> APIClient:
        if self._opened is None:
            client = self._connect(API_VERSION)
            try:
                oldest = str(client.version(api_version=False).get("MinAPIVersion", API_VERSION))
            except BaseException:
                client.close()
                raise
            if _number(oldest) > _number(API_VERSION):
                client.close()
                client = self._connect(oldest)
            self._opened = client
        return self._opened

    def _connect(self, version: str) -> APIClient:
        if self.host.startswith("unix://"):
            # The library would only say that there was an error.
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self.host.removeprefix("unix://"))
        client = APIClient(base_url=self.host, version=version, timeout=int(TIMEOUT_SECONDS))
        # A proxy of the environment is for the world outside, not for the engine.
        client.trust_env = False
        return client


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def labels_of(info: Inspection) -> dict[str, str]:
    """Return a container's labels."""
    return info["Config"].get("Labels") or {}


def name_of(info: Inspection) -> str:
    """Return a container's name."""
    return str(info["Name"]).lstrip("/")


def image_of(info: Inspection) -> str:
    """Name the image that a container was made from."""
    return str(info["Config"]["Image"])


def project_of(labels: Mapping[str, str]) -> Project | None:
    """Return the project from which Compose made a container; None when it did not."""
    name, directory = labels.get(PROJECT), labels.get(f"{PROJECT}.working_dir")
    if not name or not directory or not labels.get(SERVICE):
        return None
    return Project(
        name=name,
        directory=Path(directory),
        files=_paths(labels.get(f"{PROJECT}.config_files")),
        env_files=_paths(labels.get(f"{PROJECT}.environment_file")),
    )


def environment_of(info: Inspection) -> dict[str, str]:
    """Return the variables that a container runs with."""
    return dict(one.partition("=")[::2] for one in info["Config"].get("Env") or () if "=" in one)


def words_of(info: Inspection) -> list[str]:
    """Return the words of a container's command line."""
    return [*(info["Config"].get("Entrypoint") or ()), *(info["Config"].get("Cmd") or ())]


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


def host_name_of(info: Inspection) -> str:
    """Return a container's host name; empty where it has the host's or another container's."""
    host = info["HostConfig"]
    is_shared = str(host.get("NetworkMode", "")).startswith("container:") or host.get("UTSMode") == "host"
    return "" if is_shared or host.get("NetworkMode") == "host" else str(info["Config"]["Hostname"])


def health_of(info: Inspection) -> str | None:
    """Return the status of a container's health check; None without one."""
    status = (info["State"].get("Health") or {}).get("Status")
    return None if status in (None, "none") else str(status)


def grace_seconds(info: Inspection) -> int:
    """Return how long a container may take to end, in seconds."""
    given = info["Config"].get("StopTimeout")
    return DEFAULT_GRACE_SECONDS if given is None else int(given)


def down_seconds(info: Inspection) -> float:
    """Estimate how long a container is away: half its grace to end, and what it needs to come up."""
    grace = 0.5 * grace_seconds(info)
    check = health_check_of(info)
    return round(grace + 2.0 + (0.0 if check is None else check["StartPeriod"] + check["Interval"]))


def health_check_of(info: Inspection) -> dict[str, float] | None:
    """Return the seconds and tries of a container's health check; None without one."""
    check = info["Config"].get("Healthcheck") or {}
    if not check.get("Test") or check["Test"][0] == "NONE":
        return None
    given = {
        key: check[key] / NANOSECONDS for key in ("Interval", "Timeout", "StartPeriod") if check.get(key)
    }
    return HEALTH_DEFAULTS | given | ({"Retries": check["Retries"]} if check.get("Retries") else {})


def _paths(text: str | None) -> tuple[Path, ...]:
    return tuple(Path(one) for one in (text or "").split(",") if one)


def _is_of_engine(error: APIError) -> bool:
    """Whether the engine itself answers, which it does in JSON: it knows no such name, for example."""
    return error.status_code not in REFUSALS and _is_json(error)


def _is_json(error: APIError) -> bool:
    kind = error.response.headers.get("Content-Type", "") if error.response is not None else ""
    return kind.startswith("application/json")


def _explanation(error: APIError) -> str:
    """Return why the engine refuses; a proxy's page says no more than its status code."""
    if not _is_json(error):
        return f"HTTP {error.status_code}, by a proxy in front of it"
    return redact(str(error.explanation or type(error).__name__)).strip()
