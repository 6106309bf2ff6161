from __future__ import annotations

import pytest

from core.gateways.wppconnect.budget import check_seconds, stretched_interval


@pytest.mark.parametrize(
    ("costs", "interval_seconds"),
    [
        pytest.param([], 5.0, id="no sessions"),
        pytest.param([4] * 60, 5.0, id="sixty cheap tokens fit"),
        pytest.param([10] * 4, 5.0, id="four dear tokens fit"),
        pytest.param([10] * 50, 58.0, id="fifty dear tokens take a minute"),
        pytest.param([4] * 300, 24.0, id="three hundred cheap tokens"),
    ],
)
def test_the_interval_is_stretched_to_a_tenth_of_a_core(costs: list[int], interval_seconds: float) -> None:
    assert stretched_interval(5.0, costs) == pytest.approx(interval_seconds)


def test_a_list_of_all_states_halves_the_work() -> None:
    assert stretched_interval(5.0, [10] * 300, are_listed=True) == pytest.approx(174.0)


def test_each_cost_above_ten_doubles_the_work() -> None:
    assert check_seconds(12) == pytest.approx(4 * check_seconds(10))


def test_a_cost_below_four_is_taken_for_four() -> None:
    assert check_seconds(1) == check_seconds(4)
