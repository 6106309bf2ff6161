"""An authentication server says who people are: the examples of deploy/ with the real Caddy and nginx."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.auth_server import AuthServer, auth_server
from tests.support.certificates import Pair
from tests.support.published import Example, Published, Site, behind, publishing
from tests.support.reverse_proxies import PROXIES
from tests.support.stack import SESSION
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

ALERT = f"/session?server=main&session={SESSION}&pair=1"
FILES = {"caddy": "Caddyfile.forward-auth", "nginx": "wppconnect-ops-forward-auth.conf"}
QUICKLY = """const later = window.setInterval;
window.setInterval = (work, pause, ...rest) => later(work, pause === 30000 ? 500 : pause, ...rest);"""
"""What an open tab asks for each half minute, twice a second."""
ANA = ("ana@example.org", "wpp-ops")


@pytest.fixture(scope="module", params=["", "/wpp"], ids=["own host", "below a path"])
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    with publishing(
        Example("ops.example.org", request.param, FILES),
        tmp_path_factory.mktemp("page"),
        DASHBOARD_AUTH_PROXY_HEADER="X-Forwarded-User",
        DASHBOARD_AUTH_PROXY_GROUPS_HEADER="X-Forwarded-Groups",
        DASHBOARD_GROUP_ROLES="wpp-ops=operator,wpp-admins=administrator",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def auth() -> Iterator[AuthServer]:
    with auth_server() as running:
        yield running


@pytest.fixture(scope="module", params=sorted(PROXIES))
def site(
    request: pytest.FixtureRequest,
    published: Published,
    pair: Pair,
    auth: AuthServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("proxy")
    with behind(request.param, published, pair, directory, auth_port=auth.port) as running:
        yield running


# One example for both addresses: with each proxy, and with each address, the browser's way is the same.
@pytest.mark.parametrize(
    ("published", "site"),
    [("", "caddy"), ("/wpp", "nginx")],
    ids=["caddy-own host", "nginx-below a path"],
    indirect=True,
)
def test_who_is_known_there_is_signed_in_here_and_who_is_taken_out_there_is_out_here(
    browser: Browser, site: Site, auth: AuthServer
) -> None:
    auth.people = {"ana": ANA}
    site.product.lose_the_phone()
    visitor = Visitor(browser, site.product, "phone", any_certificate=True)
    visitor.page.add_init_script(QUICKLY)

    visitor.open(ALERT)
    visitor.reads("Who are you?")
    visitor.page.get_by_role("link", name="I am Ana").click()
    code = visitor.await_live_qr()
    site.product.simulator.scan(SESSION, code)
    visitor.reads(f"{SESSION} is connected")
    expect(visitor.page.locator(".ops-who")).to_contain_text(ANA[0])

    auth.people.clear()
    visitor.reads("Who are you?")
    visitor.close()


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ("wpp-ops", "You are signed in as bob@example.org, with the role operator."),
        ("", "You are signed in there as bob@example.org, but have no access to this page."),
    ],
    ids=["with groups", "without groups"],
)
def test_who_somebody_claims_to_be_does_not_count(
    site: Site, auth: AuthServer, groups: str, words: str
) -> None:
    auth.people = {"bob": ("bob@example.org", groups)}
    forged = {"X-Forwarded-User": "ana@example.org", "X-Forwarded-Groups": "wpp-admins"}
    person = site.person()

    stranger = person.get(f"{site.url}/account", headers=forged, timeout=60)
    person.cookies.set("sso", "bob")
    known = person.get(f"{site.url}/sign-in?next=/account", headers=forged, timeout=60)

    assert "Who are you?" in stranger.text
    assert "ana@" not in known.text
    assert words in known.text


def test_hand_off_links_need_no_account_there_and_open_nothing_else(site: Site, auth: AuthServer) -> None:
    auth.people = {}
    person = site.person()

    answers = {
        path: person.get(f"{site.url}{path}", allow_redirects=False, timeout=60)
        for path in ("/hand-off", "/hand-off/assets/hand-off.js", "/sign-in/assets/sign-in.css", "/hand-offs")
    }

    assert [answer.status_code for answer in answers.values()] == [200, 200, 200, 403]
    assert "Who are you?" in answers["/hand-offs"].text
