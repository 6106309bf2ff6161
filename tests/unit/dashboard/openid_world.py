"""A provider in memory that can be made to lie, and a page that asks it."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.requests import Request

from dashboard.auth.external_accounts import Identity
from dashboard.auth.provider import Client, Provider
from dashboard.auth.provider_claims import ClaimRule, ProviderError, ProviderProblem
from tests.fakes import FakeClock

ISSUER = "https://sso.test"
PAGE = "https://ops.test/sign-in/provider/callback"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "two"})
SECRET = "a secret that two parties share"

Answer = Callable[[httpx2.Request], httpx2.Response]


@dataclass
class World:
    """What the provider answers; each test changes what it is about."""

    description: dict[str, Any] = field(
        default_factory=lambda: {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/me",
            "end_session_endpoint": f"{ISSUER}/leave?tenant=1",
            "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
        }
    )
    claims: dict[str, Any] = field(default_factory=dict)
    """Changes of the ID token's claims; None takes one out."""
    userinfo: dict[str, Any] = field(default_factory=lambda: {"sub": "17"})
    keys: list[RSAKey] = field(default_factory=lambda: [KEY])
    key: Any = field(default_factory=lambda: KEY)
    algorithm: str = "RS256"
    rule: ClaimRule = field(default_factory=lambda: ClaimRule(ISSUER, "preferred_username", "groups", ()))
    secret: str | None = SECRET
    answers: dict[str, Answer] = field(default_factory=dict)
    """By path, instead of what would be answered."""
    requests: list[httpx2.Request] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    max_seconds: float = 5.0
    scopes: str = "openid email"
    session: dict[str, Any] = field(default_factory=dict)
    """What the browser keeps between leaving and coming back."""
    sent: dict[str, list[str]] = field(default_factory=dict)
    """What it took along to the provider."""

    @property
    def provider(self) -> Provider:
        client = Client("wppconnect-ops", self.secret, self.scopes, PAGE)
        return Provider(
            self.rule,
            client,
            clock=self.clock.monotonic,
            transport=httpx2.MockTransport(self.answer),
            max_seconds=self.max_seconds,
        )

    def begin(self, provider: Provider | None = None, *, confirms: bool = False) -> str:
        """Leave for the provider, and return its address."""
        self.session = {}
        going = (provider or self.provider).redirect(self.request(), confirms=confirms)
        url = asyncio.run(going).headers["location"]
        self.sent = query_of(url)
        return url

    def request(self, **params: str) -> Request:
        """Return a request of this browser."""
        query = urlencode(params).encode()
        return Request({"type": "http", "method": "GET", "query_string": query, "session": self.session})

    def identify(
        self, provider: Provider | None = None, *, asked_after: float | None = None, **params: str
    ) -> Identity:
        """Leave for the provider and come back."""
        provider = provider or self.provider
        self.begin(provider)
        request = self.request(**{"code": "the-code", "state": self.sent["state"][0], **params})
        return asyncio.run(provider.identify(request, asked_after=asked_after))

    def outcome(self, provider: Provider | None = None, **params: Any) -> str:
        """Leave, come back, and return the user's name, or why it did not work."""
        try:
            return self.identify(provider, **params).name
        except ProviderError as error:
            return error.why.value

    def trouble(self, provider: Provider | None = None, **params: Any) -> str:
        """Do the same where it must not work."""
        outcome = self.outcome(provider, **params)
        assert outcome in list(ProviderProblem), f"let in: {outcome}"
        return outcome

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        path = request.url.path
        if path in self.answers:
            return self.answers[path](request)
        documents = {
            "/.well-known/openid-configuration": self.description,
            "/keys": {"keys": [key.as_dict(private=False) for key in self.keys]},
            "/me": self.userinfo,
            "/token": {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token()},
        }
        return httpx2.Response(200, json=documents[path]) if path in documents else httpx2.Response(404)

    def id_token(self) -> str:
        moment = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": "17",
            "aud": "wppconnect-ops",
            "exp": moment + 300,
            "iat": moment,
            **({"nonce": self.sent["nonce"][0]} if "nonce" in self.sent else {}),
            "preferred_username": "ana",
            "email": "Ana@example.org",
            "email_verified": True,
            "groups": ["wpp"],
            **self.claims,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, **({"kid": self.key.kid} if self.key and self.key.kid else {})}
        if self.algorithm == "none":
            return unsigned(present)
        return jwt.encode(header, present, self.key, registry=JWSRegistry(algorithms=[self.algorithm]))


def unsigned(claims: dict[str, Any]) -> str:
    """Return a token that nobody has signed."""
    from joserfc.util import json_b64encode

    parts = [json_b64encode({"alg": "none", "typ": "JWT"}), json_b64encode(claims)]
    return b".".join([*parts, b""]).decode()


def shared_key() -> OctKey:
    """Return the client's secret as a signing key."""
    return OctKey.import_key(SECRET)


def query_of(url: str) -> dict[str, list[str]]:
    """Return an address's parameters."""
    return parse_qs(urlsplit(url).query)


def form_of(request: httpx2.Request) -> dict[str, str]:
    """Return a request's form."""
    return dict(parse_qsl(request.content.decode()))


def dripping(_request: httpx2.Request) -> httpx2.Response:
    """Never come to an end."""

    async def drops() -> Any:
        while True:
            await asyncio.sleep(0.05)
            yield b" "

    return httpx2.Response(200, content=drops())


def flooding(_request: httpx2.Request) -> httpx2.Response:
    """Send more than anybody can hold."""

    async def chunks() -> Any:
        for _ in range(1000):
            yield b" " * 65536

    return httpx2.Response(200, content=chunks())


def packing(_request: httpx2.Request) -> httpx2.Response:
    """Send a small answer that unfolds to more than anybody can hold."""
    return httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=Packed())


class Packed(httpx2.AsyncByteStream):
    """100 MB of blanks, packed."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield gzip.compress(b" " * 100_000_000, 1)


def nesting(_request: httpx2.Request) -> httpx2.Response:
    """Send a document that is nested too deeply to be read."""
    return httpx2.Response(200, headers={"content-type": "application/json"}, content=b"[" * 100_000)


def redirecting(_request: httpx2.Request) -> httpx2.Response:
    """Lead elsewhere."""
    return httpx2.Response(302, headers={"location": "http://elsewhere.test"})


def saying(status: int, document: object) -> Answer:
    """Answer with a document."""
    return lambda _request: httpx2.Response(status, content=json.dumps(document).encode())
