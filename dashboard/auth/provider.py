"""OpenID Connect client: Authlib's, with limits on time, size and concurrency.

No call takes longer than `MAX_SECONDS`, and none blocks the event loop: signing in with a password works
whatever the provider does.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
from authlib.integrations.starlette_client import OAuthError, StarletteIntegration, StarletteOAuth2App
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from core.clock import Monotonic, monotonic
from dashboard.auth.external_accounts import Identity
from dashboard.auth.provider_claims import ClaimRule, ProviderError, ProviderProblem

MAX_SECONDS = 10.0
FRESH_SECONDS = 3600.0
"""How long the provider's metadata and keys are cached."""
PAUSE_SECONDS = 5.0
"""After a failure the metadata is not requested again for this time."""
NEW_KEYS_SECONDS = 60.0
"""The minimum age of the keys before a token with an unknown key id causes a reload."""
MAX_BYTES = 1_000_000
LEEWAY_SECONDS = 60
AT_ONCE = 8
MAX_WAITING = 40
# Asymmetric algorithms only: never "none", and never a secret that the client shares.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
REQUIRED_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
USED_METADATA = frozenset(
    {
        *REQUIRED_ENDPOINTS,
        "userinfo_endpoint",
        "end_session_endpoint",
        "authorization_response_iss_parameter_supported",
    }
)
PROBLEMS = {
    "access_denied": ProviderProblem.CANCELLED,
    "login_required": ProviderProblem.CANCELLED,
    "interaction_required": ProviderProblem.CANCELLED,
    "consent_required": ProviderProblem.CANCELLED,
    "mismatching_state": ProviderProblem.STALE,
    # The code was used or has expired.
    "invalid_grant": ProviderProblem.STALE,
}
"""By the provider's or Authlib's error code; every other one is a matter of the settings."""


@dataclass(frozen=True)
class Client:
    """The page's registration as a client of the provider."""

    client_id: str
    client_secret: str | None = field(repr=False)
    scopes: str
    redirect_uri: str


class Provider(StarletteOAuth2App):  # type: ignore[misc]
    """Authlib's client for one OpenID Connect provider. `transport` replaces the network in tests.

    Authlib would keep metadata and keys until the process ends, and accept any issuer, address and algorithm.
    """

    server_metadata: dict[str, Any]

    def __init__(
        self,
        rule: ClaimRule,
        client: Client,
        *,
        clock: Monotonic = monotonic,
        transport: httpx2.AsyncBaseTransport | None = None,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        super().__init__(
            StarletteIntegration("provider"),
            "provider",
            client_id=client.client_id,
            client_secret=client.client_secret,
            server_metadata_url=f"{rule.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_auth_methods=[("client_secret_basic", _basic_authentication)],
            client_kwargs={
                "scope": client.scopes,
                "code_challenge_method": "S256",
                # The token is used at once; Authlib would renew one that lasts a minute.
                "leeway": 0,
                "timeout": max_seconds,
                "follow_redirects": False,
                "headers": {"Accept-Encoding": "identity"},
                "event_hooks": {"response": [_limit_size]},
                "transport": transport,
            },
        )
        self._rule = rule
        self._redirect_uri = client.redirect_uri
        self._clock = clock
        self._max_seconds = max_seconds
        self._loaded_at: float | None = None
        self._failed_at: float | None = None
        self._keys_at = 0.0
        self._loading = asyncio.Lock()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def redirect(self, request: Request, *, confirms: bool) -> Response:
        """Return the redirect to the provider; state, nonce and verifier are stored in `request.session`.

        Raises ProviderError.
        """
        # max_age: the provider has to re-authenticate the user even if a session exists there.
        options = {"max_age": 0} if confirms else {}
        async with self._turn():
            response: Response = await self.authorize_redirect(request, self._redirect_uri, **options)
            return response

    async def sign_out_url(self, back_to: str) -> str | None:
        """Return the URL for signing out at the provider, or None if there is none. Raises ProviderError."""
        async with self._turn():
            metadata = await self.load_server_metadata()
            if not _is_safe(metadata.get("end_session_endpoint")):
                return None
            found = await self.create_logout_url(back_to, client_id=self.client_id)
            return str(found["url"])

    async def identify(self, request: Request, *, asked_after: float | None = None) -> Identity:
        """Exchange the code of a callback and return the user's identity. Raises ProviderError.

        With `asked_after` (seconds since 1970, UTC) the provider must have authenticated the user since.
        """
        options: dict[str, dict[str, Any]] = {
            "iss": {"essential": True, "value": self._rule.issuer},
            "aud": {"essential": True, "value": self.client_id},
        }
        if asked_after is not None:
            earliest = asked_after - LEEWAY_SECONDS
            options["auth_time"] = {"essential": True, "validate": lambda _, moment: moment >= earliest}
        async with self._turn():
            if "error" not in request.query_params:
                self._check_response(await self.load_server_metadata(), request.query_params)
            token = await self.authorize_access_token(request, claims_options=options, leeway=LEEWAY_SECONDS)
            claims = token["userinfo"]
            if self._rule.is_incomplete(claims):
                claims = await self._more(token, claims)
            return self._rule.identity(claims)

    async def load_server_metadata(self) -> dict[str, Any]:
        """Return the provider's metadata, at most an hour old. Raises ProviderError."""
        async with self._loading:
            moment = self._clock()
            if self._loaded_at is not None and moment - self._loaded_at < FRESH_SECONDS:
                return self.server_metadata
            if self._failed_at is not None and moment - self._failed_at < PAUSE_SECONDS:
                raise ProviderError(ProviderProblem.DOWN, "error=failed_a_moment_ago")
            # Drops the keys as well, which Authlib stores among the metadata.
            self.server_metadata, self._loaded_at = {}, None
            try:
                if self.client_kwargs["transport"] is None:
                    # In a thread, because it reads the system's certificates from the disk.
                    self.client_kwargs["verify"] = await asyncio.to_thread(httpx2.create_ssl_context)
                with _reading("description"):
                    self.server_metadata = self._checked(await super().load_server_metadata())
            except BaseException:
                # BaseException includes the cancellation by the timeout.
                self._failed_at = self._clock()
                raise
            self._loaded_at, self._failed_at = moment, None
            return self.server_metadata

    async def fetch_jwk_set(self, force: bool = False) -> Any:
        """Return the provider's keys; `force` reloads them unless they are new. Raises ProviderError."""
        metadata = await self.load_server_metadata()
        moment = self._clock()
        if "jwks" in metadata and not (force and moment - self._keys_at > NEW_KEYS_SECONDS):
            return metadata["jwks"]
        with _reading("keys"):
            keys = await super().fetch_jwk_set(force=True)
        self._keys_at = moment
        return keys

    async def fetch_access_token(self, redirect_uri: str | None = None, **params: Any) -> dict[str, Any]:
        """Exchange the code for tokens. Raises ProviderError."""
        with _reading("token"):
            token: dict[str, Any] = await super().fetch_access_token(redirect_uri, **params)
        if not isinstance(token.get("id_token"), str):
            raise ProviderError(ProviderProblem.SETTINGS, "no ID token; is openid among the scopes?")
        # Authlib stores the claims under this name once it has checked the ID token.
        token.pop("userinfo", None)
        return token

    def _checked(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metadata in use; Authlib would pass all of them to the HTTP client as options."""
        if metadata.get("issuer") != self._rule.issuer:
            raise ProviderError(ProviderProblem.SETTINGS, "the description names another issuer")
        for endpoint in REQUIRED_ENDPOINTS:
            if not _is_safe(metadata.get(endpoint)):
                raise ProviderError(ProviderProblem.SETTINGS, f"no https address for {endpoint}")
        if self.client_secret:
            offered = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
            self.client_kwargs["token_endpoint_auth_method"] = method
        # Without any, Authlib accepts RS256 only.
        offered = metadata.get("id_token_signing_alg_values_supported") or []
        algorithms = [name for name in offered if name in ALGORITHMS]
        used = {name: value for name, value in metadata.items() if name in USED_METADATA}
        return {**used, "id_token_signing_alg_values_supported": algorithms}

    def _check_response(self, metadata: Mapping[str, Any], params: Mapping[str, str]) -> None:
        """Raise ProviderError for a callback without a code, or from another issuer (RFC 9207)."""
        if not params.get("code"):
            raise ProviderError(ProviderProblem.UNTRUSTED, "the answer has no code")
        is_named = metadata.get("authorization_response_iss_parameter_supported") is True
        if params.get("iss", None if is_named else self._rule.issuer) != self._rule.issuer:
            raise ProviderError(ProviderProblem.UNTRUSTED, "the answer comes from another issuer")

    async def _more(self, token: Mapping[str, Any], claims: dict[str, Any]) -> dict[str, Any]:
        """Return the claims, completed by those of the userinfo endpoint. Raises ProviderError."""
        metadata = await self.load_server_metadata()
        if not _is_safe(metadata.get("userinfo_endpoint")):
            return claims
        with _reading("userinfo"):
            found = await self.userinfo(token=token)
        if found.get("sub") != claims["sub"]:
            raise ProviderError(ProviderProblem.UNTRUSTED, "userinfo is of somebody else")
        return {**found, **claims}

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Limit time and concurrency, and raise every failure as ProviderError."""
        if self._waiting >= MAX_WAITING:
            raise ProviderError(ProviderProblem.BUSY)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._max_seconds), self._slots:
                yield
        except httpx2.HTTPStatusError as error:
            status = error.response.status_code
            why = ProviderProblem.DOWN if status >= 500 else ProviderProblem.SETTINGS
            raise ProviderError(why, f"status={status}") from None
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderError(ProviderProblem.DOWN, f"error={type(error).__name__}") from None
        except OAuthError as error:
            word = _word(str(error.error))
            raise ProviderError(PROBLEMS.get(word, ProviderProblem.SETTINGS), f"error={word}") from None
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise ProviderError(ProviderProblem.UNTRUSTED, f"id_token error={type(error).__name__}") from None
        finally:
            self._waiting -= 1


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Raise ProviderError for a response that is not the JSON that was expected."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ProviderError(ProviderProblem.SETTINGS, f"{name} error={type(error).__name__}") from None


def _basic_authentication(
    client: Any, _method: str, url: str, headers: Any, body: str
) -> tuple[str, Any, str]:
    # RFC 6749, 2.3.1: both are form-encoded first, which Authlib does not do.
    credentials = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
    headers["Authorization"] = f"Basic {b64encode(credentials.encode()).decode()}"
    return url, headers, body


async def _limit_size(response: httpx2.Response) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        # It was not requested, and a small compressed response may expand beyond the available memory.
        raise httpx2.ReadError("the answer is packed")
    stream = response.stream
    if isinstance(stream, httpx2.AsyncByteStream):
        response.stream = _Limited(stream)


class _Limited(httpx2.AsyncByteStream):
    """A response body, limited to `MAX_BYTES`."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_BYTES:
                raise httpx2.ReadError("the answer is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _is_safe(url: object) -> bool:
    if not isinstance(url, str):
        return False
    parsed = urlsplit(url)
    return parsed.scheme == "https" or (parsed.scheme == "http" and parsed.hostname in LOOPBACK)


def _word(text: str) -> str:
    """Return an error code for the log, sanitised: any client of the callback can forge it."""
    return "".join(sign for sign in text if sign.isalnum() or sign == "_")[:40]
