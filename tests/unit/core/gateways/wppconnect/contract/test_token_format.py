"""Tokens and raw keys are told apart by their look."""

import pytest

from core.gateways.wppconnect.contract.token_format import TokenKind, parse_token

GATEWAY = "$2b$10$Wj8kMivvMMRBi16sMVpoleShZUvvVc0dXmvlX2NmqNY.seHF02_Eq"
BCRYPT = "$2b$10$Wj8kMivvMMRBi16sMVpoleShZUvvVc0dXmvlX2NmqNY.seHF02/Eq"


@pytest.mark.parametrize(
    ("text", "session"),
    [
        pytest.param(GATEWAY, None, id="gateway alphabet"),
        pytest.param(BCRYPT, None, id="bcrypt alphabet"),
        pytest.param(f"  {GATEWAY}\n", None, id="with blanks around it"),
        pytest.param(f"sales:{GATEWAY}", "sales", id="full form"),
        pytest.param(f"sales:{BCRYPT}", "sales", id="full form in the bcrypt alphabet"),
        pytest.param(f"a:b:{GATEWAY}", "a:b", id="full form of a name with a colon"),
    ],
)
def test_bcrypt_token_is_written_in_the_gateways_alphabet(text: str, session: str | None) -> None:
    parsed = parse_token(text)

    assert parsed.kind is TokenKind.BCRYPT
    assert parsed.token == GATEWAY
    assert parsed.session == session
    assert parsed.cost == 10


@pytest.mark.parametrize("prefix", ["$2a$04$", "$2x$04$", "$2y$04$"])
def test_every_bcrypt_variant_is_a_token(prefix: str) -> None:
    parsed = parse_token(prefix + GATEWAY[7:])

    assert parsed.kind is TokenKind.BCRYPT
    assert parsed.cost == 4


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("THISISMYSECURETOKEN", TokenKind.RAW_KEY, id="secret key"),
        pytest.param("b0c3d4e5f60718293a4b5c6d7e8f9001", TokenKind.RAW_KEY, id="random key with b0"),
        pytest.param("b0" + "c" * 62, TokenKind.RAW_KEY, id="long random key like a shell's rest"),
        pytest.param("key:with:colons", TokenKind.RAW_KEY, id="key with colons"),
        pytest.param("bearers-of-news", TokenKind.RAW_KEY, id="a word that begins alike"),
        pytest.param("", TokenKind.RAW_KEY, id="empty"),
        pytest.param("$2b$10", TokenKind.CUT, id="as Docker Compose leaves it"),
        pytest.param(GATEWAY[:-1], TokenKind.CUT, id="one character short"),
        pytest.param("b0" + GATEWAY[7:], TokenKind.CUT_BY_A_SHELL, id="as a shell leaves it"),
        pytest.param("b0" + GATEWAY[8:], TokenKind.CUT_BY_A_SHELL, id="with a digit behind the last dollar"),
        pytest.param("b0$" + GATEWAY[7:], TokenKind.CUT_BY_A_SHELL, id="with a sign behind the last dollar"),
        pytest.param("b0.x1C2v3B4n5M6q7W8e9R0tYuIo", TokenKind.CUT_BY_A_SHELL, id="letters of the hash lost"),
        pytest.param("b0", TokenKind.CUT_BY_A_SHELL, id="all of the hash lost"),
        pytest.param("y2" + GATEWAY[7:], TokenKind.CUT_BY_A_SHELL, id="of another release and cost"),
        pytest.param(f"sales:b0{GATEWAY[7:]}", TokenKind.CUT_BY_A_SHELL, id="full form, cut"),
        pytest.param(f"Bearer {GATEWAY}", TokenKind.WITH_SCHEME, id="with the header's word"),
        pytest.param(f"bearer  {GATEWAY}", TokenKind.WITH_SCHEME, id="word in small letters"),
        pytest.param(f"Authorization: Bearer {GATEWAY}", TokenKind.WITH_SCHEME, id="the whole header"),
        pytest.param("Bearer b0" + GATEWAY[7:], TokenKind.WITH_SCHEME, id="with the word, and cut"),
        pytest.param(f"Bearer:{GATEWAY}", TokenKind.WITH_SCHEME, id="with the word and a colon"),
        pytest.param(GATEWAY[1:], TokenKind.CUT_BY_A_SHELL, id="the first sign lost"),
        pytest.param(GATEWAY[2:], TokenKind.CUT_BY_A_SHELL, id="the first variable lost"),
        pytest.param(GATEWAY[3:], TokenKind.CUT_BY_A_SHELL, id="the version lost"),
        pytest.param(GATEWAY.replace("$", "$$"), TokenKind.ESCAPED, id="each dollar twice"),
        pytest.param(GATEWAY.replace("$", "\\$"), TokenKind.ESCAPED, id="backslashes"),
        pytest.param(GATEWAY.replace("$", "%24"), TokenKind.ESCAPED, id="as in an address"),
        pytest.param(GATEWAY.replace("$", "&#36;"), TokenKind.ESCAPED, id="as in HTML"),
        pytest.param(GATEWAY.replace("$", "\\u0024"), TokenKind.ESCAPED, id="as in JSON"),
        pytest.param(GATEWAY.replace("$", "\uff04"), TokenKind.ESCAPED, id="wide dollars"),
        pytest.param(GATEWAY.replace("$", ""), TokenKind.CUT_BY_A_SHELL, id="every dollar lost"),
        pytest.param(f"sales:{GATEWAY}".replace("$", "$$"), TokenKind.ESCAPED, id="full form, dollars twice"),
        pytest.param(f"{GATEWAY}x", TokenKind.WITH_OTHER_TEXT, id="a character behind it"),
        pytest.param(f"Token {GATEWAY}", TokenKind.WITH_OTHER_TEXT, id="another word"),
        pytest.param(f"token={GATEWAY}", TokenKind.WITH_OTHER_TEXT, id="a name"),
        pytest.param(f'{{"token":"{GATEWAY}"}}', TokenKind.WITH_OTHER_TEXT, id="JSON"),
    ],
)
def test_anything_else_is_called_what_it_is(text: str, kind: TokenKind) -> None:
    parsed = parse_token(text)

    assert parsed.kind is kind
    assert parsed.token == text
    assert parsed.session is None
    assert parsed.cost is None


def test_repr_hides_the_token() -> None:
    assert GATEWAY not in repr(parse_token(f"sales:{GATEWAY}"))
    assert "raw-key-value" not in repr(parse_token("raw-key-value"))
