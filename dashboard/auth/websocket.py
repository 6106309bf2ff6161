"""The websocket of an open tab, which is closed soon after its sign-in ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Message, Receive, Send

CHECK_SECONDS = 0.5
EMPTYING_SECONDS = 0.8
"""Between the rerun that clears the page and the disconnect; below two seconds together with the check."""


@dataclass(frozen=True)
class TabFrames:
    """The part of Streamlit's protocol that the gate uses."""

    is_activity: Callable[[bytes], bool]
    """Return whether a frame was caused by the user and not by the page's timers."""
    rerun: bytes
    """The frame with which a browser requests a rerun of its page."""


class Tab:
    """Proxy the messages between the websocket and the page.

    When the sign-in ends, the page is rerun once, which draws nothing because the user is signed out; then
    the websocket is closed. If it were closed at once, the last screen would stay visible.
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
        """Return the browser's next message; after sign-out a rerun, then the disconnect."""
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
            # Signed out: the browser's messages are dropped from here on.
            moment = asyncio.get_running_loop().time()
            if self._cut_at is None:
                self._cut_at = moment + EMPTYING_SECONDS
                return {"type": "websocket.receive", "bytes": self._frames.rerun}
            if moment >= self._cut_at:
                await self.send({"type": "websocket.close", "code": 4401, "reason": "signed out"})
                self._cut = True
                return {"type": "websocket.disconnect", "code": 4401, "reason": "signed out"}

    async def send(self, message: Message) -> None:
        """Send the page's message, unless the tab is disconnected."""
        if not self._cut:
            await self._send(message)

    def abandon(self) -> None:
        """Stop waiting for the browser, once the page has ended."""
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
