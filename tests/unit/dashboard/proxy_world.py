"""A page behind a reverse proxy that signs people in."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from asgi_browser import Answer, Browser
from auth_world import World

from dashboard.auth.external_accounts import ExternalAccounts, RoleRule
from dashboard.auth.proxy import ProxyHeader
from dashboard.auth.users import Role

PROXY = "10.0.0.5"
COOKIE = "wppconnect_sign_in"


def proxy_header(external_accounts: ExternalAccounts) -> ProxyHeader:
    return ProxyHeader(
        header="x-forwarded-user",
        groups_header="x-forwarded-groups",
        trusted=[ipaddress.ip_network("10.0.0.0/29")],
        external_accounts=external_accounts,
    )


def behind_proxy(directory: Path, roles: RoleRule = RoleRule(otherwise=Role.VIEWER)) -> World:  # noqa: B008
    """A page that believes the proxy, with one administrator who has a password."""
    world = World(directory, roles=roles, proxy_header=proxy_header)
    world.add_user()
    return world


def visit(browser: Browser, url: str = "/", **headers: str) -> Answer:
    """Go to a page and follow the sign-in."""
    answer = browser.get(url, **headers)
    hops = 0
    while answer.status == 303 and hops < 5:
        answer = browser.get(answer.headers["location"], **headers)
        hops += 1
    return answer
