"""Only a secret that nobody can guess gets cheap tokens."""

from __future__ import annotations

import pytest

from core.gateways.wppconnect.tokens.secret_strength import minting_cost, strength_bits


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("9f86d081884c7d659a2feaa0c55ad015", id="32 hexadecimal digits"),
        pytest.param("K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe8Unols", id="32 bytes in base64"),
        pytest.param("q8Zr4Tn0Xw2Lk9Pv6Ys3Hd", id="22 letters and digits"),
        pytest.param("481516234209317758102736450192837465109", id="39 decimal digits"),
    ],
)
def test_a_random_secret_of_128_bits_gets_cost_4(secret: str) -> None:
    assert minting_cost(secret) == 4


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("THISISMYSECURETOKEN", id="the public default"),
        pytest.param("", id="empty"),
        pytest.param("9f86d081884c7d659a2feaa0c55ad01", id="31 hexadecimal digits"),
        pytest.param("3f2b8c1a-9d4e-4f6a-8b7c-1d2e3f4a5b6c", id="a UUID has 122 bits"),
        pytest.param("a" * 72, id="one character"),
        pytest.param("abcABC123!" * 7, id="repeated"),
        pytest.param("ab1ab2ab1ab2ab2ab1ab1ab2ab1ab1ab2", id="five characters"),
        pytest.param("correct-horse-battery-staple-again", id="words"),
        pytest.param("MyCompanyWhatsappGatewaySecretKey2026!", id="words in one"),
    ],
)
def test_any_other_gets_the_gateways_own_cost(secret: str) -> None:
    assert minting_cost(secret) == 10


def test_the_estimate_grows_with_the_secret() -> None:
    assert strength_bits("q8Zr4Tn0Xw2") < strength_bits("q8Zr4Tn0Xw2Lk9Pv6Ys3Hd")
