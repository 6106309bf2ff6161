"""Distinguish the gateway's bearer tokens from raw keys by their format."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from enum import StrEnum

BCRYPT = re.compile(r"\$2[abxy]\$(?P<cost>\d\d)\$[A-Za-z0-9./_+-]{53}")
"""A bcrypt hash, in bcrypt's alphabet or in the gateway's, which writes `_` for `/` and `-` for `+`."""

SCHEME = re.compile(r"(?:Authorization:\s*)?Bearer\b", re.IGNORECASE)
SHELL_REMAINS = re.compile(
    r"[abxy]\d(?:\$?[A-Za-z0-9./_+-]{50,53}|[./+-][A-Za-z0-9./_+-]{0,52})?"
    r"|(?:2?[abxy])?\$\d\d\$[A-Za-z0-9./_+-]{53}"
    r"|2[abxy]\d\d[A-Za-z0-9./_+-]{53}"
)
"""The rest of `$2b$10$...` in double quotes in a shell: `$2`, `$1` and `$` with letters expand to nothing."""
WRITTEN_OTHERWISE = re.compile(r"\\+\$|\$\$|%24|&#36;|\\u0024|\uff04")
"""A dollar sign as escaped in a shell, Compose, a URL, HTML and JSON, and the full-width one."""


_TO_BCRYPT = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)


class TokenKind(StrEnum):
    """Kind of the text in the token setting."""

    BCRYPT = "bcrypt"
    RAW_KEY = "raw_key"
    """No token: an older panel's API key or the secret key. The gateway responds 401 to it."""
    CUT = "cut"
    """A token without its end: Docker Compose expands `$` as a variable and leaves `$2b$10`."""
    CUT_BY_A_SHELL = "cut_by_a_shell"
    """A token without its beginning: a shell expands `$2` and `$1` and leaves `b0...`."""
    WITH_SCHEME = "with_scheme"
    """A token with its authentication scheme: `Bearer $2b$...`."""
    ESCAPED = "escaped"
    """A token with escaped dollar signs: `$$2b$$10$$...`."""
    WITH_OTHER_TEXT = "with_other_text"
    """A complete token with other text around it: `token=$2b$...`, or a trailing character."""


@dataclass(frozen=True)
class ParsedToken:
    """A parsed token setting; `repr` hides it."""

    kind: TokenKind
    token: str = field(repr=False)
    """A bcrypt token in the gateway's alphabet; otherwise the text of the setting."""
    session: str | None = None
    """The session of the `full` form "session:token" in generate-token's response."""

    @property
    def cost(self) -> int | None:
        """Return the bcrypt cost that the gateway pays for each request; None for a raw key."""
        match = BCRYPT.fullmatch(self.token)
        return int(match["cost"]) if match else None


def parse_token(text: str) -> ParsedToken:
    """Parse a token setting: a bcrypt token in either alphabet, the `full` form, or any other text."""
    text = text.strip()
    if SCHEME.match(text):
        return ParsedToken(TokenKind.WITH_SCHEME, text)
    # A bcrypt token contains no colon, so the session precedes the last one.
    session, _, token = text.rpartition(":")
    if BCRYPT.fullmatch(token):
        in_gateway_alphabet = token.replace("/", "_").replace("+", "-")
        return ParsedToken(TokenKind.BCRYPT, in_gateway_alphabet, session or None)
    return ParsedToken(_kind_of_what_is_no_token(text, token), text)


def _kind_of_what_is_no_token(text: str, token: str) -> TokenKind:
    if BCRYPT.search(text):
        return TokenKind.WITH_OTHER_TEXT
    if BCRYPT.search(WRITTEN_OTHERWISE.sub("$", text)):
        return TokenKind.ESCAPED
    if token.startswith("$2"):
        return TokenKind.CUT
    return TokenKind.CUT_BY_A_SHELL if SHELL_REMAINS.fullmatch(token) else TokenKind.RAW_KEY


def encode_salt(salt: bytes) -> bytes:
    """Encode 16 bytes in bcrypt's Base64, which orders the 64 characters differently."""
    return base64.b64encode(salt).rstrip(b"=").translate(_TO_BCRYPT)
