"""An administrator rotates the API key from the page; the real sync agent writes it, from its own process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.plugins.leaks import keep_secret
from tests.support.propagation import KEY, LEGUAS_FILES, read_files, write_files
from tests.support.stack import Process, Stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The older panel's files, and a sync file that lists them."""
    place = tmp_path / "leguas"
    write_files(place, LEGUAS_FILES)
    targets = "\n".join(
        f"  - {{file: {file}, key: {key}, receives: api_key}}"
        for file, key in ((".env", KEY), (".env.docker", KEY), ("docker-compose.yml", KEY))
    )
    (tmp_path / "sync.yml").write_text(f"folders:\n  leguas: {place}\ntargets:\n{targets}\n")
    return place


@pytest.fixture
def visitor(browser: Browser, product: Stack) -> Iterator[Visitor]:
    """The administrator, signed in."""
    page = product.start_page()
    person = Visitor(browser, product, "desktop")
    person.sign_in_first(product.first_link(page))
    yield person
    person.close()


def start_agent(product: Stack, folder: Path) -> Process:
    """Start the sync agent on the page's data directory."""
    sync_file = str(folder.parent / "sync.yml")
    return product.start_program("tests.support.sync_agent", WPPCONNECT_SYNC_FILE=sync_file)


def test_a_new_key_is_planned_approved_written_and_taken_back(
    product: Stack, folder: Path, visitor: Visitor
) -> None:
    visitor.open("/sync")
    visitor.reads("Nothing is set up yet.")
    agent = start_agent(product, folder)
    visitor.reads("Nothing to write yet")

    visitor.press("sync-generate-api_key")
    visitor.reads("A new API key is made; the present one is of no use any more.")
    visitor.reads("Are written: leguas/.env, leguas/.env.docker, leguas/docker-compose.yml.")
    assert read_files(folder)[".env"] == LEGUAS_FILES[".env"].encode()
    visitor.press("sync-approve")
    visitor.reads("Done. Everything is in sync.")

    key = (folder / ".env").read_text().partition(f"{KEY}=")[2].strip()
    keep_secret("API key", [key])
    assert key != "present-key-1234"
    assert f"{KEY}={key}" in (folder / "docker-compose.yml").read_text()
    visitor.reads("Everything in sync")

    (folder / ".env").write_text(f"{KEY}=by-hand\n")
    visitor.reads("Holds another value since", seconds=25)
    visitor.press("sync-apply")
    visitor.reads("Bring everything back in sync")
    visitor.press("sync-approve")
    until(lambda: f"{KEY}={key}" in (folder / ".env").read_text(), what="the file in sync again")

    agent.stop()
    visitor.reads("The sync agent is not running.", seconds=25)
    assert key not in visitor.page.content()
