"""Backup, destruction, restoration on a machine that has nothing but the checkout and the key."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pyrage
import pytest
import requests
from playwright.sync_api import Browser

from tests.stack.visits import connect, python, signed_in
from tests.support.deployed import Deployed
from tests.support.stack import PASSWORD
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

CHANGE_SETTINGS = """
from pathlib import Path
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore
source = SettingsSource(load_environment(), FileStore(Path("/data/store")))
revision = source.current().revision
saved = source.saved().with_program(interval_seconds=7.5)
print(source.save(saved, expected_revision=revision, actor="admin").revision)
"""
STATE = """
import json
from pathlib import Path
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore
current = SettingsSource(load_environment(), FileStore(Path("/data/store"))).current()
history = [line for path in sorted(Path("/data/history").glob("*.jsonl")) for line in path.open()]
print(json.dumps([current.revision, current.interval_seconds, history]))
"""


def users(there: Deployed) -> str:
    """The page's users, their roles and whether they have a password."""
    listed = there.container("page").exec_run(["wppconnect-ops", "users", "list"])
    assert listed.exit_code == 0
    return str(listed.output.decode())


def state(there: Deployed) -> tuple[int, float, list[str]]:
    """Revision of the settings, one of them, and the lines of the history."""
    revision, interval, history = json.loads(python(there, "page", STATE))
    return revision, interval, history


def files_of(there: Deployed, volume: str) -> list[str]:
    """The files on a volume while nothing runs."""
    name = f"{there.name}_{volume}"
    listed = there.engine.client.containers.run(
        there.engine.busybox(),
        ["find", "/volume", "-type", "f"],
        volumes={name: {"bind": "/volume", "mode": "ro"}},
        network_mode="none",
        remove=True,
    )
    return sorted(listed.decode().split())


def burn(there: Deployed) -> None:
    """Leave nothing but the checkout, as on a new machine."""
    there.destroy()
    (there.directory / ".env").unlink()
    shutil.rmtree(there.directory / "config")


def refused(there: Deployed, *words: str) -> str:
    """Type a `make ...` that has to fail, and return what it says about it."""
    done: subprocess.CompletedProcess[Any] = subprocess.run(
        ["make", *words], cwd=there.directory, env=there.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    return str(done.stderr)


def test_a_burnt_machine_is_restored_from_an_encrypted_backup(
    browser: Browser, deployed: Deployed, tmp_path: Path
) -> None:
    # A pairing, an administrator with a password, somebody else with a link, a setting that was saved.
    connect(deployed)
    signed_in(browser, deployed).close()
    deployed.container("page").exec_run(["wppconnect-ops", "users", "add", "maria", "--role", "operator"])
    python(deployed, "page", CHANGE_SETTINGS)
    who, (revision, interval, history) = users(deployed), state(deployed)
    env = (deployed.directory / ".env").read_bytes()
    key = pyrage.x25519.Identity.generate()
    (tmp_path / "key").write_text(str(key))
    (tmp_path / "passphrase").write_text("seven words that nobody else would choose")

    words = f"PASSPHRASE_FILE={tmp_path / 'passphrase'}"
    moment = time.time()

    began = time.monotonic()
    deployed.make("backup", f"TO={tmp_path / 'by-key'}", f"RECIPIENT={key.to_public()}")
    print(f"backup took {time.monotonic() - began:.0f} s")
    deployed.make("backup", f"TO={tmp_path / 'by-words'}", words, "PROMETHEUS=1")
    assert deployed.connected() == "1"
    burn(deployed)

    # Without the key nothing is put in place.
    assert "encrypted" in refused(deployed, "restore", f"FROM={tmp_path / 'by-key'}")
    assert not (deployed.directory / ".env").exists()

    deployed.make("restore", f"FROM={tmp_path / 'by-words'}", words)
    assert (deployed.directory / ".env").read_bytes() == env
    assert len(files_of(deployed, "gateway-profiles")) > 0
    assert "/volume/store/users.json" in files_of(deployed, "data")

    # What is there already is replaced only when one says so.
    by_key = f"FROM={tmp_path / 'by-key'}", f"IDENTITY_FILE={tmp_path / 'key'}"
    assert "OVERWRITE=1" in refused(deployed, "restore", *by_key)
    began = time.monotonic()
    deployed.make("restore", *by_key, "OVERWRITE=1")
    deployed.make("up")
    print(f"restoration and start took {time.monotonic() - began:.0f} s")

    until(lambda: deployed.connected() == "1", what="the gateway's pairing")
    assert (deployed.directory / ".env").read_bytes() == env
    assert users(deployed) == who
    assert "maria" in who
    now = state(deployed)
    assert now[:2] == (revision, interval)
    assert interval == 7.5
    assert now[2][: len(history)] == history
    # Of the second backup, and not touched by the first, which has none.
    query = {"query": "wppconnect_up", "time": str(moment)}
    found = requests.get(f"{deployed.url('prometheus')}/api/v1/query", params=query, timeout=60).json()
    assert [one["value"][1] for one in found["data"]["result"]] == ["1"]
    visitor = Visitor(browser, deployed, "desktop")  # type: ignore[arg-type]
    visitor.open("/")
    visitor.sign_in()
    visitor.reads("All 1 connected")
    visitor.close()
    for saved in (tmp_path / "by-key", tmp_path / "by-words"):
        assert saved.read_bytes().partition(b"\n")[2].startswith(b"age-encryption.org/v1")
        assert PASSWORD.encode() not in saved.read_bytes()
        assert saved.stat().st_mode & 0o077 == 0
