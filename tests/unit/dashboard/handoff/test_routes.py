import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgi_browser import Browser
from auth_world import World
from page_world import session
from starlette.applications import Starlette
from starlette.middleware import Middleware

from core.clock import now
from core.handoffs import MOST_ROUNDS, Event, Handoffs
from core.models import Account, QrCode, Verdict
from core.settings.values import SessionSettings
from core.store import FileStore, History
from dashboard.auth.gate import Gate, GateRules
from tests.support.handing_off import PlayedGateway, handoffs

PAYLOAD = "2@the-code-of-sales"
OTHER = "2@the-code-of-support"


class AuthContext:
    """The routes behind the real gate."""

    def __init__(self, directory: Path) -> None:
        self.moment = now()
        self.gateway = PlayedGateway()
        world = World(directory / "auth")
        self.routes = routes = handoffs(directory, world.rule, self.gateway, now=lambda: self.moment)
        self.kept = Handoffs(
            FileStore(directory / "store"), History(directory / "history").append, now=lambda: self.moment
        )
        paths = frozenset(route.path for route in routes.routes())
        rules = GateRules(
            authenticator=world.auth.authenticator,
            external_url=None,
            open_paths=paths,
            tab_frames=world.rules.tab_frames,
        )
        self.app = Starlette(routes=routes.routes(), middleware=[Middleware(Gate, rules=rules)])
        self.shows("sales", Verdict.WAITING_FOR_QR, PAYLOAD)

    def shows(self, name: str, verdict: Verdict, payload: str | None = None, **fields: Any) -> None:
        code = QrCode(payload=payload, first_seen=now()) if payload else None
        self.gateway.sessions = [one for one in self.gateway.sessions if one.session != name]
        self.gateway.sessions.append(session(name, verdict, since=now(), qr=code, **fields))

    def link(self, name: str = "sales") -> dict[str, str]:
        made, link = self.kept.make("main", name, maker="ana", minutes=10)
        return {"id": made.id, "token": link.split(".")[1]}

    def browser(self, **settings: Any) -> Browser:
        return Browser(self.app, **settings)


@pytest.fixture
def auth(tmp_path: Path) -> AuthContext:
    return AuthContext(tmp_path)


def test_only_the_press_of_the_button_uses_the_link_up(auth: AuthContext) -> None:
    link, preview, person = auth.link(), auth.browser(), auth.browser()

    page = preview.get("/hand-off")
    answer = person.post("/hand-off/open", link)

    assert page.status == 200
    assert "sales" not in page.text
    assert "ana" not in page.text
    assert "script-src 'self'; style-src 'self'" in page.text
    assert not preview.cookies
    assert (answer.status, json.loads(answer.text)["phase"]) == (200, "qr")
    assert auth.gateway.watched == {("main", "sales")}


@pytest.mark.parametrize(
    ("language", "words"), [("pt-PT", "telemóvel"), ("pt-BR", "celular"), ("en", "phone")]
)
def test_page_speaks_the_readers_language(auth: AuthContext, language: str, words: str) -> None:
    assert words in auth.browser().get("/hand-off", **{"accept-language": language}).text


def test_second_browser_gets_nothing_and_the_first_may_press_again(auth: AuthContext) -> None:
    link, first, second = auth.link(), auth.browser(), auth.browser()

    opened = first.post("/hand-off/open", link)

    assert opened.status == 200
    assert second.post("/hand-off/open", link).status == 404
    assert second.cookies == {}
    assert first.post("/hand-off/open", link).status == 200
    line = opened.set_cookies[f"wppconnect_hand_off_{link['id']}"]
    assert "HttpOnly" in line
    assert "SameSite=strict" in line
    assert "Max-Age=900" in line


def test_cookie_is_for_https_where_the_page_is(auth: AuthContext) -> None:
    link, browser = auth.link(), auth.browser(scheme="https")

    answer = browser.post("/hand-off/open", link)

    assert "Secure" in answer.set_cookies[f"__Host-wppconnect_hand_off_{link['id']}"]
    assert browser.post("/hand-off/state", {"id": link["id"]}).status == 200


@pytest.mark.parametrize("case", ["used", "expired", "revoked", "forged", "unknown", "malformed"])
@pytest.mark.parametrize("path", ["open", "state", "code", "number"])
def test_worthless_links_are_answered_alike(auth: AuthContext, case: str, path: str) -> None:
    link = auth.link()
    if case == "used":
        auth.browser().post("/hand-off/open", link)
    elif case == "expired":
        auth.moment += timedelta(minutes=11)
    elif case == "revoked":
        auth.kept.revoke(link["id"], actor="ana")
    else:
        link |= {
            "forged": {"token": "x" * 43},
            "unknown": {"id": "0" * 16},
            "malformed": {"id": "../x", "token": "é"},
        }[case]

    answer = auth.browser().post(f"/hand-off/{path}", link)

    assert (answer.status, answer.text, answer.set_cookies) == (404, "{}", {})
    assert auth.gateway.asked == []


def test_removed_makers_links_are_worthless_at_once(auth: AuthContext) -> None:
    link, other, browser = auth.link(), auth.link("support"), auth.browser()
    browser.post("/hand-off/open", link)
    auth.gateway.makers.clear()

    statuses = [
        browser.post(f"/hand-off/{path}", link).status for path in ("open", "state", "code", "number")
    ]

    assert statuses == [404] * 4
    assert auth.browser().post("/hand-off/open", other).status == 404


@pytest.mark.parametrize("end", ["expired", "revoked"])
def test_page_that_was_open_is_told_no_more_after_the_end(auth: AuthContext, end: str) -> None:
    link, browser = auth.link(), auth.browser()
    browser.post("/hand-off/open", link)
    if end == "expired":
        auth.moment += timedelta(minutes=11)
        auth.shows("sales", Verdict.DISCONNECTED)
        auth.routes.settle()
    else:
        auth.kept.revoke(link["id"], actor="ana")

    answer = browser.post("/hand-off/state", link)

    assert (answer.status, answer.text) == (404, "{}")


def test_code_on_the_screen_may_be_used_when_its_link_expires(auth: AuthContext) -> None:
    link, browser = auth.link(), auth.browser()
    browser.post("/hand-off/open", link)
    auth.moment += timedelta(minutes=10, seconds=20)
    auth.routes.settle()

    still = browser.post("/hand-off/state", link)
    auth.shows("sales", Verdict.CONNECTED)
    auth.routes.settle()
    linked = browser.post("/hand-off/state", link)

    assert json.loads(still.text)["phase"] == "qr"
    assert json.loads(linked.text)["phase"] == "linked"


def test_phone_that_was_linked_and_lost_within_a_second_has_used_its_link(auth: AuthContext) -> None:
    link, browser = auth.link(), auth.browser()
    browser.post("/hand-off/open", link)
    moment = auth.moment + timedelta(seconds=5)
    auth.moment += timedelta(seconds=10)
    auth.shows("sales", Verdict.DISCONNECTED, connected_since=moment, last_connected=moment, lost_at=moment)

    auth.routes.settle()

    found = auth.kept.newest("main", "sales")
    assert found is not None
    assert (found.end, found.ended_at) == (Event.SCANNED, moment)
    assert "disconnected again" in json.loads(browser.post("/hand-off/state", link).text)["text"]


@pytest.mark.parametrize("origin", ["https://evil.test", "null", ""])
@pytest.mark.parametrize("path", ["open", "state", "code", "number"])
def test_other_sites_are_refused_and_use_nothing_up(auth: AuthContext, path: str, origin: str) -> None:
    link, browser = auth.link(), auth.browser()

    assert browser.post(f"/hand-off/{path}", link, origin=origin).status == 403
    assert browser.post("/hand-off/open", link).status == 200


def test_one_hand_offs_cookie_shows_nothing_of_another_session(auth: AuthContext) -> None:
    auth.shows("support", Verdict.WAITING_FOR_QR, OTHER)
    one, other = auth.link("sales"), auth.link("support")
    mine, theirs = auth.browser(), auth.browser()
    seen = mine.post("/hand-off/open", one)
    shown_there = theirs.post("/hand-off/open", other)
    cookie = mine.cookies[f"wppconnect_hand_off_{one['id']}"]

    renamed = auth.browser(cookies={f"wppconnect_hand_off_{other['id']}": cookie})

    assert json.loads(seen.text)["qr"] != json.loads(shown_there.text)["qr"]
    assert "support" not in seen.text
    assert mine.post("/hand-off/state", {"id": other["id"]}).status == 404
    assert renamed.post("/hand-off/state", {"id": other["id"]}).status == 404


def test_code_is_asked_for_in_the_makers_name_and_not_without_end(auth: AuthContext) -> None:
    auth.shows("sales", Verdict.DISCONNECTED)
    link, browser = auth.link(), auth.browser()

    first = json.loads(browser.post("/hand-off/open", link).text)
    for _ in range(MOST_ROUNDS + 2):
        last = json.loads(browser.post("/hand-off/code", link).text)

    assert first["may_ask"]
    assert auth.gateway.asked == [("main", "sales", "hand-off of ana")] * MOST_ROUNDS
    assert (last["phase"], last["may_ask"]) == ("stopped", False)
    assert "ana" in last["text"]


def test_scan_is_told_to_the_browser_and_ends_the_link(auth: AuthContext) -> None:
    link, browser = auth.link(), auth.browser()
    browser.post("/hand-off/open", link)
    auth.shows("sales", Verdict.CONNECTED)

    state = json.loads(browser.post("/hand-off/state", link).text)

    assert (state["phase"], state["qr"]) == ("linked", "")
    assert state["text"] == "sales is connected"


def test_guessing_is_slowed_down_by_address(auth: AuthContext) -> None:
    guesser = auth.browser()
    forged = auth.link() | {"token": "x" * 43}

    statuses = [guesser.post("/hand-off/open", forged).status for _ in range(12)]

    assert statuses == [404] * 10 + [429] * 2


def test_tries_of_others_at_the_same_address_keep_nobody_from_a_good_link(auth: AuthContext) -> None:
    guesser, holder, link = auth.browser(), auth.browser(), auth.link()
    for _ in range(12):
        guesser.post("/hand-off/open", link | {"token": "x" * 43})

    assert holder.post("/hand-off/open", link).status == 200
    assert guesser.post("/hand-off/open", link).status == 429


def opened_for_a_number(auth: AuthContext) -> tuple[Browser, dict[str, str]]:
    """A browser that chose to type a code, of a session that nobody has started."""
    auth.shows("sales", Verdict.DISCONNECTED)
    link, browser = auth.link(), auth.browser()
    browser.post("/hand-off/open", link | {"way": "number"})
    return browser, link


def test_code_for_a_number_is_asked_for_before_any_other_and_the_number_kept_nowhere(
    auth: AuthContext, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    browser, link = opened_for_a_number(auth)
    asked_before = list(auth.gateway.asked)

    sent = browser.post("/hand-off/number", link | {"phone": "912 345 678"}, **{"accept-language": "pt-PT"})
    later = browser.post("/hand-off/state", link)

    assert asked_before == []
    assert auth.gateway.asked == [("main", "sales", "hand-off of ana")]
    assert auth.gateway.numbers == ["351912345678"]
    assert json.loads(sent.text)["number"] == "+351 912 345 678"
    assert json.loads(later.text)["number"] == ""
    kept = caplog.text + "".join(one.read_text() for one in tmp_path.rglob("*") if one.is_file())
    assert "handoff" in kept
    assert "912345678" not in kept.replace(" ", "")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "country code"), ("pt-PT", "indicativo do país"), ("pt-BR", "código do país")],
)
def test_number_that_is_none_is_explained_and_goes_nowhere(
    auth: AuthContext, language: str, words: str
) -> None:
    browser, link = opened_for_a_number(auth)

    answer = browser.post("/hand-off/number", link | {"phone": "12"}, **{"accept-language": language})

    assert words in json.loads(answer.text)["problem"]
    assert auth.gateway.asked == []


def test_no_code_for_a_number_is_asked_for_where_the_gateway_would_not_tell_it(auth: AuthContext) -> None:
    auth.gateway.obstacle = "code_not_visible"
    browser, link = opened_for_a_number(auth)

    state = json.loads(browser.post("/hand-off/number", link | {"phone": "+351912345678"}).text)

    assert (state["by_number"], state["may_ask"], state["number"]) == (False, True, "")
    assert auth.gateway.asked == []


def test_codes_for_numbers_are_no_more_than_those_of_a_link(auth: AuthContext) -> None:
    browser, link = opened_for_a_number(auth)
    sent = link | {"phone": "+351912345678"}

    for _ in range(MOST_ROUNDS + 2):
        last = json.loads(browser.post("/hand-off/number", sent).text)

    assert auth.gateway.numbers == ["351912345678"] * MOST_ROUNDS
    assert last["number"] == ""


def test_numbers_are_not_tried_without_end(auth: AuthContext) -> None:
    browser, link = opened_for_a_number(auth)

    statuses = [browser.post("/hand-off/number", link | {"phone": "12"}).status for _ in range(12)]

    assert statuses == [200] * 10 + [429] * 2
    assert browser.post("/hand-off/state", link).status == 200


def test_label_and_owner_are_told_to_who_opened_the_link_and_no_number(auth: AuthContext) -> None:
    auth.gateway.described = SessionSettings(
        name="sales", label="Shop in Lisbon", owner="Rui", note="Ring twice"
    )
    account = Account(seen_at=now(), number="5511900001234", push_name="Front desk")
    auth.shows("sales", Verdict.WAITING_FOR_QR, PAYLOAD, account=account)
    person = auth.browser()
    before = person.get("/hand-off").text

    answer = person.post("/hand-off/open", auth.link()).text

    assert json.loads(answer)["about"] == "Shop in Lisbon \u00b7 Phone holder: Rui"
    assert not [text for text in ("1234", "Front desk", "Ring twice") if text in answer]
    assert "Lisbon" not in before
