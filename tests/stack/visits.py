"""What the tests of the running stack do again and again: sign in, pair, look inside a container."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.support.deployed import Deployed
from tests.support.stack import SESSION
from tests.support.visitor import Visitor
from tests.support.waiting import until

SERVICES = ("exporter", "page", "prometheus", "alertmanager", "grafana", "gateway")
OURS = ("exporter", "page")


def signed_in(browser: Browser, there: Deployed) -> Visitor:
    """Sign in, with the one-time link as long as there is one."""
    visitor = Visitor(browser, there, "phone")  # type: ignore[arg-type]
    visitor.open("/")
    if visitor.page.locator("input[name=password]").count():
        visitor.sign_in()
    else:
        visitor.sign_in_first(there.make("link").strip())
    return visitor


def connect(there: Deployed) -> None:
    """Make sure that the session is connected."""
    there.phone("POST", f"/control/sessions/{SESSION}/pair")
    until(lambda: there.connected() == "1", what="the exporter's sight of the session")


def scan_what_is_shown(visitor: Visitor, there: Deployed) -> None:
    """Scan the live code as soon as it is on the screen, and wait until the exporter sees it."""
    visitor.await_live_qr()
    there.phone("POST", f"/control/sessions/{SESSION}/scan")
    visitor.reads(f"{SESSION} is connected")
    until(lambda: there.connected() == "1", what="1 on the exporter")


def python(there: Deployed, service: str, code: str) -> str:
    """Run a program in a service's container."""
    done = there.container(service).exec_run(["python", "-c", code])
    assert done.exit_code == 0, done.output.decode()
    return str(done.output.decode())
