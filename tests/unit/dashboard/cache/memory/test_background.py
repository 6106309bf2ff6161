"""Work that pages do not wait for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.exceptions import StoreError
from dashboard.cache.background import VALUES_KEPT, Background


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.stop()


def test_the_first_value_is_not_waited_for(background: Background) -> None:
    release = threading.Event()

    first = background.fresh("key", lambda: release.wait(60) and "value", max_age_seconds=60)
    release.set()
    background.wait("key", 60)

    assert first is None
    assert background.fresh("key", lambda: "newer", max_age_seconds=60) == "value"


def test_work_of_one_key_runs_once_at_a_time(background: Background) -> None:
    release, runs = threading.Event(), []

    background.run("key", lambda: runs.append(1) or release.wait(60))
    background.run("key", lambda: runs.append(2))
    release.set()
    background.wait("key", 60)

    assert runs == [1]
    assert not background.job("key").running


def test_an_old_value_is_shown_while_it_is_renewed() -> None:
    now = [0.0]
    background = Background(clock=lambda: now[0])
    background.run("key", lambda: "old")
    background.wait("key", 60)
    now[0] = 100.0

    shown = background.fresh("key", lambda: "new", max_age_seconds=60)
    background.wait("key", 60)

    assert shown == "old"
    assert background.job("key").value == "new"
    background.stop()


def test_a_failure_keeps_the_value_and_the_thread(
    background: Background, caplog: pytest.LogCaptureFixture
) -> None:
    background.run("key", lambda: "value")
    background.wait("key", 60)

    background.run("key", lambda: 1 / 0)
    background.wait("key", 60)
    background.run("other", lambda: "alive")
    background.wait("other", 60)

    assert background.job("key").value == "value"
    assert background.job("other").value == "alive"


def test_a_store_that_fails_is_logged_once(background: Background, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise StoreError("the database is away")

    for key in ("key", "other"):
        background.run(key, fail)
        background.wait(key, 60)

    # The worker of an earlier test may say at this moment that it failed.
    logged = [record for record in caplog.records if record.name == "dashboard.cache.background"]
    assert [record.levelname for record in logged] == ["WARNING"]


def test_the_oldest_values_make_room(background: Background) -> None:
    for number in range(VALUES_KEPT + 10):
        background.run(number, lambda: "value")
        background.wait(number, 60)

    kept = [number for number in range(VALUES_KEPT + 10) if background.job(number).value]
    assert kept == list(range(10, VALUES_KEPT + 10))
