"""Each container killed, and all at once, in the middle of a pairing and of saving settings."""

from __future__ import annotations

import subprocess

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
    changed = source.saved().with_interval(5 + current.revision % 7)
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


def start_pairing(browser: Browser, there: Deployed) -> Visitor:
    """Lose the session and come as far as a live code on the screen."""
    connect(there)
    there.phone("POST", f"/control/sessions/{SESSION}/unlink")
    until(lambda: there.connected() == "0", what="the loss of the session")
    visitor = signed_in(browser, there)
    visitor.open_session()
    visitor.press(f"repair-main-{SESSION}")
    visitor.await_live_qr()
    return visitor


def test_a_pairing_is_finished_in_its_tab_while_everything_else_is_killed(
    browser: Browser, deployed: Deployed
) -> None:
    visitor = start_pairing(browser, deployed)

    deployed.crash(*BYSTANDERS)

    scan_what_is_shown(visitor, deployed)
    visitor.close()


def test_after_the_pages_death_in_a_pairing_one_is_still_signed_in_and_scans_the_code(
    browser: Browser, deployed: Deployed
) -> None:
    visitor = start_pairing(browser, deployed)

    deployed.crash("page")

    visitor.open_session()
    assert visitor.page.locator("input[name=password]").count() == 0
    scan_what_is_shown(visitor, deployed)
    visitor.close()


def test_after_the_gateways_death_in_a_pairing_the_tab_shows_a_new_code_by_itself(
    browser: Browser, deployed: Deployed
) -> None:
    visitor = start_pairing(browser, deployed)

    deployed.crash("gateway")

    # The code that was on the screen is gone with the gateway's memory.
    scan_what_is_shown(visitor, deployed)
    visitor.close()


def test_after_the_death_of_everything_in_a_pairing_one_is_still_signed_in_and_scans_the_next_code(
    browser: Browser, deployed: Deployed
) -> None:
    visitor = start_pairing(browser, deployed)

    deployed.crash(*SERVICES)

    # The gateway starts every session that it knows when it starts.
    visitor.open_session()
    assert visitor.page.locator("input[name=password]").count() == 0
    scan_what_is_shown(visitor, deployed)
    visitor.close()


def test_a_paired_session_comes_back_by_itself_when_everything_is_killed(deployed: Deployed) -> None:
    connect(deployed)

    deployed.crash(*SERVICES)

    until(lambda: deployed.connected() == "1", what="the session's return")


def test_settings_that_were_saved_outlive_a_crash_of_everything_in_the_middle_of_saving(
    deployed: Deployed,
) -> None:
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
