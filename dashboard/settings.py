"""The settings of the page, DASHBOARD_*: listening address, published address, sign-in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from core.settings.fields import ListenAddress, normalise_url
from core.settings.loader import Environment, Finding
from dashboard.auth.passkeys import site_of
from dashboard.auth.settings import check_header, check_issuer, parse_allowed, parse_group_roles, parse_role
from dashboard.auth.users import Role

PLAIN_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._-]+)*")
"""Paths with a single spelling in browsers and proxies: no escapes, dot segments or empty segments."""


def check_external_url(text: str) -> str:
    """Return the published address without its trailing slash; a path is kept. Raises ValueError."""
    url = normalise_url(text)
    if not PLAIN_PATH.fullmatch(urlsplit(url).path):
        raise ValueError(
            "has a path with signs other than letters, digits, '-', '.', '_' and single '/'; "
            "write for example https://ops.example.org/wpp"
        )
    return url


def parse_secure_cookie(text: object) -> object:
    """Parse "auto" as None; anything else has to be a boolean."""
    return None if isinstance(text, str) and text.strip().lower() == "auto" else text


def parse_proxies(text: object) -> object:
    """Parse a comma list of addresses and networks, for example "10.0.0.5, 172.16.0.0/12"."""
    if not isinstance(text, str):
        return text
    entries = tuple(dict.fromkeys(entry.strip() for entry in text.split(",") if entry.strip()))
    try:
        networks = [ipaddress.ip_network(entry) for entry in entries]
    except ValueError:
        raise ValueError(
            "must be a comma list of IP addresses or networks of the proxies in front of the page, "
            "for example 10.0.0.5,172.16.0.0/12"
        ) from None
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError(
            "trusts every address, and anybody could claim to come from anywhere; name the proxies"
        )
    return entries


class DashboardEnvironment(Environment):
    """The page's settings from the environment."""

    prefix: ClassVar[str] = "DASHBOARD_"

    listen_address: ListenAddress = ("127.0.0.1", 8501)
    external_url: Annotated[str, BeforeValidator(check_external_url)] | None = None
    """The published address: allowed as Origin, and used in links."""
    secure_cookie: Annotated[bool | None, BeforeValidator(parse_secure_cookie)] = None
    """None ("auto"): for https only if the request came by https or the published address is https."""
    hsts_days: Annotated[int, Field(ge=0, le=730)] = 180
    """Days in Strict-Transport-Security; 0 clears it in browsers."""
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(parse_proxies)] = ()
    """The proxies whose X-Forwarded-For, X-Forwarded-Proto and `auth_proxy_header` are trusted."""
    print_link: bool = False
    """Print the first sign-in link even if stdout is no terminal: `wppconnect-ops run` relays it."""
    sign_in_idle_hours: Annotated[float, Field(gt=0, le=720)] = 12.0
    sign_in_max_hours: Annotated[float, Field(gt=0, le=2160)] = 168.0
    remember_days: Annotated[int, Field(ge=0, le=365)] = 30
    """How long "remember this phone" lasts; 0: not offered."""
    require_passkey: bool = False
    """Whether accounts with a password need a passkey as well."""
    auth_proxy_header: Annotated[str, BeforeValidator(check_header)] | None = None
    auth_proxy_groups_header: Annotated[str, BeforeValidator(check_header)] | None = None
    oidc_issuer: Annotated[str, BeforeValidator(check_issuer)] | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str | None = None
    """Display name of the provider, for its button."""
    oidc_scopes: str = "openid profile email"
    oidc_name_claim: str = "preferred_username"
    oidc_groups_claim: str = "groups"
    oidc_allowed: Annotated[tuple[str, ...], BeforeValidator(parse_allowed)] = ()
    group_roles: Annotated[Mapping[str, Role], BeforeValidator(parse_group_roles)] = Field(
        default_factory=dict
    )
    unknown_user_role: Annotated[Role | None, BeforeValidator(parse_role)] = None

    def mistakes(self) -> Iterable[Finding]:
        """Yield combinations of settings that are invalid."""
        if self.sign_in_idle_hours > self.sign_in_max_hours:
            yield Finding(
                ("sign_in_idle_hours", "sign_in_max_hours"),
                f"is longer than {self.variable('sign_in_max_hours')}; make it shorter",
            )
        if self.auth_proxy_header and not self.trusted_proxies:
            yield Finding(
                ("auth_proxy_header", "trusted_proxies"),
                f"is believed of nobody; name the proxy's address in {self.variable('trusted_proxies')}",
            )
        if self.auth_proxy_groups_header and not self.auth_proxy_header:
            yield Finding(
                ("auth_proxy_groups_header", "auth_proxy_header"),
                f"has no effect alone; set {self.variable('auth_proxy_header')}, too",
            )
        if self.oidc_issuer:
            yield from self._provider_mistakes()
        if "openid" not in self.oidc_scopes.split():
            yield Finding(("oidc_scopes",), "must contain openid, for example: openid profile email")
        if self.secure_cookie and (self.external_url or "").startswith("http:"):
            yield Finding(
                ("secure_cookie", "external_url"),
                f"is true, but {self.variable('external_url')} is not https; use auto",
            )

        if self.require_passkey and site_of(self.external_url) is None:
            text = f"needs {self.variable('external_url')} beside it: https with a host name, for example "
            yield Finding(("require_passkey", "external_url"), f"{text}https://ops.example.org")

    def remarks(self) -> Iterable[Finding]:
        """Yield settings that are valid but probably not intended."""
        if self.oidc_issuer and self.unknown_user_role and not self.oidc_allowed:
            text = f"lets in whoever has an account at the provider; see {self.variable('oidc_allowed')}"
            yield Finding(("unknown_user_role",), text)
        if self.group_roles and not (self.auth_proxy_groups_header or self.oidc_issuer):
            yield Finding(("group_roles",), "has no effect without a proxy's groups header or a provider")
        if self.oidc_client_id and not self.oidc_issuer:
            yield Finding(
                ("oidc_client_id",), f"has no effect alone; set {self.variable('oidc_issuer')}, too"
            )

    def _provider_mistakes(self) -> Iterable[Finding]:
        needed = {
            "oidc_client_id": "as the provider calls this page",
            "external_url": "the provider sends people back to it",
        }
        for field, why in needed.items():
            if getattr(self, field) is None:
                text = f"needs {self.variable(field)} beside it: {why}"
                yield Finding(("oidc_issuer", field), text)

    def own_url(self, port: int) -> str:
        """Return the address for links; `port` is the actual listening port."""
        if self.external_url:
            return self.external_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.listen_address[0], self.listen_address[0])
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
