"""An administrator rotates the API key from the page; the real sync agent writes it, from its own process.

And what stands in the way is told there in words: disks, other people, an engine or an agent that is away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from core.propagation.orders import OrderDesk, OrderKind
from core.store import FileStore
from tests.plugins.leaks import keep_secret
from tests.support.mounts import read_only, small_disk
from tests.support.propagation import API_KEY, KEY, LEGUAS_FILES, read_files, write_files
from tests.support.stack import Process, Stack
from tests.support.visitor import SLOW, Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

BUTTON = ".st-key-sync-generate-api_key button:enabled"


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


def start_agent(product: Stack, folder: Path, **changes: str) -> Process:
    """Start the sync agent on the page's data directory."""
    sync_file = str(folder.parent / "sync.yml")
    return product.start_program("tests.support.sync_agent", WPPCONNECT_SYNC_FILE=sync_file, **changes)


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


def test_what_stands_in_the_way_is_told_in_words_and_nothing_is_changed(
    product: Stack, folder: Path, visitor: Visitor, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    with small_disk(small, 8):
        (small / ".env").write_text(f"{KEY}=present-key-1234\n")
        text = (tmp_path / "sync.yml").read_text().replace("folders:\n", f"folders:\n  small: {small}\n")
        listed = text.replace("file:", "folder: leguas, file:")
        last = f"  - {{folder: small, file: .env, key: {KEY}, receives: api_key}}\n"
        (tmp_path / "sync.yml").write_text(listed + last)
        start_agent(product, folder)
        visitor.open("/sync")

        with read_only(folder):
            ask_for_a_key(visitor, "is on a read-only mount; mount its folder writable")
            visitor.reads("Nothing is written while this stands. Mend it, or leave it out.")
            visitor.press("sync-withdraw")
            visitor.reads("Withdrawn. Nothing was changed.")

        ask_for_a_key(visitor, "Are written: leguas/.env")
        (folder / ".env").write_text(f"{KEY}=by-somebody-else\n")
        visitor.press("sync-approve")
        visitor.reads("nothing was written: something changed since the plan was made; look at the new one")
        (small / "filler").write_bytes(b"x" * 4096)
        before = read_files(folder)
        visitor.press("sync-approve")
        visitor.reads("no space left on device; free space on that disk")
        visitor.reads("It failed. What had been begun was taken back, unless it says otherwise.")
        assert read_files(folder) == before


def test_of_two_administrators_at_once_the_second_is_told(
    product: Stack, folder: Path, visitor: Visitor
) -> None:
    start_agent(product, folder)
    desk = OrderDesk(FileStore(product.data / "store"))
    visitor.open("/sync")
    visitor.page.locator(BUTTON).wait_for(timeout=SLOW)

    def is_second() -> bool:
        """Be a moment behind another administrator; a page that has heard of them already offers nothing."""
        present = desk.current()
        if present and not present.state.is_final:
            desk.withdraw(present.id, actor="rui")
        visitor.page.locator(BUTTON).wait_for(timeout=SLOW)
        desk.place(OrderKind.APPLY, actor="rui", generate=(API_KEY,))
        with suppress(PlaywrightError, AssertionError):
            visitor.page.locator(BUTTON).dispatch_event("click", timeout=1000)
            visitor.reads("Somebody else was faster.", seconds=5)
            return True
        return False

    until(is_second, seconds=60, what="a word to the second")

    visitor.reads("asked for by rui")
    order = desk.current()
    assert order is not None
    assert order.actor == "rui"


def test_engine_that_does_not_answer_is_told_beside_its_container(
    product: Stack, folder: Path, visitor: Visitor, tmp_path: Path
) -> None:
    with (tmp_path / "sync.yml").open("a") as file:
        file.write(f"containers:\n  - {{name: leguas_whatsapp_evolution, reads: [{KEY}]}}\n")
    start_agent(product, folder, WPPCONNECT_DOCKER_HOST=f"unix://{tmp_path}/no-engine.sock")
    visitor.open("/sync")

    visitor.reads("Must not be recreated")
    visitor.reads("The Docker Engine at unix://")
    visitor.reads("check that it runs and that this account may use its socket.")
    ask_for_a_key(visitor, "Nothing is written while this stands. Mend it, or leave it out.")
    visitor.reads("Leave out leguas_whatsapp_evolution")


def ask_for_a_key(visitor: Visitor, answer: str) -> None:
    """Ask for a new key, and read what the plan says."""
    visitor.press("sync-generate-api_key")
    visitor.reads(answer)
