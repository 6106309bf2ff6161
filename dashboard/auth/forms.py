"""HTML forms: size and time limits, and protection against cross-site request forgery."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from urllib.parse import parse_qsl

from itsdangerous import Signer
from starlette.requests import ClientDisconnect, Request

MAX_BYTES = 16_384
MAX_SECONDS = 10.0
TOKEN_FIELD = "form_token"  # noqa: S105 - a field's name


class FormError(Exception):
    """The form cannot be read; `status_code` is the response status."""

    def __init__(self, status_code: int) -> None:
        super().__init__(status_code)
        self.status_code = status_code


class FormTokens:
    """Sign form tokens that are bound to a cookie of the same browser; another site can read neither."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, salt="form", digest_method=hashlib.sha256)

    def new_binding(self) -> str:
        """Return a new value for the form cookie."""
        return secrets.token_urlsafe(16)

    def token(self, binding: str) -> str:
        """Return the form token for a form cookie."""
        return self._signer.get_signature(binding).decode()

    def is_valid(self, binding: str | None, form: dict[str, str]) -> bool:
        """Return whether the form's token matches the form cookie."""
        token = form.get(TOKEN_FIELD, "").encode()
        return bool(binding) and self._signer.verify_signature(binding or "", token)


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form. Raises FormError if it is too large, too slow or malformed."""
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise FormError(415)
    try:
        body = await asyncio.wait_for(_read_body(request), MAX_SECONDS)
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
    except TimeoutError:
        raise FormError(408) from None
    except (ValueError, ClientDisconnect):
        raise FormError(400) from None


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise FormError(413)
    return bytes(body)
