"""The gateways among the services of an older installation, and the secret key in force of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from cli.importing.files import Folder
from cli.importing.references import required_names
from cli.importing.services import Service, mount_at
from cli.importing.values import Value
from cli.importing.words import option
from core.addresses import local_url
from core.gateways.registry import kind_of
from core.sync.images import known_image

PORT = 21465
SECRET_OPTION = "--secretKey"  # noqa: S105 - an option's name
FOLDER = "/usr/src/wpp-server"
FIRST_WITH_VARIABLES = (2, 10, 3)
_IMAGE_NAME = re.compile(r"(?:wppconnect|wpp)(?:[-_.]?(?:server|cli|api|gateway))*")
_NAME = re.compile(r"(?:.*[-_.])?(?:wppconnect|wpp)(?:[-_.]?(?:server|cli|api|gateway))*(?:[-_.]?\d+)?", re.I)
_OTHER_PROGRAMS = re.compile(
    r"postgres|postgis|mysql|mariadb|mongo|redis|valkey|nginx|traefik|caddy|haproxy|httpd|rabbitmq|kafka"
    r"|minio|adminer|pgadmin|phpmyadmin|prometheus|grafana|evolution|frontend|n8n|typebot|chatwoot",
    re.I,
)
_CONFIGURATION = re.compile(rf"{FOLDER}(?:/(?:src|dist))?/config\.(?:ts|js|json)")


class Reads(Enum):
    """From where an image reads its secret key."""

    OPTIONS = "command line"
    VARIABLES = "environment"
    NOTHING = "configuration file"
    """A WPPConnect Server before 2.10.3."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class GatewayFound:
    """One gateway of the compose files."""

    service: Service
    reads: Reads
    secret: Value | None = field(repr=False)
    """The key in force; None if it is unknown."""
    ignored: Value | None = field(default=None, repr=False)
    """A SECRET_KEY that the image never reads."""
    file: str = ""
    """The compose file that defines it."""

    @property
    def names(self) -> frozenset[str]:
        """The names by which containers reach it, in lower case like the host of a URL."""
        names = (self.service.name, self.service.container, *self.service.aliases)
        return frozenset(name.lower() for name in names)

    @property
    def is_default(self) -> bool:
        """Whether its key is the public default."""
        return self.secret is not None and self.secret.arrives == kind_of().default_secret

    @property
    def inner_port(self) -> int:
        """The port on which it listens inside the container."""
        given = option(self.service.words, "--port", "-p")
        text = given.text if given else ""
        if self.reads not in (Reads.OPTIONS, Reads.NOTHING) and "PORT" in self.service.environment:
            text = self.service.environment["PORT"].arrives
        return int(text) if text.isdecimal() else PORT

    def published(self) -> Iterator[tuple[str, str]]:
        """Yield host address and port where its port is published; port "" if Docker chooses one."""
        for port in self.service.ports:
            if port.target == str(self.inner_port):
                yield port.address, port.published

    @property
    def address(self) -> str:
        """Its URL from this host; with the container's name if no fixed port is published."""
        if self.service.network_mode == "host":
            return f"http://127.0.0.1:{self.inner_port}"
        for address, port in self.published():
            if port.isdecimal():
                return local_url((address, int(port)))
        return f"http://{self.service.container}:{self.inner_port}"

    @property
    def is_reachable_from_host(self) -> bool:
        """Whether this host reaches it, and not only the containers of its network."""
        is_published = any(port.isdecimal() for _, port in self.published())
        return is_published or self.service.network_mode == "host"


def find_gateways(folder: Folder) -> tuple[GatewayFound, ...]:
    """Return the services that are WPPConnect Server, by image, else by command line, else by name."""
    by_image = [one for one in folder.services if _has_gateway_image(one)]
    candidates = [one for one in folder.services if one not in by_image and _may_be_gateway(one)]
    by_option = [one for one in candidates if any(word.text.startswith(SECRET_OPTION) for word in one.words)]
    found = [*by_image, *by_option] or [one for one in candidates if _has_gateway_name(one)]
    return tuple(replace(_gateway(one), file=one.file) for one in folder.services if one in found)


def image_name(service: Service) -> str:
    """Return the last part of an image's name, without tag and digest, in lower case."""
    return re.split(r"[:@]", service.image.rpartition("/")[2])[0].lower()


def _has_gateway_image(service: Service) -> bool:
    known = known_image(service.image) if service.image else None
    return known.is_gateway if known else bool(_IMAGE_NAME.fullmatch(image_name(service)))


def _may_be_gateway(service: Service) -> bool:
    # Of the images of WPPConnect only the two known ones are servers.
    is_of_project = "/wppconnect/" in f"/{service.image.lower()}"
    is_other = bool(_OTHER_PROGRAMS.search(image_name(service)))
    return not is_other and not (is_of_project and not service.build)


def _has_gateway_name(service: Service) -> bool:
    # A generated container name begins with the project's name, which says nothing about a service.
    # A build source looks like https://github.com/wppconnect-team/wppconnect-server.git#v2.10.4
    source = service.build.partition("#")[0].rstrip("/").removesuffix(".git").rpartition("/")[2]
    names = [service.name, source, *([service.container] if service.has_own_container_name else [])]
    return any(_NAME.fullmatch(name) for name in names)


def _gateway(service: Service) -> GatewayFound:
    variable = service.environment.get("SECRET_KEY")
    on_the_line = _line_secret(service)
    public = kind_of().default_secret
    default = Value(service.file, "SECRET_KEY", public, public)
    match _reads(service):
        case Reads.OPTIONS:
            # Server 2.10.1 inside reads no variable at all (docs/wppconnect-api.md, section 10).
            has_other = option(service.words, "--config", "-c") or option(service.words, SECRET_OPTION, "-k")
            return GatewayFound(
                service, Reads.OPTIONS, on_the_line or (None if has_other else default), variable
            )
        case Reads.VARIABLES:
            is_demanded = variable is not None and any(required_names(variable.written, {}))
            unset = None if _has_configuration(service) or is_demanded else default
            return GatewayFound(service, Reads.VARIABLES, _unless_empty(variable) or unset)
        case Reads.NOTHING:
            unset = None if _has_configuration(service) else default
            return GatewayFound(service, Reads.NOTHING, unset, variable)
        case _:
            return GatewayFound(service, Reads.UNKNOWN, on_the_line or _unless_empty(variable))


def _reads(service: Service) -> Reads:
    name = image_name(service)
    if service.build and known_image(service.image) is None:
        return Reads.UNKNOWN
    if "server-cli" in name:
        return Reads.OPTIONS
    if name == "wppconnect-server":
        version = re.match(r"v?(\d+)\.(\d+)\.(\d+)", service.image.rpartition("/")[2].partition(":")[2])
        is_older = version and tuple(int(one) for one in version.groups()) < FIRST_WITH_VARIABLES
        return Reads.NOTHING if is_older else Reads.VARIABLES
    return Reads.UNKNOWN


def _line_secret(service: Service) -> Value | None:
    given = option(service.words, SECRET_OPTION, "-k")
    return Value(given.file, SECRET_OPTION, given.text, given.text) if given and given.text else None


def _unless_empty(value: Value | None) -> Value | None:
    return value if value and value.arrives else None


def _has_configuration(service: Service) -> bool:
    mounts = (mount.target for mount in service.mounts)
    folders = (mount_at(service.mounts, f"{FOLDER}/{name}") for name in ("src", "dist"))
    return any(_CONFIGURATION.fullmatch(one) for one in mounts) or any(
        mount is not None and mount.target.startswith(f"{FOLDER}/") for mount in folders
    )
