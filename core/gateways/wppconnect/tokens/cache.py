"""Bearer tokens of one gateway's sessions: obtain, share and renew them, and pause after rejections."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

import bcrypt

from core.clock import Now, now
from core.exceptions import (
    ApiError,
    AuthenticationError,
    RetryLaterError,
    SecretKeyRejectedError,
    TransportError,
)
from core.gateways.wppconnect.contract.answers import parse_generated
from core.gateways.wppconnect.contract.session_names import BCRYPT_BYTES
from core.gateways.wppconnect.contract.token_format import ParsedToken, TokenKind, encode_salt, parse_token
from core.gateways.wppconnect.manager_client import ManagerClient
from core.gateways.wppconnect.tokens.records import Origin, SessionEntry
from core.gateways.wppconnect.tokens.secret_strength import USUAL_COST, minting_cost
from core.gateways.wppconnect.tokens.shared import SharedTokens
from core.locks import ProcessLock
from core.messages import Message
from core.models import TokenSource
from core.settings.values import ServerSettings, Timeouts
from core.store.protocol import Store
from core.transport import Transport

OPERATION = "obtain a token"
LOCK_SLACK_SECONDS = 5.0
MINTING_AHEAD_SECONDS = 0.25
"""Limit of CPU time; other callers wait meanwhile."""


def token_for_applications(
    server: ServerSettings, session: str, store: Store, clock: Now = now
) -> str | None:
    """Return the token for a customer's application; None if there is none. Sends no request.

    Some routes accept only tokens of the gateway's own cost (contract, section 12), so cheaper tokens serve
    our own probes only. The token minted instead is deterministic, so that a written one can be compared.
    """
    if server.secret_key:
        token = _shared(server, store, clock).session(session).token
        cost = parse_token(token).cost if token is not None else None
        is_cheap = cost is not None and cost < USUAL_COST
        return _mint_steadily(session, server.secret_key.get_secret_value()) if is_cheap else token
    configured = parse_token(server.token.get_secret_value()) if server.token else None
    return _configured_for(server, configured, session)


@lru_cache(maxsize=256)
def _mint_steadily(session: str, secret: str) -> str:
    # The salt must differ between secrets and sessions, but need not be secret.
    salt = hmac.digest(secret.encode(), f"token for applications of {session}".encode(), "sha256")[:16]
    return _hashed(session, secret, f"$2b${USUAL_COST}$".encode() + encode_salt(salt))


def _hashed(session: str, secret: str, salt: bytes) -> str:
    password = (session + secret).encode()[:BCRYPT_BYTES]
    return parse_token(bcrypt.hashpw(password, salt).decode()).token


def _shared(server: ServerSettings, store: Store, clock: Now) -> SharedTokens:
    configured = parse_token(server.token.get_secret_value()).token if server.token else ""
    made_from = server.secret_key.get_secret_value() if server.secret_key else configured
    # Include the source: choosing another one requires other tokens and ends a pause after rejections.
    bound_to = "\n".join((server.url, server.token_source, made_from))
    return SharedTokens(server.name, bound_to=bound_to, store=store, clock=clock)


def _configured_for(server: ServerSettings, configured: ParsedToken | None, session: str) -> str | None:
    if configured is None or configured.kind is not TokenKind.BCRYPT:
        return None
    names = [one.name for one in server.sessions]
    serves = configured.session or (names[0] if len(names) == 1 else None)
    return configured.token if session == serves else None


class TokenCache:
    """The tokens of one gateway, shared between all our processes through the store.

    A token is kept until the gateway responds 401 to it (`renew`) or the secret key, the address or the
    token source changes. Tokens are obtained under a lock between processes: the second one finds the token
    of the first.
    """

    def __init__(
        self,
        server: ServerSettings,
        *,
        transport: Transport,
        store: Store,
        lock_directory: Path,
        timeouts: Timeouts,
        clock: Now = now,
    ) -> None:
        self._server = server
        self._secret = server.secret_key.get_secret_value() if server.secret_key else None
        self._configured = parse_token(server.token.get_secret_value()) if server.token else None
        self._transport = transport
        self._timeout_seconds = timeouts.generate_token_seconds
        self._shared = _shared(server, store, clock)
        name = re.sub(r"[^A-Za-z0-9_-]", "_", server.name)
        self._lock = ProcessLock(lock_directory / f"tokens-{name}.lock")
        self._held: dict[str, ParsedToken] = {}
        self._minting_cost = minting_cost(self._secret) if self._secret else USUAL_COST
        self._failure: tuple[float, TransportError] | None = None
        self._is_closed = False
        self.manager = ManagerClient(transport, timeouts)

    def token(self, session: str) -> str:
        """Return a session's token; obtain one if there is none.

        Raise SecretKeyRejectedError if the gateway rejects the secret key; AuthenticationError if it rejects
        the session's tokens, or if neither a secret key nor a usable token is configured. During a pause
        after a rejection these are raised without a request. Raise the errors of the transport.
        """
        held = self._held.get(session)
        if held is not None:
            return held.token
        known = self._known(session, self._shared.session(session))
        if known is not None:
            return known
        with self._alone(session):
            entry = self._shared.session(session)
            return self._known(session, entry) or self._obtain(session, entry)

    def renew(self, session: str, rejected: str) -> str:
        """Return another token after a 401: one that was renewed meanwhile elsewhere, or a new one."""
        self._forget(session, rejected)
        with self._alone(session):
            entry = self._shared.session(session)
            known = None if entry.token == rejected else self._known(session, entry)
            if known is not None and known != rejected:
                return known
            if self._secret is None:
                self._forget(session, rejected)
                self._shared.drop(session, rejected, pause=True)
                raise self._tokens_refused(session)
            return self._obtain(session, self._shared.drop(session, rejected))

    def close(self) -> None:
        """Stop obtaining tokens; callers that wait for the lock get a TransportError."""
        self._is_closed = True

    def confirm(self, session: str, token: str) -> None:
        """Record that the gateway accepted a token which `renew` returned."""
        entry = self._shared.session(session)
        if entry.token == token and entry.replaces_minted:
            # The secret is right, since the gateway generated this token from it, but it rejects minted ones.
            self._shared.prefer_generated()

    def reject(self, session: str, rejected: str) -> None:
        """Record that the gateway rejected a token which `renew` returned, and start a pause."""
        self._forget(session, rejected)
        with self._alone(session):
            if self._shared.session(session).token == rejected:
                # Do not count: `renew` has counted this failure with the previous token.
                self._shared.drop(session, rejected, pause=True, count=False)

    def secret_for(self, operation: str) -> str:
        """Return the secret key for a call that sends it; raise like `token` if it must not be sent."""
        if self._secret is None:
            raise self._nothing_to_make_one_from(operation, None)
        self._raise_while_secret_is_refused(operation, None)
        return self._secret

    def secret_refused(self, session: str | None = None) -> None:
        """Record that the gateway rejected the secret key in a call that sent it.

        Without a session, the rejection is counted for the gateway's first session, so that none is lost.
        """
        sessions = self._server.sessions
        self._shared.secret_refused(session or (sessions[0].name if sessions else None))

    def end_pause(self) -> None:
        """Allow the secret key to be tried at once: the gateway was restarted, maybe with another one."""
        self._shared.end_pause()

    def secret_accepted(self) -> None:
        """Record that the gateway accepted the secret key in a call that sent it."""
        self._shared.secret_accepted()

    def failures(self, session: str) -> dict[str, int]:
        """Return the authentication failures by reason, of all processes since the store was created."""
        return self._shared.failures(session)

    def renewals(self, session: str) -> int:
        """Return how many tokens were obtained for a session since the store was created."""
        return self._shared.renewals(session)

    def cost(self, session: str) -> int:
        """Return the bcrypt cost that the gateway pays for each request of a session."""
        used = self._held.get(session) or (None if self._secret else self._configured)
        if used is not None and used.cost is not None:
            return used.cost
        return USUAL_COST if self._server.token_source is TokenSource.SERVER else self._minting_cost

    def _known(self, session: str, entry: SessionEntry) -> str | None:
        """Return the session's existing token, or None; raise during a pause."""
        if entry.pause is not None and entry.pause.left_seconds(self._shared.now):
            raise self._tokens_refused(session)
        token = entry.token if self._secret else _configured_for(self._server, self._configured, session)
        if token is None:
            self._raise_while_secret_is_refused(OPERATION, session)
            return None
        self._held[session] = parse_token(token)
        return token

    def _obtain(self, session: str, entry: SessionEntry) -> str:
        """Mint a token or request one from the gateway; the caller holds the lock of `_alone`."""
        source = self._server.token_source
        gateway = self._shared.server()
        refused_before = gateway.refusal is not None
        # A dropped minted token was rejected, and another one from the same secret would be, too. Unless the
        # secret itself was rejected then: that explains it, and ended at `accepted_at`.
        minting_failed = entry.origin is Origin.MINTED and entry.dropped_at > gateway.accepted_at
        asks = gateway.prefers_generated or minting_failed or refused_before
        if source is TokenSource.LOCAL or (source is TokenSource.AUTO and not asks):
            self._mint_ahead(session)
            return self._keep(session, self._mint(session), Origin.MINTED)
        token = self._generate(session, minting_failed=minting_failed)
        if refused_before:
            self._shared.secret_accepted()
            if source is TokenSource.AUTO and not gateway.prefers_generated:
                # The secret was wrong and is right again: return to the cheaper minted tokens.
                return self._keep(session, self._mint(session), Origin.MINTED)
        return self._keep(session, token, Origin.GENERATED, replaces_minted=minting_failed)

    def _mint_ahead(self, session: str) -> None:
        """Mint the first tokens of other sessions, too: one write each would cost more than the tokens."""
        began = time.thread_time()
        minted = {}
        for name in self._shared.without_record(one.name for one in self._server.sessions):
            if self._is_closed or time.thread_time() - began > MINTING_AHEAD_SECONDS:
                break
            if name != session:
                minted[name] = self._mint(name)
        if minted:
            self._shared.keep_new(minted)

    def _mint(self, session: str) -> str:
        if self._secret is None:
            raise self._nothing_to_make_one_from(OPERATION, session)
        return _hashed(session, self._secret, bcrypt.gensalt(self._minting_cost, prefix=b"2b"))

    def _generate(self, session: str, *, minting_failed: bool) -> str:
        if self._secret is None:
            raise self._nothing_to_make_one_from(OPERATION, session)
        self._raise_while_secret_is_refused(OPERATION, session)
        try:
            return self._ask_for_one(session, self._secret)
        except TransportError as error:
            self._failure = (time.monotonic(), error)
            raise
        except SecretKeyRejectedError:
            self._shared.secret_refused(session)
            raise
        except ApiError as error:
            if not minting_failed or error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            raise AuthenticationError(
                f"cannot {OPERATION}: the gateway refuses tokens made here from the secret key, and makes "
                f"none itself (HTTP {error.status_code}); check WPPCONNECT_SECRET_KEY",
                status_code=error.status_code,
                operation=OPERATION,
                session=session,
            ) from None

    def _ask_for_one(self, session: str, secret: str) -> str:
        if self.manager.takes(secret, session):
            with suppress(RetryLaterError):  # The older route below has no rate limit.
                token = self.manager.generate_token(session, secret, operation=OPERATION)
                if token is not None:
                    return token
        answer = self._transport.request(
            "POST",
            "/api/{session}/{secretkey}/generate-token",
            path={"session": session, "secretkey": secret},
            operation=OPERATION,
            timeout_seconds=self._timeout_seconds,
            session=session,
        )
        return parse_generated(answer)

    def _keep(self, session: str, token: str, origin: Origin, *, replaces_minted: bool = False) -> str:
        self._shared.keep(session, token, origin, replaces_minted=replaces_minted)
        self._held[session] = parse_token(token)
        return token

    def _forget(self, session: str, rejected: str) -> None:
        held = self._held.get(session)
        if held is not None and held.token == rejected:
            self._held.pop(session, None)

    @contextmanager
    def _alone(self, session: str) -> Iterator[None]:
        """Exclude all other threads and processes that obtain a token of this gateway."""
        began = time.monotonic()
        self._lock.acquire(2 * self._timeout_seconds + LOCK_SLACK_SECONDS)
        try:
            if self._failure is not None and self._failure[0] > began:
                # The caller that held the lock got no response: do not repeat its timeout for every waiter.
                error = self._failure[1]
                raise type(error)(error.explanation, operation=OPERATION, session=session)
            if self._is_closed:
                raise TransportError(Message("transport.closed_here"), operation=OPERATION, session=session)
            yield
        finally:
            self._lock.release()

    def _raise_while_secret_is_refused(self, operation: str, session: str | None) -> None:
        pause = self._shared.server().refusal
        left_seconds = pause.left_seconds(self._shared.now) if pause is not None else 0.0
        if left_seconds:
            raise SecretKeyRejectedError(
                f"cannot {operation}: the gateway refuses the secret key; set WPPCONNECT_SECRET_KEY to the "
                f"one it was started with (it is asked again in {left_seconds:.0f} s)",
                status_code=400,
                operation=operation,
                session=session,
            )

    def _tokens_refused(self, session: str) -> AuthenticationError:
        remedy = (
            "check WPPCONNECT_SECRET_KEY"
            if self._secret
            else "set WPPCONNECT_SECRET_KEY, or a new WPPCONNECT_TOKEN"
        )
        return AuthenticationError(
            f"cannot {OPERATION}: the gateway refuses the tokens of this session; {remedy}",
            status_code=401,
            operation=OPERATION,
            session=session,
        )

    def _nothing_to_make_one_from(self, operation: str, session: str | None) -> AuthenticationError:
        why = ""
        if self._configured is not None:
            is_raw = self._configured.kind is not TokenKind.BCRYPT
            why = " is a raw key and no token" if is_raw else " serves one session only"
            why = f"; what stands in WPPCONNECT_TOKEN{why}"
        return AuthenticationError(
            f"cannot {operation}: the secret key is not known; set WPPCONNECT_SECRET_KEY{why}",
            status_code=401,
            operation=operation,
            session=session,
        )
