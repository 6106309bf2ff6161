import asyncio

import pytest
from argon2 import PasswordHasher
from auth_world import quick_hasher, run

from dashboard.auth.passwords import MAX_WAITING, Passwords, PasswordsBusyError, password_problem


class CountingHasher(PasswordHasher):
    """Counts how often a hash is worked out."""

    verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:
        self.verified += 1
        return super().verify(hash, password)


def english(text: str) -> str:
    return text


def test_right_password_matches_and_a_wrong_one_does_not() -> None:
    passwords = Passwords(quick_hasher())
    stored = run(passwords.hash("correct horse battery"))

    answers = [run(passwords.matches(one, stored)) for one in ("correct horse battery", "correct horse")]

    assert answers == [True, False]
    assert "correct" not in stored


def test_composed_and_decomposed_letters_are_the_same_password() -> None:
    passwords = Passwords(quick_hasher())

    stored = run(passwords.hash("cora\u00e7\u00e3o de leguas"))

    assert run(passwords.matches("corac\u0327a\u0303o de leguas", stored))


def test_unknown_user_costs_as_much_as_a_known_one() -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords = Passwords(hasher)

    answer = run(passwords.matches("anything", None))

    assert answer is False
    assert hasher.verified == 1


def test_broken_stored_hash_matches_nothing() -> None:
    assert run(Passwords(quick_hasher()).matches("anything", "not a hash")) is False


def test_hash_of_weaker_parameters_is_outdated() -> None:
    weak = run(Passwords(quick_hasher()).hash("correct horse battery"))

    assert Passwords().is_outdated(weak)


def test_too_many_checks_at_once_are_refused_instead_of_piling_up() -> None:
    passwords = Passwords(quick_hasher())
    stored = run(passwords.hash("correct horse battery"))

    async def check_all() -> list[bool | BaseException]:
        checks = [passwords.matches("x", stored) for _ in range(MAX_WAITING + 1)]
        return await asyncio.gather(*checks, return_exceptions=True)

    answers = asyncio.run(check_all())

    assert answers[:-1] == [False] * MAX_WAITING
    assert isinstance(answers[-1], PasswordsBusyError)


def test_flood_of_invented_names_is_answered_alike_and_works_out_few_hashes() -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords = Passwords(hasher)

    async def flood() -> list[bool]:
        return await asyncio.gather(*(passwords.matches(f"guess {number}", None) for number in range(200)))

    answers = asyncio.run(flood())

    assert answers == [False] * 200
    assert hasher.verified == 1


def test_flood_of_invented_names_does_not_delay_a_real_sign_in() -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords = Passwords(hasher)
    stored = run(passwords.hash("correct horse battery"))

    async def sign_in_during_a_flood() -> bool:
        flood = [asyncio.create_task(passwords.matches(f"guess {one}", None)) for one in range(200)]
        await asyncio.sleep(0)
        is_right = await passwords.matches("correct horse battery", stored)
        await asyncio.gather(*flood)
        return is_right

    assert asyncio.run(sign_in_during_a_flood())
    # Its own, and one for all invented names: 200 would keep it waiting for ten seconds and more.
    assert hasher.verified <= 2


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        pytest.param("elevenchars", "Use at least 12 characters for the password.", id="too short"),
        pytest.param("x" * 257, "Use at most 256 characters for the password.", id="too long"),
        pytest.param("aaaaaaaaaaaaaa", "This password is too easy", id="one character"),
        pytest.param("123456789012", "This password is too easy", id="digits in order"),
        pytest.param("abcdefghijkl", "This password is too easy", id="letters in order"),
        pytest.param("Password12345!", "This password is too easy", id="the word password"),
        pytest.param("administrator1234", "This password is too easy", id="the own name"),
        pytest.param("correct horse staple", "The passwords do not match.", id="repeated wrongly"),
    ],
)
def test_bad_new_password_is_refused_with_the_reason(password: str, problem: str) -> None:
    answer = password_problem(password, "correct horse", "administrator", english)

    assert answer is not None
    assert answer.startswith(problem)


def test_good_new_password_has_no_problem() -> None:
    assert password_problem("correct horse battery", "correct horse battery", "admin", english) is None
