"""The session of a sign-in at the provider, which binds the callback to the browser that began it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from core.clock import Now, now

VALID_FOR = timedelta(minutes=10)


class Flows:
    """Store each sign-in's session in a signed cookie of its browser, so that a flood fills no memory."""

    def __init__(self, key: bytes, *, clock: Now = now) -> None:
        self._clock = clock
        self._serializer = URLSafeSerializer(
            key, salt="provider", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def seal(self, session: dict[str, Any]) -> str:
        """Return the cookie value of a session that begins now."""
        return str(self._serializer.dumps({**session, "begun_at": self._clock().timestamp()}))

    def open(self, cookie: str | None) -> dict[str, Any] | None:
        """Return the session of a cookie value, or None if the signature or the age is wrong.

        `begun_at` is in seconds since 1970, UTC.
        """
        try:
            session: dict[str, Any] = self._serializer.loads(cookie or "")
        except (BadData, UnicodeError):
            return None
        is_stale = self._clock().timestamp() - session["begun_at"] > VALID_FOR.total_seconds()
        return None if is_stale else session
