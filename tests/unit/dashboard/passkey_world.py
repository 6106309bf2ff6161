"""Browsers with authenticators, before a page that accepts passkeys."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

from asgi_browser import Answer, Browser
from auth_world import NAME, CookieRule, World

from dashboard.auth.users import Account
from tests.fakes.authenticator import Authenticator

ORIGIN = "https://ops.test"


def make_world(folder: Path, *, has_user: bool = True, **more: Any) -> World:
    world = World(folder, rule=CookieRule(external_url=ORIGIN), **more)
    if has_user:
        world.add_user()
    return world


def browse(world: World) -> Browser:
    return world.browser(scheme="https")


def signed_in(world: World) -> Browser:
    return world.signed_in(scheme="https")


def passkey_form(page: Answer, action: str) -> tuple[str, dict[str, str]]:
    """The options and the hidden fields of a page's form for passkeys."""
    found = re.search(
        rf'<form method="post" action="{action}" data-passkey="([^"]+)".*?</form>', page.text, re.S
    )
    assert found, f"the page has no form for {action}"
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', found[0])
    return unescape(found[1]), {name: unescape(value) for name, value in fields}


def answer(
    browser: Browser,
    page: Answer,
    action: str,
    reply: Callable[[str], str],
    **fields: str,
) -> Answer:
    """Let the authenticator answer a page's form, and send it."""
    options, form = passkey_form(page, action)
    return browser.post(action, {**form, "credential": reply(options), **fields})


def add(browser: Browser, device: Authenticator) -> Answer:
    return answer(browser, browser.get("/account"), "/account/passkeys", device.create)


def sign_in(browser: Browser, device: Authenticator, **fields: str) -> Answer:
    return answer(browser, browser.get("/sign-in"), "/sign-in/passkey", device.get, **fields)


def is_in(browser: Browser) -> bool:
    return bool(browser.get("/account").status == 200)


def account(world: World) -> Account:
    found = world.users.find(NAME)
    assert found
    return found
