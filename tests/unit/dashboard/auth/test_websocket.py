import asyncio
from pathlib import Path
from typing import Any

import pytest
from asgi_browser import Browser
from auth_world import CookieRule, World

from dashboard.auth.gate import Gate

ORIGIN = {"origin": "http://ops.test"}
CONNECT = {"type": "websocket.connect"}
BYE = {"type": "websocket.disconnect", "code": 1001}


class Page:
    """An application that accepts every websocket and remembers what reaches it."""

    def __init__(self) -> None:
        self.reached: list[dict[str, Any]] = []

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            self.reached.append(message)
        self.reached.append(message)
        # Streamlit's sender may still have something to say after the end.
        await send({"type": "websocket.send", "bytes": b"late"})


class Socket:
    """The browser's end of a websocket."""

    def __init__(self, world: World, browser: Browser, headers: dict[str, str]) -> None:
        self.page = Page()
        self.sent: list[dict[str, Any]] = []
        self._gate = Gate(self.page, rules=world.rules)
        self._scope = browser.scope("websocket", "/_stcore/stream", headers)
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.say(CONNECT)

    async def run(self) -> None:
        await asyncio.wait_for(self._gate(self._scope, self._messages.get, self._keep), 5)

    def say(self, message: dict[str, Any]) -> None:
        self._messages.put_nowait(message)

    async def until_accepted(self) -> None:
        async with asyncio.timeout(5):
            while not self.sent:
                await asyncio.sleep(0)

    @property
    def kinds(self) -> list[str]:
        return [message["type"] for message in self.sent]

    async def _keep(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def frame(data: bytes) -> dict[str, Any]:
    return {"type": "websocket.receive", "bytes": data}


def test_websocket_without_sign_in_is_closed_before_it_opens(tmp_path: Path) -> None:
    world = World(tmp_path)
    socket = Socket(world, world.browser(), ORIGIN)

    asyncio.run(socket.run())

    assert [(message["type"], message["code"]) for message in socket.sent] == [("websocket.close", 4401)]
    assert socket.page.reached == []


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.test"}, {"origin": "null"}])
def test_websocket_of_another_site_is_closed_even_when_signed_in(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    world = World(tmp_path)
    world.add_user()
    socket = Socket(world, world.signed_in(), headers)

    asyncio.run(socket.run())

    assert socket.kinds == ["websocket.close"]


@pytest.mark.parametrize(
    ("rule", "origin"),
    [
        (CookieRule(), "http://ops.test"),
        (CookieRule(external_url="https://ops.example.org"), "https://ops.example.org"),
    ],
)
def test_websocket_of_a_signed_in_person_opens_and_carries_both_ways(
    tmp_path: Path, rule: CookieRule, origin: str
) -> None:
    world = World(tmp_path, rule=rule)
    world.add_user()
    socket = Socket(world, world.signed_in(), {"origin": origin})
    socket.say(frame(b"hello"))
    socket.say(BYE)

    asyncio.run(socket.run())

    assert socket.page.reached == [frame(b"hello"), BYE]
    assert socket.kinds[0] == "websocket.accept"


def test_open_websocket_is_rerun_once_and_cut_after_the_sign_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()

    async def story() -> Socket:
        socket = Socket(world, browser, ORIGIN)
        running = asyncio.ensure_future(socket.run())
        await socket.until_accepted()
        world.sign_ins.end(browser.cookies["wppconnect_sign_in"])
        socket.say(frame(b"click after the sign-out"))
        await running
        return socket

    socket = asyncio.run(story())

    ending = {"type": "websocket.disconnect", "code": 4401, "reason": "signed out"}
    assert socket.page.reached == [frame(b"rerun"), ending]
    assert [(one["type"], one.get("code")) for one in socket.sent] == [
        ("websocket.accept", None),
        ("websocket.close", 4401),
    ]


@pytest.mark.parametrize(("data", "hours_left"), [(b"click", 12), (b"timer", 1)])
def test_only_what_a_person_does_keeps_the_sign_in_awake(
    tmp_path: Path, data: bytes, hours_left: int
) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()
    world.clock.advance(hours=11)
    socket = Socket(world, browser, ORIGIN)
    socket.say(frame(data))
    socket.say(BYE)
    asyncio.run(socket.run())
    cookie = browser.cookies["wppconnect_sign_in"]

    world.clock.advance(hours=hours_left, seconds=-1)
    before = world.sign_ins.user_of(cookie)
    world.clock.advance(seconds=1)

    assert before is not None
    assert world.sign_ins.user_of(cookie) is None
