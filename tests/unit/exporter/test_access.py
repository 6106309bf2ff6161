from __future__ import annotations

import asyncio
import base64
import threading

import pytest

from core.password_hashes import matches
from exporter.access import AT_A_TIME, REMEMBERED, WAITING, Admission, BasicAuth

USERS = {"alice": "hash-of-alice", "bob": "hash-of-bob"}
RIGHT = {("hash-of-alice", b"wonderland"), ("hash-of-bob", b"builder")}


class Checks:
    """Stands in for bcrypt: knows the right passwords, and what it was asked."""

    def __init__(self):
        self.asked = []
        self.gate = threading.Event()
        self.gate.set()
        self.running = self.most = 0

    def __call__(self, password, hashed):
        self.running += 1
        self.most = max(self.most, self.running)
        self.asked.append((hashed, password))
        self.gate.wait(60)
        self.running -= 1
        return (hashed, password) in RIGHT


@pytest.fixture
def checks():
    return Checks()


def header(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def admit(checks, *headers, users=USERS):
    """Ask one after the other with one memory."""

    async def story():
        auth = BasicAuth(check=checks)
        return [await auth.admit(one, users) for one in headers]

    return asyncio.run(story())


def test_right_password_gets_in(checks):
    assert admit(checks, header("alice", "wonderland"), header("bob", "builder")) == [Admission.ADMITTED] * 2


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWxpY2U=",
        "Bearer YWxpY2U6d29uZGVybGFuZA==",
        "Basic \xe4",
        header("alice", ""),
        header("alice", "builder"),
        header("", "wonderland"),
        header("Alice", "wonderland"),
        header("alice:wonderland", ""),
        header("mallory", "wonderland"),
        header("mallory", "builder"),
    ],
)
def test_anything_else_does_not(checks, value):
    assert admit(checks, value) == [Admission.REFUSED]


def test_right_password_is_checked_once(checks):
    admit(checks, *[header("alice", "wonderland")] * 100)

    assert len(checks.asked) == 1


def test_wrong_password_that_is_tried_again_and_again_costs_nothing_more(checks):
    admit(checks, *[header("alice", "wrong")] * 100)

    assert len(checks.asked) == 1


def test_changed_hash_is_checked_anew(checks):
    async def story():
        auth = BasicAuth(check=checks)
        before = await auth.admit(header("alice", "wonderland"), USERS)
        after = await auth.admit(header("alice", "wonderland"), {"alice": "another-hash"})
        return before, after

    assert asyncio.run(story()) == (Admission.ADMITTED, Admission.REFUSED)


def test_removed_user_is_out_at_once(checks):
    async def story():
        auth = BasicAuth(check=checks)
        await auth.admit(header("alice", "wonderland"), USERS)
        return await auth.admit(header("alice", "wonderland"), {"bob": "hash-of-bob"})

    assert asyncio.run(story()) is Admission.REFUSED


def test_name_that_does_not_exist_is_checked_like_one_that_does(checks):
    admit(checks, *(header(f"mallory{number}", "guess") for number in range(30)))

    assert len(checks.asked) == 30
    assert {hashed for hashed, _ in checks.asked} == set(USERS.values())


def test_one_name_is_always_compared_with_the_same_hash(checks):
    admit(checks, *(header("mallory", f"guess {number}") for number in range(30)))

    assert len({hashed for hashed, _ in checks.asked}) == 1


def test_parallel_requests_with_one_password_share_its_check(checks):
    async def story():
        auth = BasicAuth(check=checks)
        return await asyncio.gather(*(auth.admit(header("alice", "wonderland"), USERS) for _ in range(50)))

    assert set(asyncio.run(story())) == {Admission.ADMITTED}
    assert len(checks.asked) == 1


def test_flood_of_guesses_neither_takes_the_processor_nor_keeps_out_who_was_right_before(checks):
    async def story():
        auth = BasicAuth(check=checks)
        await auth.admit(header("alice", "wonderland"), USERS)
        checks.gate.clear()
        guesses = [
            asyncio.create_task(auth.admit(header("alice", f"guess {number}"), USERS))
            for number in range(WAITING + 10)
        ]
        await asyncio.sleep(0)
        still_in = await auth.admit(header("alice", "wonderland"), USERS)
        checks.gate.set()
        return still_in, await asyncio.gather(*guesses)

    still_in, guesses = asyncio.run(story())

    assert still_in is Admission.ADMITTED
    assert guesses.count(Admission.BUSY) == 10
    assert guesses.count(Admission.REFUSED) == WAITING
    assert checks.most <= AT_A_TIME


def test_memory_of_wrong_passwords_is_bounded(checks):
    async def story():
        auth = BasicAuth(check=checks)
        for number in range(REMEMBERED + 50):
            await auth.admit(header("alice", f"guess {number}"), USERS)
        return len(auth._wrong)

    assert asyncio.run(story()) == REMEMBERED


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_hash_of_any_tool_is_understood(prefix):
    # "wonderland" with cost 4, as htpasswd and others write it but for the prefix.
    import bcrypt

    hashed = bcrypt.hashpw(b"wonderland", bcrypt.gensalt(4)).decode().replace("$2b$", prefix)

    assert matches(b"wonderland", hashed)
    assert not matches(b"Wonderland", hashed)


def test_password_longer_than_bcrypt_reads_is_cut_as_other_tools_do():
    import bcrypt

    hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()

    assert matches(b"x" * 80, hashed)


@pytest.mark.parametrize("hashed", ["", "$2y$04$", "no hash"])
def test_what_is_no_hash_matches_nothing(hashed):
    assert not matches(b"", hashed)
