"""The examples of deploy/ with the real Caddy and nginx, TLS, and a real Chromium in front of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser

from core.store import History
from tests.support.certificates import Pair
from tests.support.gate_server import hidden_fields
from tests.support.published import Example, Published, Site, behind, publishing
from tests.support.reverse_proxies import PROXIES
from tests.support.stack import SESSION
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

ALERT = f"/session?server=main&session={SESSION}&pair=1"
COOKIE = "wppconnect_sign_in"
ELSEWHERE = "127.0.0.2"
"""Where the client comes from: loopback, too, but not where the proxy is."""


EXAMPLES = [
    Example("ops.example.org", "", {"caddy": "Caddyfile", "nginx": "wppconnect-ops.conf"}),
    Example("example.org", "/wpp", {"caddy": "Caddyfile.path", "nginx": "wppconnect-ops-path.conf"}),
]


@pytest.fixture(scope="module", params=EXAMPLES, ids=["own host", "below a path"])
def example(request: pytest.FixtureRequest) -> Example:
    found: Example = request.param
    return found


@pytest.fixture(scope="module")
def published(example: Example, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    with publishing(example, tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="module", params=sorted(PROXIES))
def site(
    request: pytest.FixtureRequest,
    published: Published,
    pair: Pair,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    with behind(request.param, published, pair, tmp_path_factory.mktemp("proxy")) as running:
        yield running


# Each proxy and each address once: the tests below ask the four examples without a browser.
@pytest.mark.parametrize(
    ("example", "site"),
    [(EXAMPLES[0], "caddy"), (EXAMPLES[1], "nginx")],
    ids=["caddy-own host", "nginx-below a path"],
    indirect=True,
)
def test_the_alerts_link_leads_over_the_sign_in_to_a_live_code_and_the_scan_ends_the_outage(
    browser: Browser, site: Site
) -> None:
    site.product.lose_the_phone()
    visitor = Visitor(browser, site.product, "phone", any_certificate=True)

    visitor.open(ALERT)
    visitor.sign_in()
    code = visitor.await_live_qr()
    site.product.simulator.scan(SESSION, code)
    visitor.reads(f"{SESSION} is connected")

    cookies = [(one["name"], one["path"], one["secure"]) for one in visitor.context.cookies()]
    sub_path = site.url.removeprefix(site.origin)
    prefix = "__Secure-" if sub_path else "__Host-"
    assert (f"{prefix}{COOKIE}", f"{sub_path}/", True) in cookies
    assert visitor.foreign_requests == []

    visitor.page.goto(f"{site.url}/sign-in/link#used-long-ago")
    visitor.reads("This link has been used or is no longer valid.")
    visitor.page.goto(f"{site.url}/hand-off#1.used-long-ago")
    visitor.page.locator("button:visible").first.click()
    visitor.reads("This link can no longer be used.")
    visitor.close()


def test_http_leads_to_https_which_browsers_shall_remember(site: Site) -> None:
    path = f"{site.url.removeprefix(site.origin)}/session?server=main&session=x"

    sent = requests.get(f"{site.http_url}{path}", allow_redirects=False, timeout=60)
    answer = site.person().get(f"{site.url}/sign-in", timeout=60)

    assert sent.status_code == 308
    assert sent.headers["location"].startswith("https://localhost")
    assert sent.headers["location"].endswith(path)
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=15552000"
    assert answer.headers["content-security-policy"]


def test_who_somebody_claims_to_be_and_where_from_does_not_count(site: Site) -> None:
    forged = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Real-IP": "10.9.9.9",
        "Forwarded": "for=10.9.9.9",
        "X-Forwarded-User": "admin",
    }
    person = site.person()
    form = hidden_fields(person.get(f"{site.url}/sign-in", timeout=60).text)

    # From another address of loopback, so that the proxy's own can be told from it.
    person.get_adapter(site.url).init_poolmanager(1, 1, source_address=(ELSEWHERE, 0))
    refused = person.post(
        f"{site.url}/sign-in", form | {"name": "admin", "password": "x"}, headers=forged, timeout=60
    )

    entries = History(site.product.data / "history").read(kinds=["sign_in"])
    assert refused.status_code == 401
    assert [entry.data["address"] for entry in entries][-1] == ELSEWHERE
    inside = person.get(f"{site.url}/account", headers=forged, allow_redirects=False, timeout=60)
    assert inside.status_code == 303


def test_websocket_opens_for_our_page_and_for_no_other(site: Site) -> None:
    somebody, nobody = site.signed_in(), site.person()

    def opens(person: requests.Session, origin: str) -> int:
        # By hand: the websocket library reads and writes one TLS connection in two threads, which Python's
        # ssl does not bear (about one handshake in a hundred was cut off).
        handshake = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": "streamlit",
            "Origin": origin,
        }
        with person.get(f"{site.url}/_stcore/stream", headers=handshake, stream=True, timeout=60) as answer:
            return answer.status_code

    assert opens(somebody, site.origin) == 101
    assert opens(somebody, "https://evil.test") == 403
    assert opens(nobody, site.origin) == 403


def test_large_bodies_end_at_the_proxy_and_nothing_else_is_published(site: Site) -> None:
    person = site.person()

    large = person.post(f"{site.url}/sign-in", {"name": "x" * 100_000}, timeout=60)
    metrics = person.get(f"{site.url}/metrics", allow_redirects=False, timeout=60)

    # Caddy says 502 of a body that it has cut off.
    assert large.status_code in (413, 502)
    assert metrics.status_code == 303
    assert "wppconnect_" not in metrics.text
