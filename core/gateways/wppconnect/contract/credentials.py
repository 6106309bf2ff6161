"""Check a secret key and a token before they are used (contract, sections 3 and 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.gateways.wppconnect.contract.session_names import unchecked_bytes
from core.gateways.wppconnect.contract.token_format import TokenKind, parse_token
from core.messages import Message
from core.settings.loader import Finding

PUBLIC_DEFAULT_SECRET = "THISISMYSECURETOKEN"  # noqa: S105 - printed in the gateway's documentation

WRONG_TOKENS = {
    TokenKind.RAW_KEY: "setting.token_raw_key",
    TokenKind.CUT: "setting.token_cut",
    TokenKind.CUT_BY_A_SHELL: "setting.token_cut_by_a_shell",
    TokenKind.WITH_SCHEME: "setting.token_with_scheme",
    TokenKind.ESCAPED: "setting.token_escaped",
    TokenKind.WITH_OTHER_TEXT: "setting.token_with_other_text",
}


def mistakes(secret: str, token: str, sessions: Sequence[str]) -> Iterator[Finding]:
    """Yield what makes a token unusable, unless the secret key replaces it."""
    if secret or not token:
        return
    parsed = parse_token(token)
    if parsed.kind is not TokenKind.BCRYPT:
        yield Finding(("token", "secret_key"), Message(WRONG_TOKENS[parsed.kind]))
    elif len(sessions) > 1:
        text = Message.of("setting.token_for_one_session", count=len(sessions))
        yield Finding(("token", "secret_key", "sessions"), text)
    elif sessions and parsed.session is not None and parsed.session not in sessions:
        yield Finding(("token", "secret_key", "sessions"), Message("setting.token_of_another_session"))


def remarks(secret: str, token: str, sessions: Sequence[str]) -> Iterator[Finding]:
    """Yield what is valid in a secret key or token but probably not intended."""
    if secret == PUBLIC_DEFAULT_SECRET:
        text = "is the gateway's public default, which everyone knows; set another one there and here"
        yield Finding(("secret_key",), text)
    if any(sign in secret for sign in "/#?"):
        text = "holds '/', '#' or '?', and then a gateway starts no session at boot; use letters and digits"
        yield Finding(("secret_key",), text)
    if text := unchecked_part(secret, sessions):
        yield Finding(("secret_key", "sessions"), text)
    if secret and token and parse_token(token).kind is not TokenKind.BCRYPT:
        text = "is not a bcrypt token and is not used, since the secret key is set; remove it"
        yield Finding(("token", "secret_key"), text)


def unchecked_part(secret_key: str, sessions: Sequence[str]) -> str:
    """Return a remark on the part of a long secret key that the gateway ignores; "" if there is none."""
    cut = {name: unchecked_bytes(name, secret_key) for name in sessions}
    name = max(cut, key=cut.__getitem__, default="")
    if not cut.get(name):
        return ""
    return (
        "is longer than the gateway looks at: it reads 72 bytes of session name and key together, so the "
        f"last {cut[name]} of the key are not checked for {name}; all works, and a shorter key is as safe"
    )
