"""Outages as the people on call live through them: the shipped files in real tools, thirty times as fast."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from tests.plugins.system_tools import require
from tests.support.chromium import chromium
from tests.support.gate_server import PASSWORD, set_first_password
from tests.support.monitored import LOST, NEW, QUIET, SESSIONS, Monitored, Notice, monitored
from tests.support.visitor import SIZES
from tests.support.waiting import until

require("prometheus", "prometheus-alertmanager", "chromium")

pytestmark = [pytest.mark.prometheus, pytest.mark.browser]

DISCONNECTED = "WppconnectSessionDisconnected"
GATEWAY = "WppconnectGatewayUnreachable"
BLIND = "WppconnectExporterAbsent"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    with monitored(tmp_path_factory.mktemp("story")) as chain:
        yield chain


@pytest.fixture
def chain(running: Monitored) -> Iterator[Monitored]:
    yield running
    running.mend()


def look_from_the_mail(chain: Monitored, mail: EmailMessage) -> None:
    """Tap the button of a mail, then its runbook, on a phone that is not signed in."""
    part = mail.get_body(("html",))
    assert isinstance(part, EmailMessage)
    set_first_password(chain.page.first_link(chain.page.start_page()))
    with chromium() as browser:
        phone = browser.new_page(viewport=SIZES["phone"], color_scheme="dark")
        phone.set_content(part.get_content())
        runbook = phone.get_by_role("link", name="Runbook").get_attribute("href")
        assert runbook is not None
        phone.get_by_role("link", name="Open the session").click()
        phone.fill("input[name=name]", "admin")
        phone.fill("input[name=password]", PASSWORD)
        phone.click("button")
        body = phone.locator("body")
        expect(body).to_contain_text("Disconnected")
        expect(body).to_contain_text(re.compile(f"(pair|code).*{LOST}", re.I))
        assert phone.url == f"{chain.page.page_url}/session?server=main&session={LOST}"
        phone.goto(runbook)
        expect(phone.locator(f"section#{DISCONNECTED.lower()}")).to_be_in_viewport()


def test_unlinked_phone_is_one_page_with_a_link_and_one_end(chain: Monitored) -> None:
    chain.enable(LOST, is_enabled=True)
    chain.await_state(LOST, "connected")
    chain.rest()
    chain.enable(QUIET, is_enabled=False)
    until(lambda: chain.page.connected(QUIET) is None, what="the pause")
    began = time.time()

    chain.simulator.unlink(LOST)
    chain.simulator.unlink(QUIET)
    chain.await_state(LOST, "disconnected")
    chain.let_a_code_expire(LOST)
    received, annotations = chain.await_notice(Notice(DISCONNECTED, LOST, "firing"), began)
    look_from_the_mail(chain, chain.mail(f"[FIRING] {LOST} on main", began))
    chain.let_a_code_expire(LOST)
    chain.kill_exporters()
    chain.start_exporters()
    chain.let_a_code_expire(LOST)
    chain.start_session(LOST)
    scanned = time.time()
    chain.simulator.scan(LOST)
    ended, farewell = chain.await_notice(Notice(DISCONNECTED, LOST, "resolved"), began)
    legs = chain.legs(DISCONNECTED, "wppconnect_session_connected", began, received, session=LOST)
    chain.rest()

    print(f"unlinked: {legs}; resolved notice {ended - scanned:.1f} s after the scan")
    # Where the machine is busy, exporters take longer to start than a thirtieth of their three minutes.
    told = [one for one in chain.notices(began) if one.alert != BLIND]
    assert told == [Notice(DISCONNECTED, LOST, "firing"), Notice(DISCONNECTED, LOST, "resolved")]
    # Another story may just have restarted the gateway, which is blamed for what follows within a minute.
    assert annotations["reason"] == farewell["reason"]
    assert annotations["reason"] in ("closed on gateway", "gateway restarted")
    assert annotations["verdict"] in ("disconnected", "waiting for qr", "starting")
    assert annotations["since"] == farewell["since"]
    assert chain.page.connected(NEW) == "0"
    assert chain.page.connected(QUIET) is None


def test_gateway_that_dies_with_its_sessions_is_one_page(chain: Monitored) -> None:
    began = chain.rest()

    chain.simulator.stop_gateway()
    received, annotations = chain.await_notice(Notice(GATEWAY, "", "firing"), began)
    down = {session: chain.page.connected(session) for session in SESSIONS}
    chain.simulator.start_gateway()
    chain.await_notice(Notice(GATEWAY, "", "resolved"), began)
    legs = chain.legs(GATEWAY, "wppconnect_up", began, received)
    chain.rest()

    print(f"gateway killed: {legs}")
    assert down == dict.fromkeys(SESSIONS, "0")
    assert chain.notices(began) == [Notice(GATEWAY, "", "firing"), Notice(GATEWAY, "", "resolved")]
    assert annotations["dashboard_url"] == f"{chain.page.page_url}/"


def test_exporters_that_die_are_one_page_of_their_own(chain: Monitored) -> None:
    began = chain.rest()

    chain.kill_exporters()
    received, _ = chain.await_notice(Notice(BLIND, "", "firing"), began)
    chain.start_exporters()
    chain.await_notice(Notice(BLIND, "", "resolved"), began)
    legs = chain.legs(BLIND, "up", began, received, job="wppconnect")
    chain.rest()

    print(f"exporters killed: {legs}")
    assert chain.notices(began) == [Notice(BLIND, "", "firing"), Notice(BLIND, "", "resolved")]
