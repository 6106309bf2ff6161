"""What a browser must bring back from the provider: it was begun there, by that browser, a moment ago."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from itsdangerous import BadData, URLSafeSerializer

from core.clock import Now, now

VALID_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Flow:
    """One sign-in on its way over the provider."""

    next_address: str
    begun_at: float
    """Seconds since 1970, UTC."""
    state: str
    """Comes back with the person; another site cannot know it."""
    nonce: str
    """Comes back inside what the provider signs, which thereby is for this sign-in only."""
    verifier: str
    """Shown only when the code is exchanged, so that a stolen code is of no use."""
    confirms: bool = False
    """Whether somebody who is signed in proves again who they are."""


class Flows:
    """Begin flows, and keep each in a signed cookie of its browser: no memory that a flood could fill.

    The key lives as long as the process; a restart in between means to begin again.
    """

    def __init__(self, *, clock: Now = now) -> None:
        self._clock = clock
        self._serializer = URLSafeSerializer(
            secrets.token_bytes(32), salt="provider", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def begin(self, next_address: str, *, confirms: bool = False) -> Flow:
        """Return a new flow."""
        return Flow(
            next_address=next_address,
            begun_at=self._clock().timestamp(),
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            confirms=confirms,
        )

    def seal(self, flow: Flow) -> str:
        """Return the cookie value."""
        return str(self._serializer.dumps(asdict(flow)))

    def open(self, cookie: str | None, state: str) -> Flow | None:
        """Return the flow of a cookie, if it is ours, fresh and the one that has come back."""
        try:
            flow = Flow(**self._serializer.loads(cookie or ""))
        except (BadData, UnicodeError):
            return None
        is_stale = self._clock().timestamp() - flow.begun_at > VALID_FOR.total_seconds()
        if is_stale or not hmac.compare_digest(flow.state.encode(), state.encode()):
            return None
        return flow
