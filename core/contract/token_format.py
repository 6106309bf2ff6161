"""Tell the gateway's bearer tokens from raw keys, by their look alone."""

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
"""What a shell leaves of `$2b$10$...` in double quotes: `$2` and `$1` are empty, as is `$` with letters."""
WRITTEN_OTHERWISE = re.compile(r"\\+\$|\$\$|%24|&#36;|\\u0024|\uff04")
"""A dollar sign as a shell, Compose, an address, HTML, JSON and a wide keyboard write it."""


_TO_BCRYPT = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)


class TokenKind(StrEnum):
    """What an operator may have pasted into the token setting."""

    BCRYPT = "bcrypt"
    RAW_KEY = "raw_key"
    """Not a token: an older panel's API key or the secret key. As a bearer token it is answered 401."""
    CUT = "cut"
    """A token that lost its end: Docker Compose reads `$` as a variable and leaves `$2b$10`."""
    CUT_BY_A_SHELL = "cut_by_a_shell"
    """A token that lost its beginning: a shell reads `$2` and `$1` as parameters and leaves `b0...`."""
    WITH_SCHEME = "with_scheme"
    """A token with the word that stands before it in a header: `Bearer $2b$...`."""
    ESCAPED = "escaped"
    """A token whose dollar signs are written otherwise: `$$2b$$10$$...`."""
    WITH_OTHER_TEXT = "with_other_text"
    """A whole token, and something else: `token=$2b$...`, or a character behind it."""


@dataclass(frozen=True)
class ParsedToken:
    """A token as it was given, told apart; `repr` hides it."""

    kind: TokenKind
    token: str = field(repr=False)
    """In the gateway's alphabet when it is a bcrypt token, otherwise the text as it was given."""
    session: str | None = None
    """The session named by the `full` form "session:token" of generate-token's answer."""

    @property
    def cost(self) -> int | None:
        """Return the bcrypt cost that the gateway pays for each request; None for a raw key."""
        match = BCRYPT.fullmatch(self.token)
        return int(match["cost"]) if match else None


def parse_token(text: str) -> ParsedToken:
    """Read a token setting: a bcrypt token in either alphabet, the `full` form, or else a raw key."""
    text = text.strip()
    if SCHEME.match(text):
        return ParsedToken(TokenKind.WITH_SCHEME, text)
    # A bcrypt token holds no colon, so what stands before the last one is the session.
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
    """Spell 16 bytes as bcrypt does, which has an order of its own for the 64 characters."""
    return base64.b64encode(salt).rstrip(b"=").translate(_TO_BCRYPT)
