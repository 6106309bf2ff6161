"""Which long numbers a log line may show: the date of a moment, and no telephone number in its clothes."""

from __future__ import annotations

import pytest

from core.logs import redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        pytest.param("from 20261123", "from ***", id="number that could be a date"),
        pytest.param("20261123 T215955", "*** T215955", id="number that could be a date, and a word"),
        pytest.param("20261123Tel", "***Tel", id="number before a word with T"),
        pytest.param("20261323T215955", "***T215955", id="thirteenth month"),
        pytest.param("20261100T215955", "***T215955", id="day zero"),
        pytest.param("20261123T245955", "***T245955", id="hour 24"),
        pytest.param("5520261123T215955", "***T215955", id="number that ends like a date"),
        pytest.param("+20261123T215955", "***T215955", id="Egyptian number"),
        pytest.param("20261123T351912345678", "***T***", id="number behind a date"),
        pytest.param("20261123T2159555511912345678", "***T***", id="number behind a moment"),
        pytest.param("phone=20261123T215955", "phone=***", id="phone that looks like a moment"),
    ],
)
def test_number_that_is_no_date_of_a_moment_is_redacted(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "aside=settings.json.broken-20261123T215955.414384Z",
        "broken-20240229T000000Z and 20991231T235959",
    ],
)
def test_date_of_a_moment_stays_readable(text: str) -> None:
    assert redact(text) == text
