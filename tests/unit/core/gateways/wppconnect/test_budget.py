from __future__ import annotations

import pytest

from core.gateways.wppconnect.gateway import check_seconds, shortest_interval


@pytest.mark.parametrize(
    ("costs", "interval_seconds"),
    [
        pytest.param([], 0.0, id="no sessions"),
        pytest.param([4] * 60, 4.8, id="sixty cheap tokens"),
        pytest.param([10] * 4, 4.64, id="four dear tokens"),
        pytest.param([10] * 50, 58.0, id="fifty dear tokens take a minute"),
        pytest.param([4] * 300, 24.0, id="three hundred cheap tokens"),
    ],
)
def test_token_checks_take_a_tenth_of_a_core(costs: list[int], interval_seconds: float) -> None:
    assert shortest_interval(costs) == pytest.approx(interval_seconds)


def test_a_list_of_all_states_halves_the_work() -> None:
    assert shortest_interval([10] * 300, are_listed=True) == pytest.approx(174.0)


def test_each_cost_above_ten_doubles_the_work() -> None:
    assert check_seconds(12) == pytest.approx(4 * check_seconds(10))


def test_a_cost_below_four_is_taken_for_four() -> None:
    assert check_seconds(1) == check_seconds(4)
