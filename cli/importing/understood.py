"""What an older installation comes to in our settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cli.importing.files import Folder, Value
from cli.importing.gateway import GatewayFound, find_gateway
from core.contract.session_names import session_name_problem
from core.contract.token_format import TokenKind, parse_token
from core.settings.fields import check_webhook, name_problem, normalise_url

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
class Understood:
    """Our settings, each with where it comes from."""

    folder: Folder
    gateway: GatewayFound | None
    url: str = ""
    url_from: str = ""
    secret: Value | None = field(default=None, repr=False)
    token: Value | None = field(default=None, repr=False)
    """Only a bcrypt token that arrives whole."""
    sessions: tuple[str, ...] = ()
    sessions_from: str = ""
    webhook: str = field(default="", repr=False)

    @property
    def is_empty(self) -> bool:
        """Tell that nothing of a gateway was found."""
        return not self.url and self.gateway is None

    def api_keys(self) -> Iterator[Value]:
        """Give every raw API key of the panel, wherever it stands."""
        for values in self.folder.files.values():
            yield from (values[name] for name in API_KEYS if name in values)
        for service in self.folder.services:
            for name in API_KEYS:
                value = service.environment.get(name)
                if value is not None and value.file == self.folder.compose_file:
                    yield value

    def settings(self) -> dict[str, str]:
        """Return the lines for `.env`."""
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


def understand(folder: Folder) -> Understood:
    """Put the files together."""
    gateway = find_gateway(folder)
    url, url_from = _url(folder, gateway)
    token = folder.value(*TOKENS)
    is_token = token is not None and parse_token(token.arrives).kind is TokenKind.BCRYPT
    secret = gateway.secret if gateway and gateway.secret else folder.value(*SECRETS)
    sessions, sessions_from = _sessions(folder, secret)
    webhook = folder.value(*WEBHOOKS)
    return Understood(
        folder=folder,
        gateway=gateway,
        url=url,
        url_from=url_from,
        secret=secret,
        token=token if is_token else None,
        sessions=sessions,
        sessions_from=sessions_from,
        webhook=_webhook(webhook.arrives) if webhook else "",
    )


def _url(folder: Folder, gateway: GatewayFound | None) -> tuple[str, str]:
    value = folder.value(*URLS)
    if value is not None:
        text = value.arrives if "://" in value.arrives else f"http://{value.arrives}"
        port = folder.value("WPPCONNECT_PORT")
        try:
            url = normalise_url(text).removesuffix("/api")
            if port is not None and urlsplit(url).port is None:
                url = f"{url}:{port.arrives}"
        except ValueError:
            url = ""
        # A name that only containers know: from this host a published port is the way.
        known_inside = {name for one in folder.services for name in (one.name, one.container)}
        if url and not (gateway and urlsplit(url).hostname in known_inside):
            return url, f"{value.name} in {value.file}"
    if gateway is None:
        return "", ""
    return gateway.address, f"the service {gateway.service.name} in {folder.compose_file}"


def _sessions(folder: Folder, secret: Value | None) -> tuple[tuple[str, ...], str]:
    value = folder.value(*SESSIONS)
    if value is None:
        return (DEFAULT_SESSION,), "the older panel's own default"
    size = len(secret.arrives.encode()) if secret else 0
    names = [name.strip() for name in value.arrives.split(",") if name.strip()]
    usable = [name for name in names if not (name_problem(name) or session_name_problem(name, size))]
    return tuple(usable), f"{value.name} in {value.file}"


def _webhook(text: str) -> str:
    try:
        return check_webhook(text)
    except ValueError:
        return ""
