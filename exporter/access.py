"""Authentication of requests by the web configuration, which can be replaced while the server runs."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from enum import Enum

from core.exceptions import ConfigurationError
from core.password_hashes import matches
from exporter.web_config import ExchangeableContext, WebConfig

REMEMBERED = 512
"""Cached results of each kind: one per valid client, and the invalid passwords that clients repeat."""
AT_A_TIME = 2
"""Concurrent checks: each occupies a CPU core for a time that depends on the hash's cost."""
WAITING = 32


class Admission(Enum):
    """The decision on a request."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    BUSY = "busy"
    """Too many passwords are being checked; previously verified ones are still admitted."""


class Access:
    """Authentication, TLS and response headers. Belongs to one event loop, except for `replace`."""

    def __init__(self, config: WebConfig | None = None) -> None:
        self._config = config or WebConfig()
        self._basic_auth = BasicAuth()
        self.tls = ExchangeableContext(self._config.tls) if self._config.tls is not None else None
        """TLS context for new connections; None: plain HTTP."""

    @property
    def config(self) -> WebConfig:
        """The current configuration."""
        return self._config

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Headers of every response."""
        return self._config.headers

    async def admit(self, authorization: str | None) -> Admission:
        """Return the decision on a request with this Authorization header."""
        users = self._config.users
        return await self._basic_auth.admit(authorization, users) if users else Admission.ADMITTED

    def check(self, config: WebConfig) -> None:
        """Raise ConfigurationError if a configuration can replace the current one only by a restart."""
        if (config.tls is None) != (self.tls is None):
            text = "TLS cannot be switched on or off while the exporter runs; restart it"
            raise ConfigurationError([f"tls_server_config: {text}"])

    def replace(self, config: WebConfig) -> None:
        """Apply a checked configuration to new connections and requests."""
        if self.tls is not None and config.tls is not None:
            self.tls.current = config.tls
        self._config = config


class BasicAuth:
    """Checks passwords without blocking the event loop, each only once. Belongs to one event loop.

    Unknown names take as long as known ones: their password is compared with a user's hash, always the same
    hash for the same name, so that the response times are distributed alike, too.
    """

    def __init__(self, *, check: Callable[[bytes, str], bool] = matches) -> None:
        self._check = check
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, None] = {}
        self._wrong: dict[bytes, None] = {}
        self._running: dict[bytes, asyncio.Task[bool]] = {}
        self._slots = asyncio.Semaphore(AT_A_TIME)

    async def admit(self, header: str | None, users: Mapping[str, str]) -> Admission:
        """Return the decision on an Authorization header."""
        credentials = _parse(header)
        if credentials is None:
            return Admission.REFUSED
        name, password = credentials
        hashed = self._hash_to_compare(name, users)
        fingerprint = self._fingerprint(name, hashed.encode(), password)
        exists = name.decode(errors="replace") in users
        if fingerprint in self._right:
            return Admission.ADMITTED if exists else Admission.REFUSED
        if fingerprint in self._wrong:
            return Admission.REFUSED
        task = self._running.get(fingerprint)
        if task is None:
            if len(self._running) >= WAITING:
                return Admission.BUSY
            task = asyncio.create_task(self._verify(fingerprint, password, hashed))
            self._running[fingerprint] = task
        is_right = await asyncio.shield(task)
        return Admission.ADMITTED if is_right and exists else Admission.REFUSED

    async def _verify(self, fingerprint: bytes, password: bytes, hashed: str) -> bool:
        try:
            async with self._slots:
                is_right = await asyncio.to_thread(self._check, password, hashed)
        finally:
            self._running.pop(fingerprint, None)
        answers = self._right if is_right else self._wrong
        answers[fingerprint] = None
        if len(answers) > REMEMBERED:
            answers.pop(next(iter(answers)))
        return is_right

    def _hash_to_compare(self, name: bytes, users: Mapping[str, str]) -> str:
        found = users.get(name.decode(errors="replace"))
        if found is not None:
            return found
        hashes = sorted(users.values())
        return hashes[int.from_bytes(self._fingerprint(name)[:8]) % len(hashes)]

    def _fingerprint(self, *parts: bytes) -> bytes:
        """Return a keyed hash of secrets that must not stay in memory; lengths separate the parts."""
        text = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.digest(self._key, text, hashlib.sha256)


def _parse(header: str | None) -> tuple[bytes, bytes] | None:
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    name, colon, password = decoded.partition(b":")
    return (name, password) if colon else None
