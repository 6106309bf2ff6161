"""The sign-in with a real store, a clock that is turned by hand, and a page behind the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from asgi_browser import Browser
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.models import HistoryEntry
from core.store import FileStore
from dashboard.auth.audit import Audit
from dashboard.auth.authenticator import Authenticator, ProxyLiveness
from dashboard.auth.context import AuthContext
from dashboard.auth.external_accounts import ExternalAccounts, RoleRule
from dashboard.auth.forms import FormTokens
from dashboard.auth.gate import Gate, GateRules
from dashboard.auth.links import SignInLinks
from dashboard.auth.page_key import page_key
from dashboard.auth.passkeys import Passkeys
from dashboard.auth.passwords import Passwords
from dashboard.auth.peer import RememberPeer
from dashboard.auth.proxy import ProxyHeader
from dashboard.auth.rate_limit import RateLimit
from dashboard.auth.route_table import auth_routes
from dashboard.auth.sign_ins import Lifetimes, SignIns
from dashboard.auth.users import Account, Users
from dashboard.auth.websocket import TabFrames
from tests.fakes import FakeClock

NAME = "Ana"
PASSWORD = "correct horse battery"


def quick_hasher() -> PasswordHasher:
    """Return a hasher for tests; the real one takes a tenth of a second on purpose."""
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Log(list[HistoryEntry]):
    """A history in memory."""

    def append(self, *entries: HistoryEntry) -> None:  # type: ignore[override]
        self.extend(entries)

    @property
    def outcomes(self) -> list[tuple[str | None, Any]]:
        return [(entry.actor, entry.data["outcome"]) for entry in self]


@dataclass
class CookieRule:
    secure_cookie: bool | None = None
    external_url: str | None = None


@dataclass
class World:
    """Everything that signs people in, as one process has it."""

    directory: Path
    clock: FakeClock = field(default_factory=FakeClock)
    history: Log = field(default_factory=Log)
    rule: CookieRule = field(default_factory=CookieRule)
    roles: RoleRule = field(default_factory=RoleRule)
    require_passkey: bool = False
    proxy_header: Callable[[ExternalAccounts], ProxyHeader] | None = None

    def __post_init__(self) -> None:
        self.store = FileStore(self.directory / "store")
        self.users = Users(self.store, clock=self.clock)
        self.sign_ins = SignIns(
            self.store,
            self.users,
            Lifetimes(idle=timedelta(hours=12), longest=timedelta(days=7)),
            clock=self.clock,
        )
        key = page_key(self.store)
        self.links = SignInLinks(self.users, key, clock=self.clock)
        external_accounts = ExternalAccounts(self.users, self.roles)
        proxy = self.proxy_header(external_accounts) if self.proxy_header else None
        clock = self.clock.monotonic
        self.auth = AuthContext(
            users=self.users,
            sign_ins=self.sign_ins,
            authenticator=Authenticator(self.sign_ins, self.rule, proxy, ProxyLiveness(clock=clock)),
            external_accounts=external_accounts,
            passkeys=Passkeys(
                self.users,
                self.store,
                key,
                self.rule.external_url,
                required=self.require_passkey,
                clock=self.clock,
            ),
            passwords=Passwords(quick_hasher()),
            links=self.links,
            audit=Audit(self.history, clock=self.clock),
            cookie_rule=self.rule,
            data_directory=self.directory,
            forms=FormTokens(key),
            page_key=key,
            clock=self.clock,
            address_limit=RateLimit(free_tries=5, first_wait_seconds=2, max_wait_seconds=900, clock=clock),
            account_limit=RateLimit(free_tries=10, first_wait_seconds=2, max_wait_seconds=60, clock=clock),
            device_limit=RateLimit(free_tries=10, first_wait_seconds=2, max_wait_seconds=900, clock=clock),
        )
        open_routes, routes = auth_routes(self.auth)
        self.rules = GateRules(
            authenticator=self.auth.authenticator,
            external_url=self.rule.external_url,
            open_paths=frozenset(route.path for route in open_routes),
            tab_frames=TabFrames(is_activity=lambda frame: frame == b"click", rerun=b"rerun"),
        )
        behind = Route("/{path:path}", _behind_the_gate, methods=["GET", "POST"])
        self.app = Starlette(
            routes=[*open_routes, *routes, behind],
            middleware=[Middleware(RememberPeer), Middleware(Gate, rules=self.rules)],
        )

    def add_user(self) -> Account:
        """Create the administrator without going through the pages."""
        return self.users.create_first(NAME, quick_hasher().hash(PASSWORD))

    def browser(self, **settings: Any) -> Browser:
        """Open a fresh browser."""
        return Browser(self.app, **settings)

    def signed_in(self, **settings: Any) -> Browser:
        """Open a browser in which the administrator is signed in."""
        browser = self.browser(**settings)
        self.sign_in(browser)
        return browser

    def sign_in(self, browser: Browser, name: str = NAME, password: str = PASSWORD, **fields: str) -> Any:
        """Fill in the sign-in form and send it."""
        form = browser.get("/sign-in").form
        return browser.post("/sign-in", {**form, "name": name, "password": password, **fields})


def run(work: Any) -> Any:
    """Wait for a coroutine's result."""
    return asyncio.run(work)


async def _behind_the_gate(request: Request) -> Response:
    media_type = "text/javascript" if request.url.path.endswith(".js") else "text/html"
    return Response(f"behind the gate: {request.url.path}", media_type=media_type)
