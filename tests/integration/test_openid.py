"""Signing in at a real, certified OpenID Connect provider, and what happens when it is not there."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.support.chromium import new_tab
from tests.support.gate_server import (
    PASSWORD,
    Server,
    create_administrator,
    free_port,
    person,
    serving,
    sign_in,
)
from tests.support.openid import SECRET, OpenIdProvider, pass_through, providing

DEEP_LINK = "/session?server=main&session=sales"


@dataclass
class Site:
    """The page and its provider."""

    page: Server
    provider: OpenIdProvider


@contextmanager
def site(directory: Path, *, sub_path: str = "", **environ: str) -> Iterator[Site]:
    page_port, provider_port = free_port(), free_port()
    url = f"http://127.0.0.1:{page_port}{sub_path}"
    settings = {
        "DASHBOARD_EXTERNAL_URL": url,
        "DASHBOARD_OIDC_ISSUER": f"http://127.0.0.1:{provider_port}",
        "DASHBOARD_OIDC_CLIENT_ID": "wppconnect-ops",
        "DASHBOARD_OIDC_CLIENT_SECRET_FILE": str(directory / "secret"),
        "DASHBOARD_OIDC_NAME": "Example SSO",
        "DASHBOARD_OIDC_SCOPES": "openid profile email groups",
        "DASHBOARD_GROUP_ROLES": "wpp-admins=administrator,wpp=viewer",
        **environ,
    }
    (directory / "secret").write_text(SECRET)
    with (
        providing(provider_port, page=url, log=directory / "provider.log") as provider,
        serving(directory / "data", port=page_port, sub_path=sub_path, **settings) as page,
    ):
        create_administrator(page)
        yield Site(page, provider)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("openid")) as running:
        yield running


def begin(site: Site, visitor: requests.Session) -> str:
    """Press the button; returns the provider's address."""
    params = {"next": DEEP_LINK}
    answer = visitor.get(
        f"{site.page.url}/sign-in/provider", params=params, allow_redirects=False, timeout=60
    )
    assert answer.status_code == 302
    return answer.headers["location"]


def come_back(site: Site, login: str) -> tuple[requests.Session, requests.Response]:
    """Go all the way; returns the visitor and our answer to their return."""
    visitor = person(site.page)
    back = pass_through(visitor, begin(site, visitor), login=login)
    return visitor, visitor.get(back.headers["location"], allow_redirects=False, timeout=60)


def told(answer: requests.Response) -> str:
    return " ".join(re.findall(r'role="alert">([^<]*)', answer.text))


def is_in(site: Site, visitor: requests.Session) -> bool:
    answer = visitor.get(f"{site.page.url}/_stcore/health", allow_redirects=False, timeout=60)
    return answer.status_code == 200


@pytest.mark.parametrize(("login", "role"), [("ana", "administrator"), ("rui", "viewer")])
def test_person_is_in_with_the_role_of_their_groups_and_where_they_wanted_to_go(
    shared: Site, login: str, role: str
) -> None:
    visitor, answer = come_back(shared, login)

    account = visitor.get(f"{shared.page.url}/account", timeout=60).text
    assert (answer.status_code, answer.headers["location"]) == (303, DEEP_LINK)
    assert f"You are signed in as {login}, with the role {role}." in account
    assert "Your single sign-on signed you in." in account
    # They have no password here that they could change.
    assert 'name="current"' not in account


def test_there_and_back_also_below_a_path(tmp_path: Path) -> None:
    with site(tmp_path, sub_path="/wpp") as below:
        visitor, answer = come_back(below, "ana")

        leaving = visitor.get(
            f"{below.page.url}/sign-in/provider/sign-out", allow_redirects=False, timeout=60
        )

        assert (answer.status_code, answer.headers["location"]) == (303, f"/wpp{DEEP_LINK}")
        assert is_in(below, visitor)
        assert leaving.headers["location"].startswith(below.provider.issuer)
        assert "%2Fwpp%2Fsign-in" in leaving.headers["location"]


def test_second_sign_in_finds_the_same_account(shared: Site) -> None:
    come_back(shared, "rui")
    visitor, _ = come_back(shared, "rui")

    devices = visitor.get(f"{shared.page.url}/account", timeout=60).text.count('name="device"')

    # The first is listed as another device of the same person.
    assert devices >= 1


@pytest.mark.parametrize(
    ("login", "words"),
    [
        pytest.param("noe", "You are signed in there as noe, but have no access", id="in none of the groups"),
        pytest.param("<b>x", "characters that are not accepted", id="strange name"),
    ],
)
def test_person_without_access_is_told_whom_to_ask(shared: Site, login: str, words: str) -> None:
    visitor, answer = come_back(shared, login)

    assert answer.status_code == 403
    assert words in told(answer)
    assert "<b>x" not in answer.text
    assert not is_in(shared, visitor)


def test_return_opened_in_another_browser_signs_nobody_in(shared: Site) -> None:
    victim, attacker = person(shared.page), person(shared.page)
    back = pass_through(attacker, begin(shared, attacker), login="ana")

    answer = victim.get(back.headers["location"], allow_redirects=False, timeout=60)

    assert "started elsewhere or too long ago" in told(answer)
    assert not is_in(shared, victim)


def test_return_works_once(shared: Site) -> None:
    visitor = person(shared.page)
    back = pass_through(visitor, begin(shared, visitor), login="ana").headers["location"]
    flow = visitor.cookies["wppconnect_provider"]
    visitor.get(back, allow_redirects=False, timeout=60)
    again = person(shared.page)
    again.cookies.set("wppconnect_provider", flow)

    answer = again.get(back, allow_redirects=False, timeout=60)

    assert "started elsewhere or too long ago" in told(answer)
    assert not is_in(shared, again)


def test_person_who_turns_back_at_the_provider_is_told_so(shared: Site) -> None:
    visitor = person(shared.page)
    page = visitor.get(begin(shared, visitor), timeout=60)
    abort = re.findall(r'href="([^"]*/abort)"', page.text)[0]

    answer = visitor.get(requests.compat.urljoin(page.url, abort), timeout=60)

    assert "Example SSO did not sign you in, or you cancelled." in told(answer)
    assert not is_in(shared, visitor)


def test_sign_out_leads_on_to_the_provider_which_knows_the_way_back(shared: Site) -> None:
    visitor, _ = come_back(shared, "ana")
    url = shared.page.url
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', visitor.get(f"{url}/sign-out", timeout=60).text))

    out = visitor.post(f"{url}/sign-out", form | {"where": "here"}, timeout=60)
    leave = visitor.get(f"{url}/sign-in/provider/sign-out", timeout=60)

    assert "You are signed out." in out.text
    assert 'href="/sign-in/provider/sign-out"' in out.text
    assert leave.url.startswith(f"{shared.provider.issuer}/session/end?")
    assert "client_id=wppconnect-ops" in leave.url
    assert (leave.status_code, "Do you want to sign-out" in leave.text) == (200, True)
    assert not is_in(shared, visitor)


@pytest.mark.parametrize("where", ["https://evil.test", "//evil.test", "/\\evil.test", "/sign-in/provider"])
def test_deep_link_leads_to_no_other_site(shared: Site, where: str) -> None:
    visitor = person(shared.page)
    params = {"next": where}
    there = visitor.get(
        f"{shared.page.url}/sign-in/provider", params=params, allow_redirects=False, timeout=60
    )

    back = pass_through(visitor, there.headers["location"], login="ana")
    answer = visitor.get(back.headers["location"], allow_redirects=False, timeout=60)

    assert answer.headers["location"] == "/"


def test_provider_asks_whom_it_knows_once_more_before_it_confirms(shared: Site) -> None:
    visitor, _ = come_back(shared, "ana")
    before = confirmations(shared)
    begun = visitor.get(f"{shared.page.url}/sign-in/provider?confirm=yes", allow_redirects=False, timeout=60)
    where = begun.headers["location"]

    # Signed in there, and asked for the password nevertheless.
    assert "max_age=0" in where
    assert 'name="password"' in visitor.get(where, timeout=60).text
    back = pass_through(visitor, where, login="ana")
    answer = visitor.get(back.headers["location"], allow_redirects=False, timeout=60)

    assert (answer.status_code, answer.headers["location"]) == (303, "/confirm")
    assert confirmations(shared) == before + 1


def confirmations(site: Site) -> int:
    """Count the entries of the history about who confirmed."""
    files = (site.page.out.parent / "history").rglob("*.jsonl")
    return sum(file.read_text().count('"confirmed"') for file in files)


def test_nothing_secret_is_in_the_log(shared: Site) -> None:
    visitor, _ = come_back(shared, "ana")

    log = shared.page.log.read_text()

    assert SECRET not in log
    assert "code=" not in log
    assert visitor.cookies["wppconnect_sign_in"] not in log


@pytest.mark.browser
def test_button_leads_over_the_provider_into_the_page(shared: Site, chromium: Browser) -> None:
    page = new_tab(chromium, viewport={"width": 390, "height": 844})

    page.goto(f"{shared.page.url}/?server=main")
    page.get_by_role("link", name="Sign in with Example SSO").click()
    page.fill("input[name=login]", "ana")
    page.fill("input[name=password]", "any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_text("Hello ana, administrator; server is main.")).to_be_visible()
    page.context.close()


def test_provider_that_is_gone_is_named_and_a_password_still_works(tmp_path: Path) -> None:
    with site(tmp_path) as running:
        running.provider.stop()

        answer = person(running.page).get(
            f"{running.page.url}/sign-in/provider", allow_redirects=False, timeout=60
        )
        local = sign_in(running.page)

        assert answer.status_code == 502
        assert "Example SSO does not answer. Try again, or sign in with a password." in told(answer)
        assert is_in(running, local)
        assert PASSWORD not in running.page.log.read_text()


def test_provider_that_hangs_delays_nobody_else(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        port = free_port()
        settings = {
            "DASHBOARD_EXTERNAL_URL": f"http://127.0.0.1:{port}",
            "DASHBOARD_OIDC_ISSUER": issuer,
            "DASHBOARD_OIDC_CLIENT_ID": "wppconnect-ops",
        }
        with serving(tmp_path, port=port, **settings) as page:
            create_administrator(page)
            answers: list[int] = []
            hanging = threading.Thread(target=lambda: answers.append(begun(page)))
            hanging.start()
            connection, _ = silent.accept()
            with connection:
                local = sign_in(page)

                assert "wppconnect_sign_in" in local.cookies
                assert answers == []
            hanging.join(60)
            assert answers == [502]


def begun(page: Server) -> int:
    return person(page).get(f"{page.url}/sign-in/provider", allow_redirects=False, timeout=60).status_code
