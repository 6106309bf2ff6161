"""Our settings for an older installation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from cli.importing.files import Folder
from cli.importing.gateway import GatewayFound, find_gateways
from cli.importing.values import Value
from core.gateways.registry import kind_of
from core.settings.environment import CoreEnvironment
from core.settings.fields import check_webhook, name_problem, normalise_url
from core.settings.loader import load_settings

URLS = (
    "WPPCONNECT_URL",
    "WPPCONNECT_API_URL",
    "WPPCONNECT_BASE_URL",
    "WPPCONNECT_SERVER_URL",
    "WPPCONNECT_HOST",
)
SECRETS = ("WPPCONNECT_SECRET_KEY", "WPPCONNECT_SECRET")
TOKENS = ("WPPCONNECT_TOKEN", "WPPCONNECT_API_TOKEN")
SESSIONS = ("WPPCONNECT_SESSIONS", "WPPCONNECT_SESSION", "WPPCONNECT_SESSION_NAME", "WPPCONNECT_INSTANCE")
WEBHOOKS = ("WPPCONNECT_WEBHOOK", "WPPCONNECT_WEBHOOK_URL")
API_KEYS = ("AUTHENTICATION_API_KEY", "EVOLUTION_API_KEY", "WPPCONNECT_API_KEY")
DEFAULT_SESSION = "leguas_wppconnect"


@dataclass(frozen=True)
class OlderPanel:
    """Our settings with their sources."""

    folder: Folder
    gateways: tuple[GatewayFound, ...]
    gateway: GatewayFound | None
    """The gateway that our settings describe."""
    url: str = ""
    url_from: str = ""
    secret: Value | None = field(default=None, repr=False)
    token: Value | None = field(default=None, repr=False)
    """A complete bcrypt token; None for anything else."""
    sessions: tuple[str, ...] = ()
    sessions_from: str = ""
    webhook: str = field(default="", repr=False)
    mistakes: tuple[str, ...] = ()
    """Values that are no settings of ours and were not taken over, each with file, name and remedy."""

    @property
    def is_empty(self) -> bool:
        """Whether no gateway was found."""
        return not self.url and self.gateway is None

    def api_keys(self) -> Iterator[Value]:
        """Yield every raw API key of the panel, in env files and compose files."""
        for values in self.folder.env_files.values():
            yield from (values[name] for name in API_KEYS if name in values)
        for service in self.folder.services:
            for name in API_KEYS:
                value = service.environment.get(name)
                if value is not None and value.file in self.folder.compose_files:
                    yield value

    def settings(self) -> dict[str, str]:
        """Return the variables for `.env`."""
        found = {
            "WPPCONNECT_URL": self.url,
            "WPPCONNECT_SECRET_KEY": self.secret.arrives if self.secret else "",
            "WPPCONNECT_TOKEN": self.token.arrives if self.token and not self.secret else "",
            "WPPCONNECT_SESSIONS": ",".join(self.sessions),
            "WPPCONNECT_WEBHOOK": self.webhook,
        }
        if self.gateway and self.gateway.service.container != DEFAULT_SESSION:
            found["OPS_GATEWAY_CONTAINER"] = self.gateway.service.container
        return {name: value for name, value in found.items() if value}


def interpret(folder: Folder) -> OlderPanel:
    """Return the settings that the files of a folder amount to."""
    mistakes: list[str] = []
    gateways = find_gateways(folder)
    named = _configured_url(folder, mistakes)
    gateway = next((one for one in gateways if named and _is_at(one, named.url)), None)
    gateway = gateway or next(iter(gateways), None)
    token = folder.value(*TOKENS)
    is_token = token is not None and kind_of().token_format(token.arrives) == "token"
    secret = gateway.secret if gateway and gateway.secret else folder.value(*SECRETS)
    sessions, sessions_from = _sessions(folder)
    webhook = folder.value(*WEBHOOKS)
    if secret and not _fits(secret, "WPPCONNECT_SECRET_KEY", mistakes):
        secret = None
    if webhook and not _fits(webhook, "WPPCONNECT_WEBHOOK", mistakes):
        webhook = None
    if named is None or _is_known_inside_only(folder, named.url, gateway):
        named = _address_of(gateway) if gateway else None
    return OlderPanel(
        folder=folder,
        gateways=gateways,
        gateway=gateway,
        url=named.url if named else "",
        url_from=named.source if named else "",
        secret=secret,
        token=token if is_token else None,
        sessions=sessions,
        sessions_from=sessions_from,
        webhook=check_webhook(webhook.arrives) if webhook else "",
        mistakes=tuple(mistakes),
    )


class _Address(NamedTuple):
    url: str
    source: str


def _configured_url(folder: Folder, mistakes: list[str]) -> _Address | None:
    value, port = folder.value(*URLS), folder.value("WPPCONNECT_PORT")
    if value is None:
        return None
    text = value.arrives if "://" in value.arrives else f"http://{value.arrives}"
    if not _fits(value, "WPPCONNECT_URL", mistakes, text):
        return None
    url = normalise_url(text).removesuffix("/api")
    if port is not None and urlsplit(url).port is None:
        if not _fits(port, "WPPCONNECT_URL", mistakes, f"http://gateway:{port.arrives}"):
            return None
        url = f"{url}:{port.arrives}"
    return _Address(url, f"{value.name} in {value.file}")


def _fits(value: Value, variable: str, mistakes: list[str], text: str = "") -> bool:
    """Return whether our variable accepts a value; if not, add the mistake with its remedy."""
    problems = load_settings(CoreEnvironment, {variable: text or value.arrives}).problems
    for problem in problems:
        what = problem.removeprefix(f"{variable}: ")
        mistakes.append(f"{value.file}: {value.name} {what}; it was not taken over")
    return not problems


def _address_of(gateway: GatewayFound) -> _Address:
    source = f"the service {gateway.service.name} in {gateway.file}"
    if not gateway.is_reachable_from_host:
        source += "; without a published port, only containers of its network reach it: `make up` joins it"
    return _Address(gateway.address, source)


def _is_at(gateway: GatewayFound, url: str) -> bool:
    parts = urlsplit(url)
    if parts.hostname in gateway.names:
        return True
    loopback = {"localhost", "127.0.0.1", "::1"}
    is_here = parts.hostname in loopback | {address for address, _ in gateway.published() if address}
    ports = {port for _, port in gateway.published()}
    if gateway.service.network_mode == "host":
        ports = {str(gateway.inner_port)}
    return is_here and str(parts.port or 80) in ports


def _is_known_inside_only(folder: Folder, url: str, gateway: GatewayFound | None) -> bool:
    """Return whether only containers resolve the URL's host, so that this host needs a published port."""
    hidden = {name for one in folder.services for name in (one.name, one.container, *one.aliases)}
    return gateway is not None and urlsplit(url).hostname in {name.lower() for name in hidden}


def _sessions(folder: Folder) -> tuple[tuple[str, ...], str]:
    value = folder.value(*SESSIONS)
    if value is None:
        return (DEFAULT_SESSION,), "the older panel's own default"
    names = [name.strip() for name in value.arrives.split(",") if name.strip()]
    usable = [name for name in names if not name_problem(name)]
    return tuple(usable), f"{value.name} in {value.file}"
