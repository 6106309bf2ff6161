"""Measure the product's performance: page in a real Chromium, and processes, with a simulated gateway.

Run by `make bench`, on an idle machine; takes about fifteen minutes.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Browser, Page, expect, sync_playwright

from scripts.bench_calls import loads
from scripts.bench_faults import of_faults
from scripts.bench_floods import of_floods
from scripts.bench_processes import of_processes
from scripts.bench_scale import of_scale
from scripts.figures import Figure
from simulator import Simulator, Times
from tests.support.processes import Process
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.visitor import Visitor

CHROMIUM = "/usr/bin/chromium"
STARTS, LOADS, CLICKS, TABS, MANY = 5, 5, 20, 10, 300
TABS_SECONDS = 30.0
TICKS = os.sysconf("SC_CLK_TCK")

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'
ROW = '[class*="st-key-card-"], [class*="st-key-row-"]'
CLICK = """
([button, reaction]) => new Promise(done => {
  const began = performance.now();
  const watcher = new MutationObserver(() => {
    if (!document.querySelector(reaction)) return;
    watcher.disconnect();
    requestAnimationFrame(() => done(performance.now() - began));
  });
  watcher.observe(document.body, {childList: true, subtree: true, characterData: true});
  document.querySelector(button).click();
})
"""
"""Click a button and return after how many milliseconds its result is on the screen."""


def main() -> int:
    """Print the table. Return 1 if a limit is missed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        figures = [
            *of_one_session(browser),
            *of_many_sessions(browser),
            *of_processes(),
            *of_floods(),
            *of_faults(),
            *of_scale(),
        ]
        browser.close()
    for figure in figures:
        print(figure.line())
    for load in loads():
        print(load.line())
    return int(any(figure.measured >= figure.limit for figure in figures))


def of_one_session(browser: Browser) -> Iterator[Figure]:
    """Measure a cold start, clicks, and open tabs."""
    with product(SESSION) as running:
        page = running.start_page()
        visitor = Visitor(browser, running, "desktop")
        visitor.sign_in_first(running.first_link(page))
        starts = []
        for _ in range(STARTS):
            page.stop()
            began = time.monotonic()
            page = running.start_page()
            visitor.open("/")
            _await_rows(visitor.page)
            starts.append(1000 * (time.monotonic() - began))
        yield Figure("cold start of the page to the list, median", statistics.median(starts), 2500, "ms")
        yield Figure("click to reaction, median", statistics.median(_clicks(visitor)), 150, "ms")
        yield from _tabs(visitor, page)
        visitor.close()


def of_many_sessions(browser: Browser) -> Iterator[Figure]:
    """Measure the list with many sessions."""
    names = [f"session-{number:03}" for number in range(MANY)]
    with product(*names) as running:
        visitor = Visitor(browser, running, "desktop")
        visitor.sign_in_first(running.first_link(running.start_page()))
        _await_rows(visitor.page)
        loads = []
        for _ in range(LOADS):
            visitor.open("/settings")
            visitor.settle()
            loads.append(_through_the_menu(visitor.page))
        yield Figure(f"from another page to the list of {MANY}, median", statistics.median(loads), 1000, "ms")
        visitor.close()


@contextmanager
def product(*sessions: str) -> Iterator[Stack]:
    """Run a gateway and the product's stack, whose programs are started on demand."""
    with (
        Simulator(secret_key=SECRET, times=Times(scale=0.2), paired=list(sessions)) as simulator,
        tempfile.TemporaryDirectory() as directory,
        stack(simulator, Path(directory), Process, WPPCONNECT_SESSIONS=",".join(sessions)) as running,
    ):
        yield running


def _clicks(visitor: Visitor) -> list[float]:
    visitor.open_session()
    button = f".st-key-doctor-main-{SESSION} button"
    took = []
    for _ in range(CLICKS):
        expect(visitor.page.locator(button)).to_be_visible()
        took.append(visitor.page.evaluate(CLICK, [button, ".st-key-doctor-box .ops-waiting"]))
    return took


def _tabs(visitor: Visitor, process: Process) -> Iterator[Figure]:
    pages = [visitor.page, *(visitor.context.new_page() for _ in range(TABS - 1))]
    for number, page in enumerate(pages):
        path = f"/session?server=main&session={SESSION}" if number % 2 else "/"
        page.goto(visitor.product.page_url + path)
        expect(page.locator(IDLE)).to_be_visible()
    before = _cpu_seconds(process.pid)
    visitor.page.wait_for_timeout(1000 * TABS_SECONDS)
    percent = 100 * (_cpu_seconds(process.pid) - before) / TABS_SECONDS
    yield Figure(f"processor for {TABS} open tabs, of one core", percent, 10, "%")
    yield Figure(f"memory of the page with {TABS} open tabs", _resident_mb(process.pid), 200, "MB")


def _through_the_menu(page: Page) -> float:
    began = time.monotonic()
    page.locator(".st-key-ops-top").get_by_role("link", name="Sessions").click()
    _await_rows(page)
    return 1000 * (time.monotonic() - began)


def _await_rows(page: Page) -> None:
    expect(page.locator(ROW).first).to_be_visible()
    expect(page.locator(IDLE)).to_be_visible()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    raise SystemExit(main())
