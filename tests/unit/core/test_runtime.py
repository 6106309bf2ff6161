"""One core from an environment, on a data directory of its own."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from core.exceptions import ConfigurationError
from core.models import Verdict
from core.runtime import open_core
from core.settings.environment import load_environment
from tests.support.waiting import until

CLOSED_PORT = "http://127.0.0.1:1"


def environment(data: Path, **changes: str) -> dict[str, str]:
    return {
        "WPPCONNECT_URL": CLOSED_PORT,
        "WPPCONNECT_SECRET_KEY": "k3yThatIsLongEnoughForTests99",
        "WPPCONNECT_SESSIONS": "sales",
        "WPPCONNECT_DATA_DIR": str(data),
    } | changes


def new_threads(before: set[threading.Thread]) -> list[str]:
    """Name what runs beyond `before`, but for the one watchdog that every process keeps."""
    return [one.name for one in set(threading.enumerate()) - before if one.name != "watchdog"]


def test_opening_a_core_begins_nothing(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    core = open_core(load_environment(environment(tmp_path / "data")), program="tests")

    assert set(threading.enumerate()) == before
    assert core.monitor.snapshot().session("main", "sales").verdict == Verdict.UNKNOWN
    assert core.operations.status("main", "sales") is None
    core.stop()


def test_its_data_is_for_our_account_alone(tmp_path: Path) -> None:
    core = open_core(load_environment(environment(tmp_path / "data")), program="tests")

    assert stat.S_IMODE(core.data_directory.stat().st_mode) == 0o700
    core.stop()


def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    with pytest.raises(ConfigurationError, match="WPPCONNECT_DATA_DIR"):
        open_core(load_environment(environment(tmp_path / "data")), program="tests")


def test_a_core_without_a_gateway_shows_nothing_and_runs(tmp_path: Path) -> None:
    core = open_core(load_environment({"WPPCONNECT_DATA_DIR": str(tmp_path / "data")}), program="tests")

    core.monitor.start()

    assert core.monitor.snapshot().servers == ()
    core.stop()


def test_it_probes_under_its_programs_name_and_stops_wholly(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    core = open_core(load_environment(environment(tmp_path / "data")), program="tests")

    core.monitor.start()
    until(lambda: core.monitor.snapshot().session("main", "sales").verdict == Verdict.UNREACHABLE)
    holder = core.monitor.snapshot().servers[0].holder
    core.stop()
    core.stop()

    assert holder == f"tests[{os.getpid()}]"
    until(lambda: new_threads(before) == [], what="the end of all threads")


def test_a_client_of_its_own_speaks_to_the_configured_gateway(tmp_path: Path) -> None:
    core = open_core(load_environment(environment(tmp_path / "data")), program="tests")
    server = core.settings.current().servers[0]

    client = core.client(server)

    assert client.server.url == CLOSED_PORT
    client.close()
    core.stop()
