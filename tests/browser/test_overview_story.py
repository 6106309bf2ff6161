"""The list, the activity, pauses and several sessions at once, at a desk and on a phone."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.models import Reason
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore
from simulator import Simulator, Times
from tests.support.played import Turn, played
from tests.support.stack import SECRET, Stack, stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

NAMES = [f"shop-{number:03}" for number in range(300)]
CLOSED, NONE = Reason.CLOSED_ON_GATEWAY, Reason.NONE
ROW = "[class*='st-key-row-']"
WATCH_THE_BUTTON = """() => {
    window.opsSeen = new Set();
    const look = () => {
        const button = document.querySelector(".st-key-select-all button");
        if (button) {
            const { x, y } = button.getBoundingClientRect();
            window.opsSeen.add(`${Math.round(x)} ${Math.round(y)}`);
        }
        requestAnimationFrame(look);
    };
    look();
}"""
"""Note where "Select all" is drawn, in every frame: what moves away under a finger is not pressed."""


def life(number: int) -> list[Turn]:
    """A session's last days; a few are in trouble now."""
    turns: list[Turn] = [(20_000, "connected", NONE), (600, "disconnected", CLOSED), (560, "connected", NONE)]
    match number % 50:
        case 3:
            turns.append((40, "disconnected", CLOSED))
        case 7:
            turns.append((20, "unresponsive", Reason.PAGE_NOT_ANSWERING))
    return turns


def administrator(browser: Browser, product: Stack, size: str) -> Visitor:
    """Set the administrator's password in a new tab."""
    visitor = Visitor(browser, product, size)
    visitor.sign_in_first(product.first_link(product.start_page()))
    return visitor


@pytest.fixture(scope="module")
def tab_of_many(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The page beside a prober that the test plays: 300 sessions with a past."""
    with ExitStack() as ending:
        simulator = ending.enter_context(Simulator(secret_key=SECRET))
        directory = tmp_path_factory.mktemp("many")
        product = ending.enter_context(stack(simulator, directory, WPPCONNECT_SESSIONS=",".join(NAMES)))
        prober = ending.enter_context(played(product.data))
        for number, name in enumerate(NAMES):
            prober.knows(name, *life(number))
        prober.publish()
        settings = SettingsSource(load_environment(product.environment), FileStore(product.data / "store"))
        tagged = settings.saved().with_session("main", "shop-057", tags="Norte")
        settings.save(tagged.with_session("main", "shop-107", tags="norte"), expected_revision=0, actor="ana")
        visitor = administrator(browser, product, "phone")
        yield visitor
        visitor.close()


@pytest.fixture
def many(tab_of_many: Visitor) -> Iterator[Visitor]:
    """The list of those sessions."""
    tab_of_many.open("/")
    tab_of_many.page.locator(ROW).first.wait_for()
    yield tab_of_many
    tab_of_many.leave()


def test_problems_stand_first_and_a_search_finds_the_rest(many: Visitor) -> None:
    visitor = many
    first = visitor.page.locator(ROW).first
    expect(first).to_contain_text("Disconnected")
    expect(first).to_contain_text(re.compile(r"9\d\.\d+ % 24 h"))
    expect(visitor.page.locator(ROW)).to_have_count(25)
    visitor.look("overview/list")

    visitor.page.get_by_role("searchbox").fill("shop-123")
    expect(visitor.page.locator(ROW)).to_have_count(1)

    assert "find=shop-123" in visitor.page.url
    assert visitor.foreign_requests == []


def test_a_link_keeps_what_is_looked_for_and_a_click_opens_the_session(many: Visitor) -> None:
    visitor = many

    visitor.open("/?verdict=unresponsive&tag=Norte")
    expect(visitor.page.locator(ROW)).to_have_count(2)
    visitor.page.get_by_role("searchbox").fill("shop-05")
    expect(visitor.page.locator(ROW)).to_have_count(1)
    visitor.page.get_by_role("link", name="shop-057").click()

    visitor.reads("Uptime and outages")
    visitor.reads("1 × removed on the phone, or closed elsewhere")
    visitor.look("overview/history", whole=True)
    assert "session=shop-057" in visitor.page.url


def test_a_search_without_a_find_says_the_way_back(many: Visitor) -> None:
    visitor = many

    visitor.page.get_by_role("searchbox").fill("nobody")
    visitor.reads("No session matches.")
    visitor.look("overview/nothing-found")
    visitor.press("show-all")

    expect(visitor.page.locator(ROW)).to_have_count(25)


def test_the_activity_is_narrowed_and_taken_along_as_a_file(many: Visitor, tmp_path: Path) -> None:
    visitor = many

    visitor.open("/activity?session=shop-003&period=30d")
    visitor.reads("Removed on the phone, or closed by someone else.")
    visitor.look("overview/activity", whole=True)
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download as CSV").click()
    download.value.save_as(tmp_path / "activity.csv")

    text = (tmp_path / "activity.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["Session"] for row in rows} == {"shop-003"}
    assert [row["Event"] for row in rows] == ["Disconnected", "Connected", "Disconnected", "Connected"]


def test_outages_are_incidents_and_the_months_report_is_taken_along(many: Visitor, tmp_path: Path) -> None:
    visitor = many

    visitor.open("/incidents?period=30d")
    expect(visitor.page.locator(".ops-incidents tbody tr").first).to_contain_text("so far")
    visitor.look("overview/incidents")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download as Markdown").click()
    download.value.save_as(tmp_path / "incidents.md")

    assert (tmp_path / "incidents.md").read_text().startswith("# Incidents: ")


@pytest.fixture(scope="module")
def tab_of_living(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """The page beside a simulated gateway on which three sessions are paired."""
    paired = ["sales", "support", "shop"]
    times = Times(scale=0.1)
    with (
        Simulator(secret_key=SECRET, times=times, paired=paired) as simulator,
        stack(simulator, tmp_path_factory.mktemp("living"), WPPCONNECT_SESSIONS=",".join(paired)) as product,
    ):
        visitor = administrator(browser, product, "desktop")
        yield visitor
        visitor.close()


@pytest.fixture
def living(tab_of_living: Visitor) -> Iterator[Visitor]:
    """The list of those sessions."""
    tab_of_living.open("/")
    tab_of_living.page.locator(ROW).first.wait_for()
    yield tab_of_living
    tab_of_living.leave()


def test_several_sessions_are_paused_with_a_reason_and_resumed(living: Visitor) -> None:
    visitor = living
    visitor.reads("All 3 connected")

    visitor.page.evaluate(WATCH_THE_BUTTON)
    visitor.press("select")
    visitor.press("select-all")
    visitor.reads("3 selected")
    assert visitor.page.evaluate("window.opsSeen.size") == 1
    visitor.press("fleet-pause")
    visitor.page.get_by_label("Reason (visible to everyone)").fill("disk swap")
    visitor.look("overview/pause")
    visitor.press("fleet-yes-pause")
    visitor.reads("Paused by admin until ")
    visitor.reads("disk swap")
    expect(visitor.page.locator(f"{ROW} .ops-badge", has_text="Paused")).to_have_count(3)
    visitor.look("overview/paused")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)
    visitor.press("select")
    visitor.press("select-all")
    visitor.reads("3 selected")
    visitor.press("fleet-resume")
    visitor.press("fleet-yes-resume")

    visitor.reads("All 3 connected")


def test_several_sessions_are_started_one_after_the_other(living: Visitor) -> None:
    visitor = living
    visitor.reads("All 3 connected")
    for name in ("sales", "support"):
        visitor.open(f"/session?server=main&session={name}")
        visitor.unfold(f".st-key-more-main-{name}")
        visitor.press(f"close-main-{name}")
        visitor.press(f"close-yes-main-{name}")
        visitor.reads("Disconnected")

    visitor.open("/")
    visitor.press("select")
    visitor.press("select-all")
    visitor.reads("3 selected")
    visitor.press("fleet-start")
    visitor.reads("shop: already connected")
    visitor.look("overview/start-preview")
    visitor.press("fleet-yes-start")

    visitor.reads("admin is starting several sessions: 2 of 2 done.")
    visitor.reads("All 3 connected")
    visitor.look("overview/started")
    visitor.press("fleet-dismiss")
    until(lambda: not visitor.page.locator(".st-key-fleet-progress").count(), what="the result taken away")
