"""Certificates for an hour, made by openssl: a CA's, and what it signs for loopback and for clients."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path

    @property
    def client(self) -> tuple[str, str]:
        """The pair as `requests` takes it."""
        return str(self.certificate), str(self.key)


def make_pair(directory: Path, name: str, *, issuer: Pair | None = None) -> Pair:
    """Make a pair; without an issuer it is its own CA. Both are valid for 127.0.0.1 and localhost."""
    pair = Pair(directory / f"{name}.crt", directory / f"{name}.key")
    signed_by = [] if issuer is None else ["-CA", str(issuer.certificate), "-CAkey", str(issuer.key)]
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "1", "-subj", f"/CN={name}", "-keyout", str(pair.key)),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", str(pair.certificate)),
            *signed_by,
        ],
        check=True,
        capture_output=True,
    )
    return pair
