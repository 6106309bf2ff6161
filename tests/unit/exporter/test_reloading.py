from __future__ import annotations

import threading

import pytest

from core.exceptions import ConfigurationError, StoreError
from exporter.reloading import Reloader
from tests.support.waiting import until


@pytest.fixture
def own(make_own_metrics):
    return make_own_metrics()


def success(own):
    return own.registry.get_sample_value("wppconnect_exporter_settings_reload_success") == 1


def test_good_settings_are_a_success(own):
    assert Reloader(lambda: None, files=list, own=own).reload() == ()
    assert success(own)


@pytest.mark.parametrize(
    ("error", "problems"),
    [
        (ConfigurationError(["first mistake", "second mistake"]), ("first mistake", "second mistake")),
        (StoreError("the disk is full"), ("the disk is full",)),
        (RuntimeError("a secret"), ("The log says what went wrong.",)),
    ],
)
def test_bad_settings_are_returned_and_counted(own, caplog, error, problems):
    def fail():
        raise error

    assert Reloader(fail, files=list, own=own).reload() == problems
    assert not success(own)
    assert "settings_refused" in caplog.text


@pytest.fixture
def following(own, tmp_path):
    """Follow a file, and gather what was read."""
    path, seen = tmp_path / "web.yml", []
    path.write_text("first")
    reloader = Reloader(
        lambda: seen.append(path.read_text()), files=lambda: [path], own=own, look_seconds=0.01
    )
    thread = threading.Thread(target=reloader.follow)
    thread.start()
    yield path, seen, reloader
    reloader.stop()
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_changed_file_is_read(following):
    path, seen, _ = following

    path.write_text("something longer")

    until(lambda: seen and seen[-1] == "something longer", what="the change")


def test_replaced_file_of_the_same_length_is_read(following):
    path, seen, _ = following

    new = path.with_name("new")
    new.write_text("other")
    new.replace(path)

    until(lambda: "other" in seen, what="the change")


def test_file_that_does_not_change_is_not_read_again(following):
    path, seen, reloader = following

    reloader.reload()
    path.write_text("a change")
    until(lambda: "a change" in seen, what="the change")

    assert seen.count("first") == 1


def test_file_that_vanishes_and_comes_back_is_read(following):
    path, seen, _ = following

    path.unlink()
    path.write_text("it is back")

    until(lambda: seen and seen[-1] == "it is back", what="the file")
