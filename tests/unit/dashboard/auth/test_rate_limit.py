import pytest

from core.addresses import address_key
from dashboard.auth.rate_limit import MAX_KEYS, RateLimit
from tests.fakes import FakeClock


def limit(clock: FakeClock) -> RateLimit:
    return RateLimit(free_tries=3, first_wait_seconds=2, max_wait_seconds=10, clock=clock.monotonic)


def try_times(limited: RateLimit, times: int, key: str = "a") -> None:
    for _ in range(times):
        limited.count(key)


def test_few_tries_are_free() -> None:
    limited = limit(FakeClock())

    try_times(limited, 2)

    assert limited.wait_seconds("a") == 0


@pytest.mark.parametrize(("tries", "seconds"), [(3, 2), (4, 4), (5, 8), (6, 10), (60, 10)])
def test_each_further_try_costs_twice_the_wait_up_to_the_longest(tries: int, seconds: float) -> None:
    limited = limit(FakeClock())

    try_times(limited, tries)

    assert limited.wait_seconds("a") == seconds


def test_wait_passes() -> None:
    clock = FakeClock()
    limited = limit(clock)
    try_times(limited, 3)

    clock.advance(seconds=2)

    assert limited.wait_seconds("a") == 0


def test_keys_do_not_share_their_tries() -> None:
    limited = limit(FakeClock())

    try_times(limited, 9)

    assert limited.wait_seconds("b") == 0


def test_cleared_key_begins_anew() -> None:
    limited = limit(FakeClock())
    try_times(limited, 9)

    limited.clear("a")

    assert limited.wait_seconds("a") == 0


def test_what_a_key_proved_forgives_its_tries_at_nothing_else() -> None:
    limited = limit(FakeClock())
    for _ in range(9):
        limited.count("a", "theirs")
    waits = limited.wait_seconds("a")
    limited.count("a", "own")

    limited.clear("a", "own")
    still = limited.wait_seconds("a")
    limited.clear("a", "theirs")

    assert waits > 0
    assert still >= waits
    assert limited.wait_seconds("a") == 0


def test_tries_are_forgotten_after_an_hour() -> None:
    clock = FakeClock()
    limited = limit(clock)
    try_times(limited, 9)
    clock.advance(hours=1, seconds=1)

    limited.count("a")

    assert limited.wait_seconds("a") == 0


def test_memory_is_bounded() -> None:
    limited = limit(FakeClock())
    try_times(limited, 9)

    for number in range(MAX_KEYS):
        limited.count(str(number))

    assert limited.wait_seconds("a") == 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("unknown", "unknown"),
    ],
)
def test_addresses_of_one_network_share_a_key(address: str, key: str) -> None:
    assert address_key(address) == key
