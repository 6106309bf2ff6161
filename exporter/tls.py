"""TLS contexts, and one that can be exchanged for another while connections are accepted."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TlsFiles:
    """What a TLS context is made of."""

    certificate: Path
    key: Path
    client_ca: Path | None
    verify: ssl.VerifyMode
    oldest: ssl.TLSVersion
    newest: ssl.TLSVersion

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files to follow."""
        return tuple(one for one in (self.certificate, self.key, self.client_ca) if one is not None)


def make_context(files: TlsFiles, *, report: Callable[[str, str], None]) -> ssl.SSLContext | None:
    """Load the files; what is wrong is reported with its key in `tls_server_config`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = files.oldest, files.newest
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    unreadable = False
    for key, path in (
        ("cert_file", files.certificate),
        ("key_file", files.key),
        ("client_ca_file", files.client_ca),
    ):
        if path is not None and (reason := _why_unreadable(path)):
            report(key, f"{reason}; name a PEM file that this user can read")
            unreadable = True
    if unreadable:
        return None
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except _EncryptedKeyError:
        report("key_file", "is encrypted; write it without a passphrase, readable for this user alone")
        return None
    except (ssl.SSLError, ValueError):
        report("cert_file", "and key_file are not a PEM certificate and the key that belongs to it")
        return None
    if files.client_ca is not None:
        try:
            context.load_verify_locations(files.client_ca)
        except (ssl.SSLError, ValueError):
            report("client_ca_file", "holds no PEM certificate; name the CA that signs the clients")
            return None
    context.verify_mode = files.verify
    return context


class ExchangeableContext(ssl.SSLContext):
    """Hands each new connection to the context that is current then; open connections keep theirs.

    `sni_callback` can exchange the certificate of a connection that begins, but neither the client CA nor the
    versions; asyncio asks for nothing but `wrap_bio`.
    """

    current: ssl.SSLContext

    def __new__(cls, current: ssl.SSLContext) -> ExchangeableContext:
        """Begin with a context."""
        context = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        context.current = current
        return context

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection with the current context."""
        return self.current.wrap_bio(*args, **options)


class _EncryptedKeyError(Exception):
    pass


def _no_password() -> str:
    # Without this OpenSSL asks at the terminal.
    raise _EncryptedKeyError


def _why_unreadable(path: Path) -> str | None:
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return f"cannot be read ({error.strerror})"
