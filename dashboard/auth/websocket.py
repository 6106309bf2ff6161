"""One open tab: its websocket ends soon after its sign-in does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Message, Receive, Send

CHECK_SECONDS = 0.5
EMPTYING_SECONDS = 0.8
"""Between the rerun that empties the page and the cut; with the check it stays below two seconds."""


@dataclass(frozen=True)
class TabFrames:
    """What the gate must know of Streamlit's protocol."""

    is_activity: Callable[[bytes], bool]
    """Was this frame sent because a person did something, or by the page's own timers?"""
    rerun: bytes
    """A frame as a browser sends it to have its page drawn anew."""


class Tab:
    """Stand between the websocket and the page.

    When the sign-in ends, the page is rerun once, which draws nothing any more because nobody is signed
    in; then the websocket is cut. A websocket that is cut at once would leave the last screen standing.
    """

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        is_signed_in: Callable[[], bool],
        touch: Callable[[], None],
        frames: TabFrames,
    ) -> None:
        self._receive = receive
        self._send = send
        self._is_signed_in = is_signed_in
        self._touch = touch
        self._frames = frames
        self._next: asyncio.Task[Message] | None = None
        self._cut_at: float | None = None
        self._cut = False

    async def receive(self) -> Message:
        """Give the page the browser's next message, the rerun or the end."""
        while True:
            message = await self._next_message()
            if message and message["type"] != "websocket.receive":
                return message
            if self._is_signed_in():
                if message is None:
                    continue
                if self._frames.is_activity(message.get("bytes") or b""):
                    self._touch()
                return message
            # Whatever the browser sends from here on is dropped.
            moment = asyncio.get_running_loop().time()
            if self._cut_at is None:
                self._cut_at = moment + EMPTYING_SECONDS
                return {"type": "websocket.receive", "bytes": self._frames.rerun}
            if moment >= self._cut_at:
                await self.send({"type": "websocket.close", "code": 4401, "reason": "signed out"})
                self._cut = True
                return {"type": "websocket.disconnect", "code": 4401, "reason": "signed out"}

    async def send(self, message: Message) -> None:
        """Pass on what the page sends, until the cut."""
        if not self._cut:
            await self._send(message)

    def abandon(self) -> None:
        """The page has ended: wait for the browser no longer."""
        if self._next:
            self._next.cancel()

    async def _next_message(self) -> Message | None:
        if self._next is None:
            self._next = asyncio.ensure_future(self._receive())
        done, _waiting = await asyncio.wait({self._next}, timeout=CHECK_SECONDS)
        if not done:
            return None
        task, self._next = self._next, None
        return task.result()
