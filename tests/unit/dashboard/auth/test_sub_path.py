"""The page below a path of a host that it shares: https://ops.test/wpp/."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from asgi_browser import Browser
from auth_world import NAME, PASSWORD, CookieRule, World
from starlette.applications import Starlette
from starlette.middleware import Middleware

import dashboard
from dashboard.auth.cookies import SIGN_IN_COOKIE
from dashboard.auth.sub_path import SubPath, published, sub_path_of
from dashboard.handoff.page import handoff_page
from dashboard.serving.runbooks import runbook_routes

URL = "https://ops.test/wpp"
COOKIE = f"__Secure-{SIGN_IN_COOKIE}"
LEADS_OUT = re.compile(r"""(href|src|action)=["']/|(fetch|URL|location\.(assign|replace))\(["'`]/""")
ADDRESS = re.compile(r'(?:href|src|action)="(/[^"]*)"')


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, rule=CookieRule(external_url=URL))
    world.app.router.routes[:0] = runbook_routes()
    return world


def below(world: World) -> Browser:
    """Open a browser in front of the page; nothing is taken off its addresses on the way."""
    app = SubPath(
        world.app,
        path=sub_path_of(URL),
        at_root_too=frozenset({"/-/healthy"}),
    )
    return Browser(app, scheme="https")


def sign_in(browser: Browser, address: str = "/wpp/sign-in") -> Any:
    form = browser.get(address).form
    return browser.post("/wpp/sign-in", form | {"name": NAME, "password": PASSWORD})


def test_sign_in_leads_back_to_where_the_person_wanted_to_go(world: World) -> None:
    world.add_user()
    browser = below(world)

    sent = browser.get("/wpp/session?session=sales&pair=1")
    answer = sign_in(browser, sent.headers["location"])

    assert sent.status == 303
    assert sent.headers["location"] == "/wpp/sign-in?next=%2Fsession%3Fsession%3Dsales%26pair%3D1"
    assert answer.headers["location"] == "/wpp/session?session=sales&pair=1"
    assert browser.get("/wpp/session").status == 200


def test_cookies_are_for_our_path_alone_and_end_there(world: World) -> None:
    world.add_user()
    browser = below(world)

    begun = sign_in(browser)
    form = browser.get("/wpp/sign-out").form
    ended = browser.post("/wpp/sign-out", form | {"where": "here"})

    assert "Path=/wpp/;" in begun.set_cookies[COOKIE]
    assert "Secure" in begun.set_cookies[COOKIE]
    assert "Path=/wpp/;" in ended.set_cookies[COOKIE]
    assert ended.headers["location"].startswith("/wpp/sign-in?signed_out=")
    assert COOKIE not in browser.cookies


def test_what_stands_behind_the_gate_sees_the_sign_in_under_its_plain_name(world: World) -> None:
    world.add_user()
    browser = below(world)
    sign_in(browser)
    seen: list[str] = []

    async def behind(scope: Any, _receive: Any, send: Any) -> None:
        seen.extend(value.decode() for name, value in scope["headers"] if name == b"cookie")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    world.app.router.routes.clear()
    world.app.router.default = behind
    browser.get("/wpp/")

    assert re.findall(rf"\S*{SIGN_IN_COOKIE}", "".join(seen)) == [SIGN_IN_COOKIE]


@pytest.mark.parametrize("address", ["/sign-in", "/sign-in/link", "/sign-out", "/account", "/runbooks"])
def test_every_address_of_a_page_lies_below_the_path(world: World, address: str) -> None:
    world.add_user()
    browser = below(world)
    sign_in(browser) if address in {"/sign-out", "/account", "/runbooks"} else None

    answer = browser.get(f"/wpp{address}")

    found = ADDRESS.findall(answer.text)
    assert answer.status == 200
    assert len(found) > 2
    assert [one for one in found if not one.startswith("/wpp/")] == []


def test_the_hand_off_page_gets_its_files_from_below_the_path(world: World) -> None:
    shown: list[str] = []

    async def behind(_scope: Any, _receive: Any, send: Any) -> None:
        shown.append(handoff_page("en", example=""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    Browser(SubPath(behind, path="/wpp", at_root_too=frozenset())).get("/wpp/hand-off")

    assert {one.partition("/wpp")[0] for one in ADDRESS.findall(shown[0])} == {""}
    assert "/wpp/hand-off/assets/hand-off.js" in shown[0]


def test_nowhere_is_an_address_written_that_would_lead_out_of_the_path() -> None:
    folder = Path(dashboard.__file__).parent
    sources = [one for kind in ("py", "html", "js", "css") for one in folder.rglob(f"*.{kind}")]

    assert len(sources) > 100
    assert [one.name for one in sources if LEADS_OUT.search(one.read_text())] == []


@pytest.mark.parametrize("path", ["/", "/sign-in", "/session", "/wppx/", "/wppsign-in", "//wpp/", "/WPP/"])
def test_elsewhere_it_says_where_the_page_is(world: World, path: str) -> None:
    answer = below(world).get(path)

    assert answer.status == 404
    assert "The page is at /wpp/." in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_another_spelling_of_the_path_is_elsewhere(world: World) -> None:
    browser = below(world)
    scope = browser.scope("http", "/wpp/sign-in", {}) | {"method": "GET", "raw_path": b"/%77pp/sign-in"}
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(browser.app(scope, None, send))

    assert sent[0]["status"] == 404


def test_the_path_without_its_slash_leads_on_with_the_query(world: World) -> None:
    answer = below(world).get("/wpp?lang=pt-PT")

    assert (answer.status, answer.headers["location"]) == (308, "/wpp/?lang=pt-PT")


def test_programs_on_this_machine_need_not_know_the_path(world: World) -> None:
    browser = below(world)

    assert [browser.get(path).text for path in ("/-/healthy", "/wpp/-/healthy")] == ["ok\n", "ok\n"]


def test_no_websocket_opens_elsewhere(world: World) -> None:
    world.add_user()
    browser = below(world)
    sign_in(browser)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = browser.scope("websocket", "/_stcore/stream", {"origin": "https://ops.test"})
    asyncio.run(browser.app(scope | {"scheme": "wss", "subprotocols": []}, receive, send))

    assert [message["type"] for message in sent] == ["websocket.close"]


def test_at_the_root_of_a_host_nothing_changes() -> None:
    seen: list[str] = []

    async def behind(scope: Any, _receive: Any, send: Any) -> None:
        seen.append(f"{scope['path']} {published('/sign-in')}")
        await send({"type": "http.response.start", "status": 303, "headers": [(b"location", b"/x")]})
        await send({"type": "http.response.body", "body": b""})

    app = Starlette(
        routes=[],
        middleware=[Middleware(SubPath, path="", at_root_too=frozenset())],
    )
    app.router.default = behind
    answer = Browser(app).get("/wpp/session")

    assert seen == ["/wpp/session /sign-in"]
    assert answer.headers["location"] == "/x"
