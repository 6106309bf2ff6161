"""Until when WhatsApp serves what a gateway release pins, and how well that foretold trouble so far."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from core.gateways.wppconnect.contract.web_versions import NOTICE, expires_at, is_soon, notice

PINS = json.loads((Path(__file__).parents[5] / "data" / "web_version_pins.json").read_text())["pins"]
OF_2_10 = datetime(2026, 2, 3, 19, 38, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def expiry(pin: dict[str, str]) -> date:
    return datetime.fromisoformat(pin["expires_at"]).date()


def test_pins_were_mostly_renewed_in_time_and_the_last_was_not() -> None:
    """The backtest of the contract, section 14."""
    first = [pin["web_version"] for pin in PINS].index("2.3000.10139x")
    pins = PINS[first:]

    renewed = [date.fromisoformat(newer["pinned_on"]) <= expiry(pin) for pin, newer in pairwise(pins)]

    assert (len(pins), sum(renewed)) == (16, 13)
    assert (pins[-1]["pinned_on"], expiry(pins[-1])) == ("2026-01-05", date(2026, 2, 3))


def test_a_report_of_no_code_came_weeks_after_its_pin_had_expired() -> None:
    pin = next(pin for pin in PINS if pin["web_version"] == "2.3000.10258x")

    assert (date(2025, 11, 7) - expiry(pin)).days == 24


@pytest.mark.parametrize("release", ["2.10.4", "2.10.0", "2.9.0"])
def test_the_release_tells_its_day(release: str) -> None:
    assert expires_at(release) == OF_2_10


@pytest.mark.parametrize("release", [None, "", "2.11.0", "3.0.0", "2.10.4-beta", "not a release"])
def test_it_is_silent_of_releases_that_are_not_known(release: str | None) -> None:
    assert expires_at(release) is None
    assert notice(release, OF_2_10) is None
    assert not is_soon(release, OF_2_10)


@pytest.mark.parametrize(
    ("now", "soon", "said", "arguments"),
    [
        pytest.param(OF_2_10 - NOTICE - DAY, False, None, {}, id="15 days before"),
        pytest.param(
            OF_2_10 - 9 * DAY,
            True,
            "gateway.web_version_expires",
            {"date": "2026-02-03", "days": 9},
            id="9 days",
        ),
        pytest.param(
            OF_2_10 - DAY / 24,
            True,
            "gateway.web_version_expires",
            {"date": "2026-02-03", "days": 1},
            id="1 hour",
        ),
        pytest.param(
            OF_2_10 + DAY, False, "gateway.web_version_expired", {"date": "2026-02-03"}, id="the day after"
        ),
    ],
)
def test_people_are_told_two_weeks_before_and_from_then_on(
    now: datetime, soon: bool, said: str | None, arguments: dict[str, object]
) -> None:
    told = notice("2.10.4", now)

    assert is_soon("2.10.4", now) is soon
    assert (told.id if told else None, dict(told.arguments) if told else {}) == (said, arguments)


@pytest.mark.parametrize(
    ("release", "now", "said", "instead"),
    [
        pytest.param(
            "2.8.7",
            datetime(2026, 1, 1, tzinfo=UTC),
            "gateway.web_version_expires_update",
            "2.9.0",
            id="soon",
        ),
        pytest.param(
            "2.6.0",
            datetime(2025, 12, 1, tzinfo=UTC),
            "gateway.web_version_expired_update",
            "2.8.7",
            id="over",
        ),
    ],
)
def test_the_earliest_release_that_is_good_for_longer_is_named(
    release: str, now: datetime, said: str, instead: str
) -> None:
    told = notice(release, now)

    assert told is not None
    assert (told.id, told.arguments["release"]) == (said, instead)
