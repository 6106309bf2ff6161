"""Take the README's pictures: the real page beside a simulated gateway, in a real Chromium.

Run it by `make screenshots`; pictures land in docs/images/, everything else in the git-ignored screenshots/.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import sync_playwright

from core.models import Reason
from simulator import Simulator, Times
from tests.support.played import Turn, played
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.visitor import SLOW, Visitor

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "images"
ALL = ROOT / "screenshots"
REMOVED = Reason.CLOSED_ON_GATEWAY
OUTAGE: tuple[Turn, ...] = ((400, "disconnected", REMOVED), (380, "connected", Reason.NONE))
SESSIONS = f"{SESSION},sales,support"


def main() -> int:
    """Take every picture at both widths, light and dark."""
    ALL.mkdir(exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    times = Times(scale=0.2, auto_close=60, qr_first=60)
    with (
        tempfile.TemporaryDirectory() as directory,
        Simulator(secret_key=SECRET, times=times, paired=["sales", "support"]) as simulator,
        stack(simulator, Path(directory), WPPCONNECT_SESSIONS=SESSIONS) as product,
        sync_playwright() as playwright,
    ):
        with played(product.data) as past:
            past.knows(SESSION, (20_000, "connected", Reason.NONE), (21, "disconnected", REMOVED))
            past.knows("sales", (20_000, "connected", Reason.NONE))
            past.knows("support", (20_000, "connected", Reason.NONE), *OUTAGE)
            past.publish()
        product.start_exporter()
        link = product.first_link(product.start_page())
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for size in ("desktop", "phone"):
            for scheme in schemes:
                visitor = Visitor(browser, product, size, scheme=scheme)
                link = _take(visitor, link, f"{size}-{scheme}", product)
        browser.close()
    for name in ("sessions-desktop-light.png", "pairing-phone-dark.png"):
        (PICTURES / name).write_bytes((ALL / name).read_bytes())
    return 0


def _take(visitor: Visitor, link: str, suffix: str, product: Stack) -> str:
    if link:
        visitor.sign_in_first(link)
    else:
        visitor.open("/")
        visitor.page.screenshot(path=ALL / f"sign-in-{suffix}.png")
        visitor.sign_in()
    visitor.reads("2 of 3 connected")
    visitor.settle()
    visitor.page.screenshot(path=ALL / f"sessions-{suffix}.png")
    visitor.open("/settings")
    visitor.reads("Gateway main")
    visitor.settle()
    visitor.page.screenshot(path=ALL / f"settings-{suffix}.png", full_page=True)
    visitor.open_session()
    visitor.press(f"repair-main-{SESSION}")
    visitor.await_live_qr()
    visitor.page.screenshot(path=ALL / f"pairing-{suffix}.png")
    product.simulator.scan(SESSION)
    visitor.reads(f"{SESSION} is connected")
    visitor.page.screenshot(path=ALL / f"connected-{suffix}.png")
    product.simulator.unlink(SESSION)
    visitor.page.locator(f".st-key-repair-main-{SESSION}").wait_for(timeout=SLOW)
    visitor.press(f"doctor-main-{SESSION}")
    visitor.reads("Copy as text")
    visitor.page.screenshot(path=ALL / f"doctor-{suffix}.png", full_page=True)
    visitor.close()
    return ""


if __name__ == "__main__":
    raise SystemExit(main())
