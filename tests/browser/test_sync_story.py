"""An administrator rotates the API key from the page; the real sync agent writes it, from its own process.

And what stands in the way is told there in words: disks, other people, an engine or an agent that is away.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from core.store import FileStore
from core.sync.change_requests import SUBJECT, ChangeKind, ChangeRequests
from simulator import Simulator
from tests.plugins.leaks import keep_secret
from tests.support.looks import Tabs, open_tabs
from tests.support.mounts import read_only, small_disk
from tests.support.processes import Process
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.sync import API_KEY, KEY, LEGUAS_FILES, read_files, write_files
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

GENERATE = "sync-generate-api_key"
SEND_ONLY_WHAT_IS_PRESSED = """const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
    const text = new TextDecoder().decode(data);
    return window.opsOnly && !text.includes(window.opsOnly) ? undefined : send.call(this, data);
};"""
"""With `opsOnly`, the key of a button, the page says nothing to the server but that it was pressed."""


StartAgent = Callable[..., Process]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The page, beside a gateway on which nothing happens."""
    with (
        Simulator(secret_key=SECRET, sessions=[SESSION]) as gateway,
        stack(gateway, tmp_path_factory.mktemp("sync")) as running,
    ):
        running.start_page()
        yield running


@pytest.fixture(scope="module")
def tabs(browser: Browser, product: Stack) -> Iterator[Tabs]:
    with open_tabs(browser, product) as opened:
        yield opened


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
def start_agent(product: Stack, folder: Path) -> Iterator[StartAgent]:
    """Start the sync agent on the page's data directory; nothing of it is left for the next story."""
    started: list[Process] = []

    def start(**changes: str) -> Process:
        sync_file = str(folder.parent / "sync.yml")
        started.append(
            product.start_program("tests.support.sync_agent", WPPCONNECT_SYNC_FILE=sync_file, **changes)
        )
        return started[-1]

    yield start
    for agent in started:
        agent.kill()
    store = FileStore(product.data / "store")
    store.remove(SUBJECT, store.read_all(SUBJECT))
    shutil.rmtree(product.data / "sync")


@pytest.fixture
def tab(start_agent: StartAgent, phone: Visitor) -> Visitor:
    """The administrator's sync page on a phone."""
    phone.open("/sync")
    return phone


def read(tab: Visitor, *texts: str, look: str) -> None:
    """Wait until the page says something, and look at it."""
    for text in texts:
        tab.reads(text)
    tab.look(f"sync/{look}", whole=True)


def test_a_new_key_is_planned_approved_written_and_taken_back(
    start_agent: StartAgent, folder: Path, tab: Visitor, desk: Visitor
) -> None:
    other_tab = desk
    other_tab.open("/sync")
    read(tab, "Nothing is set up yet.", look="nothing-yet")
    agent = start_agent()
    other_tab.reads("Nothing to write yet")

    other_tab.press("sync-generate-api_key")
    read(
        tab,
        "A new API key is created; the current one stops working.",
        "Written: leguas/.env, leguas/.env.docker, leguas/docker-compose.yml.",
        look="plan",
    )
    assert read_files(folder)[".env"] == LEGUAS_FILES[".env"].encode()
    other_tab.press("sync-approve")
    read(tab, "Done. The files contain the values; no container was checked.", look="done")

    key = (folder / ".env").read_text().partition(f"{KEY}=")[2].strip()
    keep_secret("API key", [key])
    assert key != "present-key-1234"
    assert f"{KEY}={key}" in (folder / "docker-compose.yml").read_text()
    tab.reads("The files are in sync")

    (folder / ".env").write_text(f"{KEY}=by-hand\n")
    read(tab, "Holds another value since", look="drifted")
    tab.press("sync-apply")
    tab.reads("Bring everything back in sync")
    tab.press("sync-approve")
    until(lambda: f"{KEY}={key}" in (folder / ".env").read_text(), what="the file in sync again")

    agent.stop()
    read(tab, "The sync agent is not running.", look="agent-gone")
    other_tab.reads("The sync agent is not running.")
    assert all(key not in one.page.content() for one in (tab, other_tab))


def test_what_stands_in_the_way_is_told_in_words_and_nothing_is_changed(
    start_agent: StartAgent, folder: Path, tab: Visitor, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    with small_disk(small, 8):
        (small / ".env").write_text(f"{KEY}=present-key-1234\n")
        text = (tmp_path / "sync.yml").read_text().replace("folders:\n", f"folders:\n  small: {small}\n")
        listed = text.replace("file:", "folder: leguas, file:")
        last = f"  - {{folder: small, file: .env, key: {KEY}, receives: api_key}}\n"
        (tmp_path / "sync.yml").write_text(listed + last)
        start_agent()

        with read_only(folder):
            tab.press("sync-generate-api_key")
            read(
                tab,
                "is on a read-only mount; mount its folder writable",
                "Nothing is written until this is resolved. Fix it, or leave it out.",
                look="read-only",
            )
            tab.press("sync-withdraw")
            tab.reads("Withdrawn. Nothing was changed.")

        ask_for_a_key(tab, "Written: leguas/.env")
        (folder / ".env").write_text(f"{KEY}=by-somebody-else\n")
        tab.press("sync-approve")
        read(
            tab,
            "Nothing was written: something changed since the plan was made; look at the new one",
            look="changed-meanwhile",
        )
        (small / "filler").write_bytes(b"x" * 4096)
        before = read_files(folder)
        tab.press("sync-approve")
        read(
            tab,
            "no space left on device; free space on that disk",
            "It failed. Changes already made were undone, unless stated otherwise.",
            look="disk-full",
        )
        assert read_files(folder) == before


def test_of_two_administrators_at_once_the_second_is_told(
    browser: Browser, start_agent: StartAgent, product: Stack, tabs: Tabs
) -> None:
    start_agent()
    other = ChangeRequests(FileStore(product.data / "store"))
    tab = Visitor(browser, product, "phone", signed_in=tabs.phone.context.storage_state())
    tab.page.add_init_script(SEND_ONLY_WHAT_IS_PRESSED)
    tab.open("/sync")
    tab.page.locator(f".st-key-{GENERATE} button:enabled").wait_for()

    # This tab does not ask what is new, so it has not heard of the other administrator when it is pressed.
    tab.page.evaluate("key => { window.opsOnly = key; }", GENERATE)
    tab.rests()
    other.place(ChangeKind.APPLY, actor="rui", generate=(API_KEY,))
    tab.press(GENERATE)
    tab.reads("Another change was started first.")
    tab.page.evaluate("window.opsOnly = ''")

    read(tab, "asked for by rui", look="somebody-else")
    order = other.current()
    assert order is not None
    assert order.actor == "rui"
    tab.close()


def test_engine_that_does_not_answer_is_told_beside_its_container(
    start_agent: StartAgent, folder: Path, tab: Visitor, tmp_path: Path
) -> None:
    with (tmp_path / "sync.yml").open("a") as file:
        file.write(f"containers:\n  - {{name: leguas_whatsapp_evolution, reads: [{KEY}]}}\n")
    start_agent(WPPCONNECT_DOCKER_HOST=f"unix://{tmp_path}/no-engine.sock")

    read(
        tab,
        "Must not be recreated",
        "The Docker Engine at unix://",
        "check that it runs and that this account may use its socket.",
        look="no-engine",
    )
    ask_for_a_key(tab, "Nothing is written until this is resolved. Fix it, or leave it out.")
    read(tab, "Leave out leguas_whatsapp_evolution", look="left-out")


def ask_for_a_key(tab: Visitor, answer: str) -> None:
    """Ask for a new key, and read what the plan says."""
    tab.press("sync-generate-api_key")
    tab.reads(answer)
