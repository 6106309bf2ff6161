"""OpenID Connect client: the authorization code flow with PKCE.

No call takes longer than `MAX_SECONDS`, and none blocks the event loop: signing in with a password works
whatever the provider does.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from core.clock import Monotonic, monotonic
from dashboard.auth.external_accounts import Identity
from dashboard.auth.provider_claims import ClaimRule, ProviderError, ProviderProblem
from dashboard.auth.provider_flow import Flow

log = logging.getLogger(__name__)

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

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Client:
    """The page's registration as a client of the provider."""

    client_id: str
    client_secret: str | None = field(repr=False)
    scopes: str
    redirect_uri: str


class Provider:
    """An OpenID Connect provider. `transport` replaces the network in tests."""

    def __init__(
        self,
        rule: ClaimRule,
        client: Client,
        *,
        clock: Monotonic = monotonic,
        transport: httpx2.AsyncBaseTransport | None = None,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._rule = rule
        self._client = client
        self._clock = clock
        self._transport = transport
        self._max_seconds = max_seconds
        self._description: Document | None = None
        self._described_at = 0.0
        self._failed_at: float | None = None
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._asking = asyncio.Lock()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._tls: Any = None

    async def authorization_url(self, flow: Flow) -> str:
        """Return the URL of the provider to which the user is redirected. Raises ProviderError."""
        async with self._turn() as http:
            description = await self._describe(http)
            url, _ = http.create_authorization_url(
                description["authorization_endpoint"],
                state=flow.state,
                code_verifier=flow.verifier,
                nonce=flow.nonce,
                # The provider has to re-authenticate the user even if a session exists there.
                **({"max_age": 0} if flow.confirms else {}),
            )
            return str(url)

    async def sign_out_url(self, back_to: str) -> str | None:
        """Return the URL for signing out at the provider, or None if there is none. Raises ProviderError."""
        async with self._turn() as http:
            description = await self._describe(http)
        endpoint = description.get("end_session_endpoint")
        if not isinstance(endpoint, str) or not _is_safe(endpoint):
            return None
        separator = "&" if urlsplit(endpoint).query else "?"
        query = f"client_id={quote(self._client.client_id, safe='')}"
        return f"{endpoint}{separator}{query}&post_logout_redirect_uri={quote(back_to, safe='')}"

    async def identify(self, flow: Flow, params: Mapping[str, str]) -> Identity:
        """Exchange the authorization code and return the user's identity. Raises ProviderError."""
        if "error" in params:
            why = ProviderProblem.CANCELLED if params["error"] in _PERSONS_OWN else ProviderProblem.SETTINGS
            raise ProviderError(why, f"error={_word(params['error'])}")
        async with self._turn() as http:
            description = await self._describe(http)
            self._check_sender(description, params)
            token = await self._exchange(http, description, flow, params.get("code", ""))
            claims = await self._claims(http, description, flow, token)
            if self._rule.is_incomplete(claims) and description.get("userinfo_endpoint"):
                claims = await self._more(http, description, token, claims)
            return self._rule.identity(claims)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[AsyncOAuth2Client]:
        """Yield an HTTP client, with limits on time and concurrency. Raises ProviderError."""
        if self._waiting >= MAX_WAITING:
            raise ProviderError(ProviderProblem.BUSY)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._max_seconds), self._slots, await self._http() as http:
                yield http
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderError(ProviderProblem.DOWN, f"error={type(error).__name__}") from None
        finally:
            self._waiting -= 1

    async def _http(self) -> AsyncOAuth2Client:
        if self._tls is None and self._transport is None:
            # In a thread, because it reads the system's certificates from the disk.
            self._tls = await asyncio.to_thread(httpx2.create_ssl_context)
        secret = self._client.client_secret
        return AsyncOAuth2Client(
            self._client.client_id,
            secret,
            scope=self._client.scopes,
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
            timeout=self._max_seconds,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            verify=self._tls or True,
            transport=self._transport,
            event_hooks={"response": [_limit_size]},
        )

    async def _describe(self, http: AsyncOAuth2Client) -> Document:
        async with self._asking:
            moment = self._clock()
            if self._description and moment - self._described_at < FRESH_SECONDS:
                return self._description
            if self._failed_at is not None and moment - self._failed_at < PAUSE_SECONDS:
                raise ProviderError(ProviderProblem.DOWN, "error=failed_a_moment_ago")
            try:
                description = await self._fetch_description(http)
            except BaseException:
                # BaseException includes the cancellation by the timeout.
                self._failed_at = self._clock()
                raise
            self._description, self._described_at, self._failed_at = description, moment, None
            return description

    async def _fetch_description(self, http: AsyncOAuth2Client) -> Document:
        description = await _get(http, f"{self._rule.issuer.rstrip('/')}/.well-known/openid-configuration")
        if description.get("issuer") != self._rule.issuer:
            raise ProviderError(ProviderProblem.SETTINGS, "the description names another issuer")
        for endpoint in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not _is_safe(description.get(endpoint)):
                raise ProviderError(ProviderProblem.SETTINGS, f"no https address for {endpoint}")
        return description

    def _check_sender(self, description: Document, params: Mapping[str, str]) -> None:
        """Raise ProviderError if the response comes from another issuer (RFC 9207)."""
        is_named = description.get("authorization_response_iss_parameter_supported") is True
        if params.get("iss", None if is_named else self._rule.issuer) != self._rule.issuer:
            raise ProviderError(ProviderProblem.UNTRUSTED, "the answer comes from another issuer")

    async def _exchange(
        self, http: AsyncOAuth2Client, description: Document, flow: Flow, code: str
    ) -> Document:
        if not code:
            raise ProviderError(ProviderProblem.UNTRUSTED, "the answer has no code")
        self._choose_authentication(http, description)
        try:
            token: Document = await http.fetch_token(
                description["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=flow.verifier,
                # Authlib would leave it out otherwise.
                redirect_uri=self._client.redirect_uri,
            )
        except AuthlibBaseError as error:
            # invalid_grant: the code was used or has expired; every other error is a matter of the settings.
            why = ProviderProblem.STALE if error.error == "invalid_grant" else ProviderProblem.SETTINGS
            raise ProviderError(why, f"error={_word(error.error or '')}") from None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ProviderError(
                ProviderProblem.SETTINGS, f"token_endpoint error={type(error).__name__}"
            ) from None
        return token

    def _choose_authentication(self, http: AsyncOAuth2Client, description: Document) -> None:
        offered = description.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if self._client.client_secret is None:
            http.token_endpoint_auth_method = "none"  # noqa: S105 - a public client shows none
        elif "client_secret_basic" in offered:
            http.token_endpoint_auth_method = "client_secret_basic"  # noqa: S105 - a method's name
            # RFC 6749, 2.3.1: both are form-encoded first, which Authlib does not do.
            http.client_id = quote(self._client.client_id, safe="")
            http.client_secret = quote(self._client.client_secret, safe="")
        else:
            http.token_endpoint_auth_method = "client_secret_post"  # noqa: S105 - a method's name

    async def _claims(
        self, http: AsyncOAuth2Client, description: Document, flow: Flow, token: Document
    ) -> dict[str, Any]:
        """Return the claims of the ID token after every check of OpenID Connect Core, 3.1.3.7."""
        raw = token.get("id_token")
        if not isinstance(raw, str):
            raise ProviderError(ProviderProblem.SETTINGS, "no id_token; is openid among the scopes?")
        offered = description.get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = JWSRegistry(algorithms=[one for one in offered if one in ALGORITHMS])
        try:
            try:
                found = jwt.decode(raw, await self._key_set(http, description), registry=registry)
            except InvalidKeyIdError:
                keys = await self._key_set(http, description, renewed=True)
                found = jwt.decode(raw, keys, registry=registry)
            claims = CodeIDToken(
                found.claims,
                found.header,
                {
                    "iss": {"essential": True, "value": self._rule.issuer},
                    "sub": {"essential": True},
                    "exp": {"essential": True},
                    "iat": {"essential": True},
                    "nonce": {"essential": True, "value": flow.nonce},
                },
                {
                    "nonce": flow.nonce,
                    "client_id": self._client.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=LEEWAY_SECONDS)
            _check_audience(claims, self._client.client_id)
            if flow.confirms:
                _check_asked_anew(claims, flow)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise ProviderError(ProviderProblem.UNTRUSTED, f"id_token error={type(error).__name__}") from None
        return dict(claims)

    async def _key_set(
        self, http: AsyncOAuth2Client, description: Document, *, renewed: bool = False
    ) -> KeySet:
        moment = self._clock()
        is_due = self._keys is None or moment - self._keys_at > FRESH_SECONDS
        if is_due or (renewed and moment - self._keys_at > NEW_KEYS_SECONDS):
            self._keys = KeySet.import_key_set(dict(await _get(http, description["jwks_uri"])))  # type: ignore[arg-type]
            self._keys_at = moment
        if self._keys is None:
            raise ProviderError(ProviderProblem.DOWN, "no keys")
        return self._keys

    async def _more(
        self, http: AsyncOAuth2Client, description: Document, token: Document, claims: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the claims, completed by those of the userinfo endpoint. Raises ProviderError."""
        url = description["userinfo_endpoint"]
        if not _is_safe(url):
            return claims
        found = await _get(http, url, {"Authorization": f"Bearer {token.get('access_token', '')}"})
        if found.get("sub") != claims["sub"]:
            raise ProviderError(ProviderProblem.UNTRUSTED, "userinfo is of somebody else")
        return {**found, **claims}


_PERSONS_OWN = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})


async def _get(http: AsyncOAuth2Client, url: str, headers: Mapping[str, str] | None = None) -> Document:
    response = await http.request("GET", url, withhold_token=True, headers=dict(headers or {}))
    if response.status_code != 200:
        why = ProviderProblem.DOWN if response.status_code >= 500 else ProviderProblem.SETTINGS
        raise ProviderError(why, f"status={response.status_code}")
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderError(ProviderProblem.SETTINGS, "an answer that is no JSON object")
    return document


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


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise ValueError("aud")
    if len(audiences) > 1 and claims.get("azp") != client_id:
        raise ValueError("azp")


def _check_asked_anew(claims: Mapping[str, Any], flow: Flow) -> None:
    """Raise ValueError unless the provider has just authenticated the user, as `max_age` requires."""
    asked_at = claims.get("auth_time")
    if not isinstance(asked_at, int | float) or asked_at < flow.begun_at - LEEWAY_SECONDS:
        raise ValueError("auth_time")


def _is_safe(url: object) -> bool:
    if not isinstance(url, str):
        return False
    parsed = urlsplit(url)
    return parsed.scheme == "https" or (parsed.scheme == "http" and parsed.hostname in LOOPBACK)


def _word(text: str) -> str:
    """Return an error code for the log, sanitised: any client of the callback can forge it."""
    return "".join(sign for sign in text if sign.isalnum() or sign == "_")[:40]
