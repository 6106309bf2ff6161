"""What the stories run is what we ship: only times and targets differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.meta.source import ROOT
from tests.support.monitoring import RULES
from tests.support.scaling import DURATION, adapted, differences, milliseconds, scaled

SHIPPED = [ROOT / "prometheus.yml", *RULES, ROOT / "monitoring" / "alertmanager" / "alertmanager.yml"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_file_is_scaled_and_nothing_else(path: Path) -> None:
    text = path.read_text()

    before, after = (DURATION.findall(one) for one in (text, adapted(text, 30, {})))

    assert len(before) == len(after) > 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("for: 3m", "for: 6000ms"),
        ("expr: a[5m:5s] offset 1d", "expr: a[10000ms:167ms] offset 2880000ms"),
        ("group_wait: 0s", "group_wait: 0ms"),
        ("expr: x:ratio1h > 60 + a5s", "expr: x:ratio1h > 60 + a5s"),
    ],
)
def test_duration_becomes_the_thirtieth_part(before: str, after: str) -> None:
    assert scaled(before, 30) == after


@pytest.mark.parametrize(
    "changed",
    [
        {"rules": [{"alert": "Lost", "expr": "a[2000ms] == 1", "for": "6000ms"}]},
        {"rules": [{"alert": "Lost", "expr": "a[2000ms] == 0", "for": "5000ms"}]},
        {"rules": [{"alert": "Lost", "expr": "a[2000ms] == 0"}]},
        {"rules": []},
    ],
)
def test_anything_else_that_differs_is_found(changed: object) -> None:
    shipped = {"rules": [{"alert": "Lost", "expr": "a[1m] == 0", "for": "3m"}]}
    right = {"rules": [{"alert": "Lost", "expr": "a[2000ms] == 0", "for": "6000ms"}]}

    assert list(differences(shipped, right, 30)) == []
    assert list(differences(shipped, changed, 30)) != []


def test_text_to_replace_that_is_not_there_any_more_is_found() -> None:
    with pytest.raises(AssertionError, match="not in the shipped file any more"):
        adapted("a: 1", 30, {"b": "c"})


def test_durations_are_read() -> None:
    assert [milliseconds(one) for one in ("7ms", "5s", "3m", "4h", "2d")] == [
        7,
        5_000,
        180_000,
        14_400_000,
        172_800_000,
    ]
