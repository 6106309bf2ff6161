"""Step-up: who confirms, with what, and for how long it counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import openid_world
import pytest
from asgi_browser import Browser
from auth_world import NAME, PASSWORD, World
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware

from dashboard.auth.gate import Gate
from dashboard.auth.provider_flow import Flows
from dashboard.auth.provider_routes import ProviderRoutes
from dashboard.auth.sign_ins import SignIns
from dashboard.auth.users import AuthMethod, Role

LATER = {"minutes": 16}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.add_user()
    return made


def must_confirm(world: World, browser: Browser) -> bool:
    return world.sign_ins.must_confirm(browser.cookies["wppconnect_sign_in"])


def confirm(browser: Browser, password: str = PASSWORD) -> int:
    form = browser.get("/confirm").form
    return int(browser.post("/confirm", {**form, "password": password}).status)


@pytest.mark.parametrize(("minutes", "needed"), [(0, False), (14, False), (15, True), (600, True)])
def test_sign_in_counts_for_a_quarter_of_an_hour(world: World, minutes: int, needed: bool) -> None:
    browser = world.signed_in()
    world.clock.advance(minutes=minutes)

    assert must_confirm(world, browser) == needed


def test_use_and_remembering_do_not_prolong_it(world: World) -> None:
    browser = world.signed_in()
    world.clock.advance(minutes=10)
    form = browser.get("/account").form
    browser.post("/account/remember", form)
    world.clock.advance(minutes=6)

    assert must_confirm(world, browser)


def test_right_password_confirms_and_is_recorded(world: World) -> None:
    browser = world.signed_in()
    world.clock.advance(**LATER)

    assert confirm(browser) == 303
    assert not must_confirm(world, browser)
    assert world.history.outcomes[-1] == (NAME, "confirmed")
    assert "Confirmed for 15 minutes" in browser.get("/confirm").text


def test_it_counts_for_one_browser_and_over_a_restart(world: World) -> None:
    browser, other = world.signed_in(), world.signed_in()
    world.clock.advance(**LATER)
    confirm(browser)
    cookie = browser.cookies["wppconnect_sign_in"]
    restarted = SignIns(world.store, world.users, world.sign_ins.lifetimes, clock=world.clock)

    assert must_confirm(world, other)
    assert not restarted.must_confirm(cookie)


def test_wrong_passwords_confirm_nothing_and_are_slowed_down(world: World) -> None:
    browser = world.signed_in()
    world.clock.advance(**LATER)

    statuses = [confirm(browser, "wrong password") for _ in range(12)]

    assert (statuses[0], statuses[-1]) == (422, 429)
    assert must_confirm(world, browser)
    assert (NAME, "failed") in world.history.outcomes


@pytest.mark.parametrize("case", ["no token", "another origin", "signed out"])
def test_nobody_else_confirms(world: World, case: str) -> None:
    browser = world.signed_in()
    form = {**browser.get("/confirm").form, "password": PASSWORD}
    world.clock.advance(**LATER)
    match case:
        case "no token":
            status = browser.post("/confirm", {"password": PASSWORD}).status
        case "another origin":
            status = browser.post("/confirm", form, origin="http://evil.test").status
        case _:
            status = world.browser().post("/confirm", form).status

    assert status in (303, 403)
    assert must_confirm(world, browser)


def test_clock_that_was_set_back_prolongs_nothing(world: World) -> None:
    browser = world.signed_in()
    world.clock.advance(hours=-2)

    assert must_confirm(world, browser)


@pytest.mark.parametrize("way", [AuthMethod.PROXY, AuthMethod.PROVIDER])
def test_only_a_sign_in_with_a_password_is_confirmed_by_it(world: World, way: AuthMethod) -> None:
    account = world.users.find(NAME)
    assert account is not None
    cookie = world.sign_ins.begin(account, way)
    world.clock.advance(**LATER)

    # A proxy would have to be asked, which we cannot do: there nothing is asked at all.
    assert world.sign_ins.must_confirm(cookie) == (way is AuthMethod.PROVIDER)
    browser = Browser(world.app, cookies={"wppconnect_sign_in": cookie})
    form = {**world.signed_in().get("/confirm").form, "password": PASSWORD}
    browser.post("/confirm", form)
    assert world.sign_ins.must_confirm(cookie) == (way is AuthMethod.PROVIDER)


def test_unknown_cookie_has_confirmed_nothing(world: World) -> None:
    assert world.sign_ins.must_confirm("nobody's")
    assert world.sign_ins.must_confirm(None)


@dataclass
class AtProvider:
    """The sign-in with an OpenID Connect provider, which asks whoever is there."""

    world: World
    provider: openid_world.World = field(default_factory=openid_world.World)

    def __post_init__(self) -> None:
        self.provider.clock = self.world.clock
        routes = ProviderRoutes(
            self.world.auth,
            self.provider.provider,
            flows=Flows(self.world.auth.page_key, clock=self.world.clock),
            sign_in_url="https://ops.test/sign-in",
        ).routes()
        rules = replace(
            self.world.rules,
            open_paths=self.world.rules.open_paths | {route.path for route in routes},
        )
        gate = Middleware(Gate, rules=rules)
        # Streamlit has one for its own cookie.
        sessions = Middleware(SessionMiddleware, secret_key="of Streamlit")
        self.app = Starlette(routes=[*routes, *self.world.app.routes], middleware=[sessions, gate])

    def signed_in(self, subject: str) -> Browser:
        """Open a browser in which the provider's user of this subject is signed in."""
        account = self.world.users.create(
            subject, Role.ADMINISTRATOR, way=AuthMethod.PROVIDER, subject=f"{openid_world.ISSUER} {subject}"
        )
        cookie = self.world.sign_ins.begin(account, AuthMethod.PROVIDER)
        return Browser(self.app, cookies={"wppconnect_sign_in": cookie})

    def come_back(self, browser: Browser, subject: str) -> int:
        """Go there, be asked now, and come back as the user of this subject."""
        query = openid_world.query_of(browser.get("/sign-in/provider?confirm=yes").headers["location"])
        assert query["max_age"] == ["0"]
        self.provider.sent = query
        self.provider.claims = {"sub": subject, "auth_time": int(self.world.clock.monotonic())}
        self.provider.userinfo = {"sub": subject}
        callback = f"/sign-in/provider/callback?code=the-code&state={query['state'][0]}"
        return int(browser.get(callback).status)


@pytest.mark.parametrize(("as_whom", "status"), [("17", 303), ("18", 400)])
def test_provider_confirms_who_is_signed_in_and_nobody_else(world: World, as_whom: str, status: int) -> None:
    there = AtProvider(world)
    there.signed_in("18")
    browser = there.signed_in("17")
    world.clock.advance(**LATER)
    offered = browser.get("/confirm").text

    assert there.come_back(browser, as_whom) == status
    assert must_confirm(world, browser) == (as_whom != "17")
    assert 'href="/sign-in/provider?confirm=yes"' in offered
    assert 'type="password"' not in offered
