"""Tokens and raw keys are told apart by their look."""

import pytest

from core.contract.token_format import TokenKind, parse_token

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
    assert not parsed.looks_cut


@pytest.mark.parametrize("prefix", ["$2a$04$", "$2x$04$", "$2y$04$"])
def test_every_bcrypt_variant_is_a_token(prefix: str) -> None:
    parsed = parse_token(prefix + GATEWAY[7:])

    assert parsed.kind is TokenKind.BCRYPT
    assert parsed.cost == 4


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        pytest.param("THISISMYSECURETOKEN", False, id="secret key"),
        pytest.param("key:with:colons", False, id="key with colons"),
        pytest.param("", False, id="empty"),
        pytest.param("$2b$10", True, id="as Docker Compose leaves it"),
        pytest.param(GATEWAY[:-1], True, id="one character short"),
        pytest.param(GATEWAY + "x", True, id="one character long"),
    ],
)
def test_anything_else_is_a_raw_key(text: str, cut: bool) -> None:
    parsed = parse_token(text)

    assert parsed.kind is TokenKind.RAW_KEY
    assert parsed.token == text
    assert parsed.session is None
    assert parsed.cost is None
    assert parsed.looks_cut is cut


def test_repr_hides_the_token() -> None:
    assert GATEWAY not in repr(parse_token(f"sales:{GATEWAY}"))
    assert "raw-key-value" not in repr(parse_token("raw-key-value"))
