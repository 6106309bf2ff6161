"""The Docker Engine, as far as it is used here: few calls, each by name, and errors in words of ours.

docs/sync.md lists the calls; a test compares that list with what is really asked for.
"""

from __future__ import annotations

import functools
import re
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from docker import APIClient
from docker.errors import APIError, DockerException, NotFound

from core.exceptions import ContainerError, EngineUnreachableError
from core.logs import redact

DIALECT = "1.41"
"""Engine 20.10's, spoken to newer ones too as long as they know it: it means the same there."""
TIMEOUT_SECONDS = 30.0
DEFAULT_GRACE_SECONDS = 10
"""How long the engine lets a container end that says nothing else."""

Inspection = dict[str, Any]
"""What the engine tells of a container."""

P = ParamSpec("P")
R = TypeVar("R")


def _speaking(
    doing: str,
) -> Callable[[Callable[Concatenate[Engine, P], R]], Callable[Concatenate[Engine, P], R]]:
    """Turn what the library raises into our errors, which say what was being done."""

    def decorate(
        call: Callable[Concatenate[Engine, P], R],
    ) -> Callable[Concatenate[Engine, P], R]:
        @functools.wraps(call)
        def guarded(self: Engine, /, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return call(self, *args, **kwargs)
            except APIError as error:
                said = redact(str(error.explanation or type(error).__name__)).strip()
                raise ContainerError(f"the engine refuses to {doing}: {said}", operation=doing) from None
            # What the library lets through of `requests` is an OSError.
            except (DockerException, OSError) as error:
                why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
                raise EngineUnreachableError(
                    f"the Docker Engine at {self.host} does not answer ({why}); check that it runs and that "
                    "this account may use its socket",
                    operation=doing,
                ) from None

        return guarded

    return decorate


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

    @_speaking("look at a container")
    def inspect(self, name: str) -> Inspection | None:
        """Tell everything of a container, by name or id; None when there is none."""
        try:
            return dict(self._client.inspect_container(name))
        except NotFound:
            return None

    @_speaking("look at an image")
    def image_id(self, reference: str) -> str | None:
        """Tell which image a name means now; None when there is none of that name."""
        try:
            look: Any = self._client.inspect_image  # it has no types
            return str(look(reference)["Id"])
        except NotFound:
            return None

    @_speaking("list the containers")
    def inspect_all(self) -> list[Inspection]:
        """Tell everything of every container, stopped ones too; one that goes away meanwhile is left out."""
        found = []
        for one in self._client.containers(all=True):
            try:
                found.append(dict(self._client.inspect_container(one["Id"])))
            except NotFound:
                continue
        return found

    @_speaking("restart a container")
    def restart(self, container: str, grace_seconds: int) -> None:
        """Stop a container and start it again, as it is."""
        self._client.restart(container, timeout=grace_seconds)

    @_speaking("read a container's output")
    def tail_logs(self, container: str, lines: int) -> str:
        """Read the end of what a container printed, without control characters."""
        output = self._client.logs(container, tail=lines, stdout=True, stderr=True)
        return re.sub(r"[^\x20-\x7e\x80-\U0010ffff]+", " ", output.decode(errors="replace"))

    @property
    def _client(self) -> APIClient:
        if self._opened is None:
            client = self._connect(DIALECT)
            oldest = str(client.version(api_version=False).get("MinAPIVersion", DIALECT))
            if _number(oldest) > _number(DIALECT):
                client.close()
                client = self._connect(oldest)
            self._opened = client
        return self._opened

    def _connect(self, dialect: str) -> APIClient:
        if self.host.startswith("unix://"):
            # The library would only say that there was an error.
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self.host.removeprefix("unix://"))
        client = APIClient(base_url=self.host, version=dialect, timeout=int(TIMEOUT_SECONDS))
        # A proxy of the environment is for the world outside, not for the engine.
        client.trust_env = False
        return client


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
