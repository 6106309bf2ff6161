"""How many calls a gateway gets a minute, and how soon losses are seen, by protocol and secret key."""

from __future__ import annotations

import pytest

from scripts.bench_calls import measure


@pytest.mark.parametrize(
    ("protocol", "secret", "calls", "unlink", "frozen_page"),
    [
        ("older routes", "strong secret", 254, 5.2, 5.2),
        ("older routes", "weak secret", 120, 11.8, 11.8),
        ("manager protocol", "strong secret", 147, 5.1, 5.2),
        ("manager protocol", "weak secret", 131, 5.1, 6),
    ],
)
def test_ten_sessions(protocol: str, secret: str, calls: int, unlink: float, frozen_page: float) -> None:
    load = measure(10, protocol, secret, tries=1)

    assert load.calls_a_minute == pytest.approx(calls, abs=3)
    assert load.unlink_seen_seconds <= unlink
    assert load.frozen_page_seen_seconds <= frozen_page
