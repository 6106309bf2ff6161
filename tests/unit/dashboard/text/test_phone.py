"""Phone numbers as people type them."""

from __future__ import annotations

import pytest

from dashboard.i18n import translator
from dashboard.text.phone import ANYWHERE, PhoneError, example, read_phone, region_of


def digits(typed: str, region: str | None = None) -> str:
    return read_phone(typed, region=region, translate=translator("en")).digits


def problem(typed: str, region: str | None = None, locale: str = "en") -> str:
    with pytest.raises(PhoneError) as raised:
        read_phone(typed, region=region, translate=translator(locale))
    return str(raised.value)


@pytest.mark.parametrize(
    ("typed", "region", "expected"),
    [
        pytest.param("+351 912 345 678", None, "351912345678", id="plus and blanks"),
        pytest.param("00351912345678", "BR", "351912345678", id="two zeros for the plus"),
        pytest.param("351 912 345 678", "PT", "351912345678", id="no plus, a country code all the same"),
        pytest.param("351 912 345 678", None, "351912345678", id="no plus and no country known"),
        pytest.param("912 345 678", "PT", "351912345678", id="a number of the reader's country"),
        pytest.param("(11) 98765-4321", "BR", "5511987654321", id="brackets and a hyphen"),
        pytest.param("011 98765-4321", "BR", "5511987654321", id="the zero of a long-distance call"),
        pytest.param("+55 11 98765-4321", "PT", "5511987654321", id="another country than the reader's"),
        pytest.param("+55 51 9876-5432", None, "555198765432", id="a Brazilian account of eight digits"),
        pytest.param("+39 06 6982", None, "39066982", id="an Italian number keeps its zero"),
        pytest.param("\u200e+351\u00a0912\u00a0345\u00a0678", None, "351912345678", id="copied"),
        pytest.param("٣٥١٩١٢٣٤٥٦٧٨", None, "351912345678", id="digits of another script"),
    ],
)
def test_a_number_is_read_as_people_write_it(typed: str, region: str | None, expected: str) -> None:
    assert digits(typed, region) == expected


@pytest.mark.parametrize(
    ("typed", "region", "told"),
    [
        pytest.param("", None, "Write the phone's number with its country code", id="nothing"),
        pytest.param("   ", None, "Write the phone's number with its country code", id="blanks"),
        pytest.param("9" * 41, None, "Write the phone's number with its country code", id="endless"),
        pytest.param("+351 912 345 67a", None, "digits only", id="a letter"),
        pytest.param("912 345 678", "GB", "Begin with + and the country code", id="another country's"),
        pytest.param("912", "PT", "Begin with + and the country code", id="a service number"),
        pytest.param("+999 912 345 678", None, "No country code begins like this", id="no such country"),
        pytest.param("+351 912 345 67", None, "too few digits for the country code +351", id="too short"),
        pytest.param("+351 912 345 6789", None, "too many digits for the country code +351", id="too long"),
        pytest.param("+351 812 345 678", None, "in use as +351", id="not in use"),
        pytest.param("+55 51 1234-5678", None, "in use as +55", id="eight digits that no mobile had"),
    ],
)
def test_a_number_that_cannot_be_one_is_refused_with_what_to_change(
    typed: str, region: str | None, told: str
) -> None:
    assert told in problem(typed, region)


def test_a_refusal_speaks_the_readers_language() -> None:
    assert problem("+351 912 345 67", locale="pt_PT").startswith("Este número tem algarismos a menos")


def test_no_refusal_repeats_the_number() -> None:
    assert "912" not in problem("+351 912 345 67")


def test_a_number_is_shown_as_its_country_writes_it_and_hidden_in_logs() -> None:
    found = read_phone("351912345678", region=None, translate=translator("en"))

    assert found.written == "+351 912 345 678"
    assert "912" not in repr(found)


@pytest.mark.parametrize(
    ("locale", "region"),
    [
        ("pt-BR", "BR"),
        ("pt_PT", "PT"),
        ("zh-Hant-TW", "TW"),
        ("en-GB,pt;q=0.5", "GB"),
        ("en", None),
        ("en-XX", None),
        ("", None),
        (None, None),
    ],
)
def test_the_country_is_read_from_the_browsers_language(locale: str | None, region: str | None) -> None:
    assert region_of(locale) == region


def test_the_example_is_a_mobile_number_of_the_readers_country() -> None:
    assert example("BR").startswith("+55 ")
    assert example(None) == ANYWHERE
    assert digits(example("BR"), "PT").startswith("55")
