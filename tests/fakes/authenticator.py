"""An authenticator in software: it answers as browsers do for WebAuthn's create() and get()."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
"""Flags of the authenticator data (WebAuthn, section 6.1)."""


@dataclass
class Authenticator:
    """One passkey; its attributes are what a test falsifies."""

    origin: str = "https://ops.test"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def create(self, options: str) -> str:
        """Answer creation options with a new passkey, without an attestation."""
        wanted = json.loads(options)
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        data = b"".join(
            [
                self._data(wanted["rp"]["id"], self.flags | ATTESTED),
                bytes(16),
                len(self.id).to_bytes(2, "big"),
                self.id,
                cbor2.dumps(cose),
            ]
        )
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            clientDataJSON=self._client_data("webauthn.create", wanted["challenge"]),
            attestationObject=attestation,
        )

    def get(self, options: str) -> str:
        """Answer request options with a signature."""
        wanted = json.loads(options)
        client_data = self._client_data("webauthn.get", wanted["challenge"])
        data = self._data(wanted["rpId"], self.flags)
        signed = data + hashlib.sha256(client_data).digest()
        return self._answer(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=self.key.sign(signed, ec.ECDSA(SHA256())),
        )

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, **response: bytes) -> str:
        parts: dict[str, Any] = {name: encode(value) for name, value in response.items()}
        own = encode(self.id)
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": parts})


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
