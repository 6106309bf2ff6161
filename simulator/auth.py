"""Bearer tokens as the server creates and checks them (section 3)."""

import asyncio
import queue
import re
import threading
from collections.abc import Callable
from typing import TypeVar

import bcrypt

from simulator.responses import JsonResponse

T = TypeVar("T")

TOKEN_MISSING: JsonResponse = (
    401,
    {"message": "Token is not present. Check your header and try again"},
)
TOKEN_WRONG: JsonResponse = (401, {"error": "Check that the Session and Token are correct"})

_BCRYPT_HASH = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_BCRYPT_READS = 72  # bytes; the server's library ignores the rest, Python's refuses it
_SERVER_COST = 10


def create_token(session: str, secret_key: str, cost: int = _SERVER_COST) -> str:
    """Return a new token. Every token stays valid until the secret changes."""
    hashed = bcrypt.hashpw(_password(session, secret_key), bcrypt.gensalt(cost))
    return hashed.decode().replace("/", "_").replace("+", "-")


def is_valid(session: str, secret_key: str, token: str) -> bool:
    """Return whether the token matches. It is compared at the bcrypt cost that it states, for any client."""
    hashed = token.replace("_", "/").replace("-", "+")
    if _BCRYPT_HASH.fullmatch(hashed) is None:
        return False
    try:
        return bcrypt.checkpw(_password(session, secret_key), hashed.encode())
    except ValueError:
        return False


def presented_token(session_segment: str, authorization: str | None) -> tuple[str, str | None]:
    """Return session name and token of a request; the token is None if missing.

    `session:token` in the path takes precedence over the header. Of the header the second word counts,
    regardless of the first.
    """
    name, *rest = session_segment.split(":")
    if rest:
        return name, rest[0]
    words = (authorization or "").split(" ")
    return name, words[1] if len(words) > 1 and words[1] else None


class BcryptWorker:
    """The single thread that computes hashes, so that requests queue for it as on the real server.

    A daemon thread: a hash of cost 31 takes days, and must not delay the end of the simulator.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="simulator-bcrypt", daemon=True).start()

    async def run(self, function: Callable[[], T]) -> T:
        """Run the function in the thread and return its result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: Exception | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # a result whenever there is no error

        def job() -> None:
            result, error = None, None
            try:
                result = function()
            except Exception as caught:  # noqa: BLE001  # handed to the request that waits
                error = caught
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        self._jobs.put(job)
        return await future

    def stop(self) -> None:
        """End the thread after the present job."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except RuntimeError:
                continue  # The loop was closed between the check and the call.


def _password(session: str, secret_key: str) -> bytes:
    return (session + secret_key).encode()[:_BCRYPT_READS]
