"""Parse and check single settings; every error says what to write instead.

The functions raise ValueError, with a message id for settings of the page and in plain English for the
others. Errors never repeat the value: an address can contain a password, and a token is easily pasted into
the wrong variable.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from core.gateways.registry import kind_of
from core.messages import Message
from core.models import TokenSource

HOST_NAME = re.compile(r"^(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63}){0,30}\.?$")
SERVER_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
SHORTEST_CHECK_MINUTES = 5
LONGEST_CHECK_MINUTES = 1440
_PORTS = {"http": 80, "https": 443}
UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")


def normalise_url(text: str) -> str:
    """Return a gateway's address without its trailing slash; keep a path (a gateway under a sub-path)."""
    parts = _split_url(text)
    if parts.username is not None or parts.password is not None:
        raise ValueError(Message("setting.address_with_password"))
    if "?" in text or "#" in text:
        raise ValueError(Message("setting.address_with_query"))
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def is_address(text: str) -> bool:
    """Return whether a text is an http(s) address."""
    try:
        _split_url(text)
    except ValueError:
        return False
    return True


def is_same_origin(url: str, other: str) -> bool:
    """Return whether two addresses have the same scheme, host and port; False if one is invalid."""
    try:
        parts = [urlsplit(one.casefold()) for one in (url, other)]
        origins = [(one.scheme, one.hostname, one.port or _PORTS.get(one.scheme)) for one in parts]
    except ValueError:
        return False
    return origins[0] == origins[1]


def check_webhook(text: str) -> str:
    """Return the address of the customer's application unchanged; "" for "" and "none" (no application)."""
    if text.lower() in ("", "none"):
        return ""
    _split_url(text)
    return text


def check_proxy(address: SecretStr) -> SecretStr:
    """Return a proxy's address, which may contain a user name and password, without its trailing slash."""
    text = address.get_secret_value()
    parts = _split_url(text)
    if parts.path.strip("/") or "?" in text or "#" in text:
        raise ValueError("has a path; write only scheme, host and port, for example http://proxy:3128")
    return SecretStr(text.rstrip("/"))


def check_alertmanager(text: str) -> str:
    """Return Alertmanager's address, which may contain user name and password, without its trailing slash."""
    _split_url(text)
    if "?" in text or "#" in text:
        raise ValueError(Message("setting.address_with_query"))
    return text.rstrip("/")


def parse_listen_address(text: str) -> tuple[str, int]:
    """Parse "127.0.0.1:21466", ":21466" (all addresses) or "[::1]:80" to host and port; 0: any free port."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal():
        raise ValueError("must be HOST:PORT, for example 127.0.0.1:8080, or :8080 for every address")
    if int(port) > 65535:
        raise ValueError("has a port above 65535; choose one from 1 to 65535")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not _is_ip6(host):
            raise ValueError("has no valid IPv6 address in its brackets; write for example [::1]:8080")
    elif ":" in host:
        raise ValueError("has an IPv6 address without brackets; write for example [::1]:8080")
    elif host and not HOST_NAME.match(host):
        raise ValueError(
            "has no valid host name or address before the port; write for example 127.0.0.1:8080"
        )
    return host or "0.0.0.0", int(port)


def check_end_to_end_minutes(minutes: float) -> float:
    """Return the interval of end-to-end checks; WhatsApp might take a shorter one for abuse."""
    if minutes == 0 or SHORTEST_CHECK_MINUTES <= minutes <= LONGEST_CHECK_MINUTES:
        return minutes
    raise ValueError(Message("setting.check_minutes"))


def check_one_line(secret: SecretStr) -> SecretStr:
    """Return a secret, which an HTTP header or address must be able to carry."""
    if not secret.get_secret_value().isprintable():
        raise ValueError(Message("setting.secret_unprintable"))
    return secret


def check_docker_host(text: str) -> str:
    """Return the address of a Docker Engine: a socket, or a proxy in front of it."""
    if text.startswith("unix:///"):
        return text
    if text.startswith("tcp://"):
        _split_url(text.replace("tcp", "http", 1))
        return text
    raise ValueError("must be unix:///path/to/docker.sock or tcp://host:port; write one of them")


def check_store_url(secret: SecretStr) -> SecretStr:
    """Return the address of a PostgreSQL database; its driver checks the rest."""
    text = secret.get_secret_value()
    if not text.startswith(("postgresql://", "postgres://")) or UNPRINTABLE.search(text):
        raise ValueError("must be a PostgreSQL address; write postgresql://role:password@host/database")
    return secret


def parse_session_names(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of session names, without blanks and duplicates.

    Unusable names are kept: they only affect their own sessions.
    """
    return tuple(dict.fromkeys(entry.strip() for entry in text.split(",") if entry.strip()))


def name_problem(name: str, place: int | None = None) -> Message | None:
    """Return why a session name must not be used; None if it may. A possible token is not repeated."""
    if len(name) > 71 or re.search(r"[$:@/]", name):
        return (
            Message.of("setting.name_entry_unusable", place=place)
            if place
            else Message("setting.name_unusable")
        )
    return kind_of().session_name_problem(name)


def parse_server_name(text: str) -> str:
    """Return a server's name, which is used as a metric label and in file names."""
    if not SERVER_NAME.fullmatch(text):
        raise ValueError(Message("setting.server_name_odd"))
    return text


def parse_allowed_hosts(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of host names, domains ("*.example.org"), addresses and networks."""
    entries = tuple(dict.fromkeys(one.strip().lower() for one in text.split(",") if one.strip()))
    for entry in entries:
        name = entry.removeprefix("*.")
        if _network(entry) is None and (not HOST_NAME.match(name) or name.replace(".", "").isdecimal()):
            raise ValueError(
                "must be a comma list of hosts and networks, for example wpp.example.org,10.0.0.0/8"
            )
    return entries


def is_allowed_host(url: str, allowed: Sequence[str]) -> bool:
    """Return whether requests to a URL are allowed; an empty list allows all. Names are not resolved.

    A host name must thus be listed by name or domain, an IP address by itself or its network.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        domains = tuple(entry[1:] for entry in allowed if entry.startswith("*."))
        return not allowed or host in allowed or host.endswith(domains or ("\0",))
    networks = [network for entry in allowed if (network := _network(entry)) is not None]
    return not allowed or any(address in network for network in networks)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _split_url(text: str) -> SplitResult:
    # Check first: urlsplit silently drops tabs and line ends.
    if UNPRINTABLE.search(text):
        raise ValueError(Message("setting.address_with_blank"))
    if text[:1] in "'\"":
        raise ValueError(Message("setting.address_in_quotes"))
    if "://" not in text:
        raise ValueError(Message("setting.address_without_scheme"))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(Message("setting.address_without_host")) from None
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError(Message("setting.address_of_other_scheme"))
    if port == 0 or parts.netloc.endswith(":") or not parts.hostname or not _is_host(parts.hostname):
        raise ValueError(Message("setting.address_without_host"))
    return parts


def _is_host(host: str) -> bool:
    return _is_ip6(host) if ":" in host else bool(HOST_NAME.match(host))


def _is_ip6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _from_text(parse: Callable[[str], Any]) -> BeforeValidator:
    """Return a validator that parses text and passes other values (defaults, tests) unchanged."""
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


GatewayUrl = Annotated[str, _from_text(normalise_url)]
WebhookUrl = Annotated[str, _from_text(check_webhook)]
ListenAddress = Annotated[tuple[str, int], _from_text(parse_listen_address)]
SessionNames = Annotated[tuple[str, ...], _from_text(parse_session_names)]
AllowedHosts = Annotated[tuple[str, ...], _from_text(parse_allowed_hosts)]
ServerName = Annotated[str, _from_text(parse_server_name)]
DockerHost = Annotated[str, _from_text(check_docker_host)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], _from_text(str.upper)]
LogFormat = Annotated[Literal["text", "json"], _from_text(str.lower)]
TokenSourceWord = Annotated[TokenSource, _from_text(str.lower)]
Seconds = Annotated[float, Field(ge=0.1, le=300)]
Interval = Annotated[float, Field(ge=1, le=300)]
OneLineSecret = Annotated[SecretStr, AfterValidator(check_one_line)]
EndToEndMinutes = Annotated[float, AfterValidator(check_end_to_end_minutes)]
ProxyAddress = Annotated[SecretStr, AfterValidator(check_proxy)]

StoreUrl = Annotated[SecretStr, AfterValidator(check_store_url)]
AlertmanagerAddress = Annotated[
    SecretStr, AfterValidator(lambda address: SecretStr(check_alertmanager(address.get_secret_value())))
]
