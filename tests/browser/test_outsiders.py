"""People who may not see a code, and people who are not signed in any more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response, WebSocket

from core.store import FileStore, History
from dashboard.auth import links
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import Role, open_users
from dashboard.theme.qr import qr_data_uri
from simulator import Simulator
from tests.support import quick_page
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

OTHER = "sales"
NUMBER = "+351 912 345 678"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with (
        Simulator(secret_key=SECRET, times=quick_page.TIMES, sessions=[SESSION, OTHER]) as gateway,
        stack(
            gateway,
            tmp_path_factory.mktemp("frames"),
            WPPCONNECT_INTERVAL_SECONDS="1",
            WPPCONNECT_WEBHOOK="none",
            WPPCONNECT_SESSIONS=f"{SESSION},{OTHER}",
        ) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def invitations(product: Stack) -> dict[str, str]:
    """Start the page with three users; returns by name the link with which each sets a password."""
    user_admin = user_admin_of(product)
    roles = {"boss": Role.OPERATOR, "vera": Role.VIEWER, "eva": Role.VIEWER}
    made = {name: user_admin.add(name, role, by="test") for name, role in roles.items()}
    product.start_page("tests.support.quick_page")
    return {name: f"{product.page_url}{links.PATH}#{link.token}" for name, link in made.items() if link}


@dataclass
class Sent:
    """All that the server sent to one tab: the page's frames, and a hand-off's answers."""

    visitor: Visitor
    frames: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.visitor.page.on("websocket", self._follow)
        self.visitor.page.on("response", lambda one: self.answers.append(one))

    def _follow(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.frames.append(as_text(frame)))

    def everything(self) -> str:
        """One text of it all."""
        states = [one for one in self.answers if "/hand-off/" in one.url]
        return "\n".join([*self.frames, *(one.text() for one in states if one.status == 200)])


def as_text(frame: bytes | str) -> str:
    """Read a binary frame so that every text in it is found."""
    return frame if isinstance(frame, str) else frame.decode("utf-8", errors="replace")


def user_admin_of(product: Stack) -> UserAdmin:
    """Change users as the command line does, beside the page."""
    store = FileStore(product.data / "store")
    return UserAdmin(open_users(store, product.data), History(product.data / "history"))


def link_by_qr(operator: Visitor, session: str) -> list[str]:
    """Re-pair by scanning; returns what nobody else may get."""
    operator.open_session(session)
    operator.press(f"repair-main-{session}")
    payload = operator.await_live_qr(session)
    return [payload, qr_data_uri(payload)]


def link_by_number(operator: Visitor, session: str) -> list[str]:
    """Ask for a code to type; returns what nobody else may get."""
    operator.page.get_by_role("tab", name="Pairing code").click()
    operator.page.get_by_label("Phone number with country code").fill(NUMBER)
    operator.press(f"code-main-{session}")
    code = until(lambda: operator.product.simulator.pairing_code(session), what="a pairing code")
    operator.reads(code[:4])
    return [code[:4], code[4:], code, NUMBER, NUMBER.replace(" ", "")[1:]]


def stored_tokens(data: Path) -> list[str]:
    """Every token of a gateway that is kept."""
    kept = [json.loads(path.read_text()) for path in (data / "store").glob("tokens.*.json")]
    return [text for text in strings(kept) if text.startswith("$2")]


def strings(value: object) -> Iterator[str]:
    """Every text in what JSON holds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def found(secrets: list[str], text: str) -> list[str]:
    """Which of them stand in a text."""
    return [one for one in secrets if one in text]


def test_neither_viewer_nor_hand_off_is_sent_what_links_another_phone(
    browser: Browser, product: Stack, invitations: dict[str, str]
) -> None:
    boss = Visitor(browser, product, "desktop")
    shown = Sent(boss)
    vera = Visitor(browser, product, "phone")
    seen = Sent(vera)
    boss.sign_in_first(invitations["boss"])
    vera.sign_in_first(invitations["vera"])
    boss.open_session(SESSION)
    boss.press(f"handoff-main-{SESSION}")
    link = boss.page.locator("[data-ops=handoff-link]").inner_text()
    helper = Visitor(browser, product, "phone")
    handed = Sent(helper)
    helper.page.goto(link)
    helper.page.get_by_role("button", name="Show the QR code").click()
    own = helper.await_live_qr()

    vera.open_session(OTHER)
    secrets = link_by_qr(boss, OTHER)
    vera.reads("Waiting for a scan")
    product.simulator.scan(OTHER, secrets[0])
    vera.reads("is connected")
    product.simulator.unlink(OTHER)
    boss.reads("Disconnected")
    secrets += link_by_number(boss, OTHER)
    vera.reads("Waiting for the code")
    product.simulator.enter_code(OTHER, secrets[4])
    vera.reads("is connected")
    vera.open("/")
    vera.reads(OTHER)

    kept = [SECRET, *stored_tokens(product.data)]
    assert set(found(secrets, shown.everything())) >= {secrets[1], secrets[2], secrets[3]}
    assert len(seen.frames) > 10
    assert len(kept) > 1
    assert found([*secrets, *kept, own, qr_data_uri(own), link.partition("#")[2]], seen.everything()) == []
    assert handed.frames == []
    assert qr_data_uri(own) in handed.everything()
    assert found([*secrets, *kept, OTHER], handed.everything()) == []
    for one in (boss, vera, helper):
        one.close()


def test_tab_whose_sign_in_ended_while_it_was_away_finds_the_way_back_in_its_language(
    browser: Browser, product: Stack, invitations: dict[str, str]
) -> None:
    eva = Visitor(browser, product, "phone", locale="pt-BR")
    eva.sign_in_first(invitations["eva"])
    eva.open_session(OTHER)
    eva.reads("Todas as sessões")

    assert product.page_process
    product.page_process.kill()
    user_admin_of(product).set_disabled("eva", True, by="test")
    eva.holds("getComputedStyle(document.querySelector('.stApp'), '::before').content.includes('conexão')")
    product.start_page("tests.support.quick_page")

    eva.page.get_by_label("Senha").wait_for()
    assert eva.page.input_value("input[name=next]") == f"/session?server=main&session={OTHER}"
    assert eva.kept_out() == []
    eva.close()
