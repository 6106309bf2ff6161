"""Each container killed, and all at once, in the middle of a pairing and of saving settings."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.stack.visits import SERVICES, connect, python, scan_what_is_shown, signed_in
from tests.support.deployed import Deployed
from tests.support.stack import SESSION
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

BYSTANDERS = ("exporter", "prometheus", "alertmanager", "grafana")
"""A pairing needs the page and the gateway only."""
SAVE_SETTINGS = """
import sys
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore
source = SettingsSource(load_environment(), FileStore(__import__("pathlib").Path("/data/store")))
while True:
    current = source.current()
    changed = source.saved().with_program(interval_seconds=5 + current.revision % 7)
    print(source.save(changed, expected_revision=current.revision, actor="test").revision, flush=True)
"""
READ_SETTINGS = """
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore, History
from pathlib import Path
source = SettingsSource(load_environment(), FileStore(Path("/data/store")))
current = source.current()
print(current.revision, current.interval_seconds, len(source.problems))
"""


@pytest.fixture(scope="module")
def visitor(browser: Browser, deployed: Deployed) -> Iterator[Visitor]:
    """The administrator, in one tab for all tests."""
    signed = signed_in(browser, deployed)
    yield signed
    signed.close()


@pytest.fixture
def pairing(visitor: Visitor, deployed: Deployed) -> Visitor:
    """Lose the session and come as far as a live code on the screen."""
    connect(deployed)
    deployed.phone("POST", f"/control/sessions/{SESSION}/unlink")
    until(lambda: deployed.connected() == "0", what="the loss of the session")
    visitor.open_session()
    visitor.press(f"repair-main-{SESSION}")
    visitor.await_live_qr()
    return visitor


def test_a_pairing_is_finished_in_its_tab_while_everything_else_is_killed(
    pairing: Visitor, deployed: Deployed
) -> None:
    deployed.crash(*BYSTANDERS)

    scan_what_is_shown(pairing, deployed)


def test_after_the_gateways_death_in_a_pairing_the_tab_shows_a_new_code_by_itself(
    pairing: Visitor, deployed: Deployed
) -> None:
    deployed.crash("gateway")

    # The code that was on the screen is gone with the gateway's memory.
    scan_what_is_shown(pairing, deployed)


# The gateway starts every session that it knows when it starts.
@pytest.mark.parametrize("killed", [("page",), SERVICES], ids=["page", "everything"])
def test_after_its_death_in_a_pairing_one_is_still_signed_in_and_scans_the_code(
    pairing: Visitor, deployed: Deployed, killed: tuple[str, ...]
) -> None:
    deployed.crash(*killed)

    pairing.open_session()
    assert pairing.page.locator("input[name=password]").count() == 0
    scan_what_is_shown(pairing, deployed)


def test_a_pairing_and_saved_settings_outlive_a_crash_of_everything_in_the_middle_of_saving(
    deployed: Deployed,
) -> None:
    connect(deployed)
    command = ["docker", "exec", deployed.container("page").name, "python", "-c", SAVE_SETTINGS]
    with subprocess.Popen(command, env=deployed.environ, stdout=subprocess.PIPE, text=True) as saving:
        assert saving.stdout is not None
        confirmed = [int(saving.stdout.readline()) for _ in range(20)]
        # Saving goes on while the other process that shares the store dies and comes back.
        deployed.crash("exporter")
        confirmed += [int(saving.stdout.readline()) for _ in range(20)]
        deployed.crash(*SERVICES)
        confirmed += [int(line) for line in saving.stdout.read().splitlines()]

    revision, interval, problems = python(deployed, "page", READ_SETTINGS).split()

    assert confirmed == list(range(confirmed[0], confirmed[0] + len(confirmed)))
    # The last one may have reached the disk and not the terminal.
    assert int(revision) - confirmed[-1] in (0, 1)
    assert float(interval) == 5 + (int(revision) - 1) % 7
    assert problems == "0"
    until(lambda: deployed.connected() == "1", what="the session's return")
