"""A mail server on loopback that wants TLS and a password, as the shipped alertmanager.yml gives them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.support.certificates import make_pair
from tests.support.stack import free_port

SMTP_USER = "alertmanager@example.org"
SMTP_PASSWORD = "password-of-the-mailbox"


class MailServer(NamedTuple):
    """Where mail is taken."""

    port: int
    authority: Path
    """The certificate that its own one is signed by."""


@contextmanager
def mail_server(folder: Path, take: Callable[[EmailMessage], None]) -> Iterator[MailServer]:
    """Take mail by SMTP, from whoever knows the password and speaks TLS."""
    authority = make_pair(folder, "mail-authority")
    pair = make_pair(folder, "mail", issuer=authority)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    controller = Controller(
        _Mailbox(take),
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=_authenticate,
        # Its prompts are those of a draft that nobody followed: Alertmanager breaks off.
        auth_exclude_mechanism=["LOGIN"],
    )
    controller.start()
    try:
        yield MailServer(controller.port, authority.certificate)
    finally:
        controller.stop()


class _Mailbox:
    def __init__(self, take: Callable[[EmailMessage], None]) -> None:
        self._take = take

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: object, session: object, envelope: Envelope
    ) -> str:
        """Keep a mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        self._take(message_from_bytes(content, policy=policy.default))
        return "250 taken"


def _authenticate(*how: Any) -> AuthResult:
    given = how[-1]
    known = LoginPassword(SMTP_USER.encode(), SMTP_PASSWORD.encode())
    return AuthResult(success=isinstance(given, LoginPassword) and given == known)
