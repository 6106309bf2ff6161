"""Which service of an older installation is the gateway, and which secret key it really has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from cli.importing.files import Folder, Service, Value
from core.settings.environment import PUBLIC_DEFAULT_SECRET

PORT = 21465
SECRET_OPTIONS = ("--secretKey", "-k")
CONFIG_OPTIONS = ("--config", "-c")


class Reads(Enum):
    """How an image learns its secret key."""

    OPTIONS = "command line"
    VARIABLES = "environment"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class GatewayFound:
    """The gateway of the compose file."""

    service: Service
    reads: Reads
    secret: Value | None = field(repr=False)
    """The key in force, None when it cannot be told."""
    ignored: Value | None = field(default=None, repr=False)
    """A SECRET_KEY that the image never reads."""

    @property
    def is_default(self) -> bool:
        """Tell that everybody knows its key."""
        return self.secret is not None and self.secret.arrives == PUBLIC_DEFAULT_SECRET

    @property
    def inner_port(self) -> int:
        """Where it listens inside."""
        text = option(self.service.command, ("--port", "-p"))
        if self.reads is not Reads.OPTIONS and "PORT" in self.service.environment:
            text = self.service.environment["PORT"].arrives
        return int(text) if text and text.isdecimal() else PORT

    def published(self) -> Iterator[tuple[str, str]]:
        """Give address and port on the host where its port is published."""
        for port in self.service.ports:
            host, _, inner = port.rpartition(":")
            if inner.partition("/")[0] == str(self.inner_port):
                address, _, outer = host.rpartition(":")
                yield address.strip("[]"), outer or inner

    @property
    def address(self) -> str:
        """Where we reach it from this host; its container's name where it publishes nothing."""
        if self.service.network_mode == "host":
            return f"http://127.0.0.1:{self.inner_port}"
        for address, port in self.published():
            host = "127.0.0.1" if address in ("", "0.0.0.0", "::") else address
            return f"http://{host}:{port}"
        return f"http://{self.service.container}:{self.inner_port}"


def find_gateway(folder: Folder) -> GatewayFound | None:
    """Return the service that is WPPConnect Server, by its image or its container's name."""
    for service in folder.services:
        if "wppconnect" in service.image.lower() or "wppconnect" in service.container.lower():
            return _gateway(folder, service)
    return None


def option(words: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the value of a command-line option, in both of its forms."""
    for number, word in enumerate(words):
        for name in names:
            if word == name and number + 1 < len(words):
                return words[number + 1]
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
    return None


def _gateway(folder: Folder, service: Service) -> GatewayFound:
    variable = service.environment.get("SECRET_KEY")
    given = option(service.command, SECRET_OPTIONS)
    on_the_line = Value(folder.compose_file, SECRET_OPTIONS[0], given, given) if given else None
    default = Value(folder.compose_file, "SECRET_KEY", PUBLIC_DEFAULT_SECRET, PUBLIC_DEFAULT_SECRET)
    if "server-cli" in service.image:
        # Server 2.10.1 inside reads no variable at all (docs/wppconnect-api.md, section 10).
        secret = None if option(service.command, CONFIG_OPTIONS) else default
        return GatewayFound(service, Reads.OPTIONS, on_the_line or secret, variable)
    if "wppconnect-server" in service.image:
        return GatewayFound(service, Reads.VARIABLES, variable or default)
    return GatewayFound(service, Reads.UNKNOWN, on_the_line or variable)
