"""How many calls a gateway gets a minute, and how soon an unlink is seen, by protocol and secret key."""

from __future__ import annotations

import pytest

from scripts.bench_calls import measure


@pytest.mark.parametrize(
    ("protocol", "secret", "calls", "seconds"),
    [
        ("older routes", "strong secret", 254, 5.2),
        ("older routes", "weak secret", 120, 11.8),
        ("manager protocol", "strong secret", 265, 4.3),
        ("manager protocol", "weak secret", 131, 4.3),
    ],
)
def test_ten_sessions(protocol: str, secret: str, calls: int, seconds: float) -> None:
    load = measure(10, protocol, secret, tries=1)

    assert load.calls_a_minute == pytest.approx(calls, abs=3)
    assert load.unlink_seen_seconds <= seconds
