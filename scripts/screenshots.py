"""Take the README's screenshots: the real page with a simulated gateway, in a real Chromium.

Run by `make screenshots`. Writes pictures to docs/images/, everything else to the git-ignored screenshots/.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image, ImageChops
from playwright.sync_api import sync_playwright

from core.models import Reason
from simulator import Simulator, Times
from tests.support.played import Turn, played
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.visitor import PICTURES as ALL
from tests.support.visitor import Visitor

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "images"
MARGIN = 24
REMOVED = Reason.CLOSED_ON_GATEWAY
OUTAGE: tuple[Turn, ...] = ((400, "disconnected", REMOVED), (380, "connected", Reason.NONE))
SESSIONS = f"{SESSION},sales,support"


def main() -> int:
    """Take every screenshot at both widths, light and dark."""
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
        first = Visitor(browser, product, "desktop")
        first.sign_in_first(link)
        first.close()
        _take(Visitor(browser, product, "phone"), product)
        browser.close()
    for name in ("sessions-desktop-light.png", "pairing-phone-dark.png"):
        _without_empty_foot(Image.open(ALL / name)).save(PICTURES / name, optimize=True)
    return 0


def _without_empty_foot(picture: Image.Image) -> Image.Image:
    """Return the picture up to where the page ends."""
    flat = picture.convert("RGB")
    background = Image.new("RGB", flat.size, flat.getpixel((0, flat.height - 1)))
    box = ImageChops.difference(flat, background).getbbox()
    return picture.crop((0, 0, flat.width, min(flat.height, box[3] + MARGIN))) if box else picture


def _take(visitor: Visitor, product: Stack) -> None:
    visitor.open("/")
    visitor.look("sign-in")
    visitor.sign_in()
    visitor.reads("2 of 3 connected")
    visitor.settle()
    visitor.look("sessions")
    visitor.open("/settings")
    visitor.reads("Gateway main")
    visitor.settle()
    visitor.look("settings", whole=True)
    visitor.open_session()
    visitor.press(f"repair-main-{SESSION}")
    visitor.await_live_qr()
    visitor.look("pairing")
    product.simulator.scan(SESSION)
    visitor.reads(f"{SESSION} is connected")
    visitor.look("connected")
    product.simulator.unlink(SESSION)
    visitor.page.locator(f".st-key-repair-main-{SESSION}").wait_for()
    visitor.press(f"doctor-main-{SESSION}")
    visitor.reads("Copy report")
    visitor.look("doctor", whole=True)
    visitor.close()


if __name__ == "__main__":
    raise SystemExit(main())
