"""The running exporter follows the saved settings, and keeps to the last good ones when those are broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from core.settings.environment import load_environment
from core.settings.saved import SavedSettings
from core.settings.source import SettingsSource
from core.store import FileStore
from simulator import Simulator
from tests.support.live_core import FAST, SECRET
from tests.support.processes import Process
from tests.support.stack import Stack, stack
from tests.support.waiting import until

INTERVAL_SECONDS = 2.0
KEPT, GOES, COMES = "sales", "support", "hotline"
LAST_PROBE = f'wppconnect_session_last_probe_timestamp_seconds{{server="main",session="{KEPT}"}}'
SUCCESS = "wppconnect_exporter_settings_reload_success"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    sessions = [KEPT, GOES, COMES]
    with Simulator(secret_key=SECRET, times=FAST, paired=sessions) as gateway:
        for session in sessions:
            gateway.pair(session)
        changes = {
            "WPPCONNECT_SESSIONS": f"{KEPT},{GOES}",
            "WPPCONNECT_INTERVAL_SECONDS": f"{INTERVAL_SECONDS:g}",
            "EXPORTER_WEB_ENABLE_LIFECYCLE": "true",
        }
        with stack(gateway, tmp_path_factory.mktemp("product"), **changes) as running:
            yield running


@pytest.fixture(scope="module")
def exporter(product: Stack) -> Process:
    process = product.start_exporter()
    until(lambda: product.connected(KEPT) == product.connected(GOES) == "1", what="connected")
    return process


def save(product: Stack, change: Callable[[SavedSettings], SavedSettings]) -> None:
    """Save settings as the page does."""
    settings = SettingsSource(load_environment(product.environment), FileStore(product.data / "store"))
    revision = settings.current().revision
    settings.save(change(settings.saved()), expected_revision=revision, actor="test")


def sessions(product: Stack) -> set[str]:
    """Which sessions any sample of /metrics speaks of."""
    text = requests.get(f"{product.exporter_url}/metrics", timeout=60).text
    return {name for name in (KEPT, GOES, COMES) if f'session="{name}"' in text}


@pytest.mark.usefixtures("exporter")
def test_removed_session_disappears_within_an_interval_and_an_added_one_comes(product: Stack) -> None:
    save(product, lambda saved: saved.without_session("main", GOES))
    until(lambda: sessions(product) == {KEPT}, what="the end of a session")

    save(product, lambda saved: saved.with_session("main", COMES))
    until(lambda: sessions(product) == {KEPT, COMES}, what="another session")
    until(lambda: product.connected(COMES) == "1", what="its first probe")


def spoil(document: dict[str, Any], name: str, value: object) -> str:
    """Put a value into what is saved of the server."""
    (record,) = document["records"].values()
    record["version"] += 1
    record["value"]["saved"]["servers"]["main"][name] = value
    return json.dumps(document)


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "no JSON": (lambda document: json.dumps(document)[:-9], "Save them again, or restore a backup"),
    "out of range": (
        lambda document: spoil(document, "end_to_end_minutes", 1),
        "servers.main.end_to_end_minutes: must be 0 (off), or 5 to 1440 minutes",
    ),
    "unknown field": (
        lambda document: spoil(document, "secret_kee", SECRET),
        "servers.main.secret_kee: is not a setting; remove it",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_settings_on_disk_are_refused_and_the_old_ones_stay(
    exporter: Process, product: Stack, fault: str
) -> None:
    save(product, lambda saved: saved.with_server("main", end_to_end_minutes=0))
    path = product.data / "store" / "settings.json"
    good, before = path.read_text(), sessions(product)
    break_it, told = BROKEN[fault]

    replace(path, break_it(json.loads(good)))

    until(lambda: product.metric(SUCCESS) == "0", what="the refusal")
    probed = float(product.metric(LAST_PROBE) or 0)
    until(lambda: float(product.metric(LAST_PROBE) or 0) > probed, what="a probe with the old settings")
    assert sessions(product) == before
    assert told in exporter.printed()
    assert told in reload(product, 500)
    assert SECRET not in exporter.printed()
    replace(path, good)
    until(lambda: product.metric(SUCCESS) == "1", what="the mended settings")
    assert reload(product, 200) == "The settings were read anew.\n"
    assert sessions(product) == before


def reload(product: Stack, status: int) -> str:
    """Have the settings read anew, and return the answer's text."""
    answer = requests.post(f"{product.exporter_url}/-/reload", timeout=60)
    assert answer.status_code == status
    return answer.text


def replace(path: Path, text: str) -> None:
    """Put a file in the place of another, as editors do."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)
