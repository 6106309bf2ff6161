"""The state of a sign-in at the provider, which binds the callback to the browser that began it."""

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
    """A sign-in at the provider that has begun and not ended."""

    next_address: str
    begun_at: float
    """Seconds since 1970, UTC."""
    state: str
    """Returned in the callback; another site cannot know it."""
    nonce: str
    """Returned inside the signed ID token, which makes the token valid for this sign-in only."""
    verifier: str
    """The PKCE code verifier, sent only when the code is exchanged, so that a stolen code is useless."""
    confirms: bool = False
    """Whether a signed-in user re-authenticates."""


class Flows:
    """Begin flows, and store each in a signed cookie of its browser, so that a flood fills no memory.

    The key lives as long as the process: after a restart a flow has to begin again.
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
        """Return the signed cookie value of a flow."""
        return str(self._serializer.dumps(asdict(flow)))

    def open(self, cookie: str | None, state: str) -> Flow | None:
        """Return the flow of a cookie, or None if the signature, the age or the state is wrong."""
        try:
            flow = Flow(**self._serializer.loads(cookie or ""))
        except (BadData, UnicodeError):
            return None
        is_stale = self._clock().timestamp() - flow.begun_at > VALID_FOR.total_seconds()
        if is_stale or not hmac.compare_digest(flow.state.encode(), state.encode()):
            return None
        return flow
