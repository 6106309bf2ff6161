"""The real server: Streamlit behind the gate, asked by requests, websockets and a real Chromium."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core.store import History
from tests.support.chromium import close_tab, new_tab
from tests.support.gate_server import (
    PASSWORD,
    Server,
    cookie_of,
    create_administrator,
    free_port,
    hidden_fields,
    open_stream,
    read_for_ever,
    serving,
    sign_in,
    start,
)
from tests.support.processes import ROOT
from tests.support.waiting import until

TITLE = "Behind the gate"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("gate")) as running:
        create_administrator(running)
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    opened = new_tab(chromium)
    yield opened
    close_tab(opened)


def sign_in_by_form(page: Page) -> None:
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/_stcore/health",
        "/_stcore/host-config",
        "/_stcore/metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/stream",
        "/media/0123.png",
        "/component/x/index.html",
        "/static/js/index.js",
        "/favicon.png",
        "/app/static/x",
        "/auth/login",
        "/oauth2callback",
        "//",
        "/%2e%2e/",
    ],
)
def test_nothing_of_streamlit_is_reached_without_sign_in(server: Server, path: str) -> None:
    answer = requests.get(f"{server.url}{path}", allow_redirects=False, timeout=60)

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/_stcore/health", "/_stcore/host-config", "/favicon.png", "/"])
def test_signed_in_person_reaches_streamlit(server: Server, path: str) -> None:
    answer = sign_in(server).get(f"{server.url}{path}", timeout=60)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "script-src 'self' 'sha256-" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("has_cookie", "origin"),
    [(False, "own"), (True, None), (True, "http://evil.test"), (True, "null")],
)
def test_websocket_needs_a_sign_in_and_the_own_origin(
    server: Server, has_cookie: bool, origin: str | None
) -> None:
    cookie = cookie_of(sign_in(server)) if has_cookie else None

    with (
        pytest.raises(InvalidStatus) as refused,
        open_stream(server, cookie, server.url if origin == "own" else origin),
    ):
        pytest.fail("it was opened")

    assert refused.value.response.status_code == 403


def test_websocket_of_a_signed_in_person_is_cut_after_the_sign_out(server: Server) -> None:
    session = sign_in(server)
    form = hidden_fields(session.get(f"{server.url}/sign-out").text) | {"where": "here"}

    with open_stream(server, cookie_of(session), server.url) as stream:
        session.post(f"{server.url}/sign-out", form, timeout=60)
        with pytest.raises(ConnectionClosed) as closed:
            read_for_ever(stream)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_websocket_of_the_published_address_opens_behind_a_proxy(
    tmp_path: Path,
) -> None:
    published = "https://ops.example.org"
    with serving(tmp_path, DASHBOARD_EXTERNAL_URL=published, DASHBOARD_SECURE_COOKIE="false") as server:
        cookie = cookie_of(create_administrator(server))

        with open_stream(server, cookie, published) as stream:
            assert stream.subprotocol == "streamlit"


@pytest.mark.parametrize(
    ("proxies", "address", "secure"),
    [("", "127.0.0.1", False), ("127.0.0.1", "198.51.100.9", True), ("10.0.0.0/8", "127.0.0.1", False)],
)
def test_forwarded_headers_are_believed_only_from_configured_proxies(
    tmp_path: Path, proxies: str, address: str, secure: bool
) -> None:
    with serving(tmp_path, DASHBOARD_TRUSTED_PROXIES=proxies) as server:
        create_administrator(server)

        sign_in(server, **{"X-Forwarded-For": "198.51.100.9"})
        shown = requests.get(f"{server.url}/sign-in", headers={"X-Forwarded-Proto": "https"}, timeout=60)

        newest = History(tmp_path / "history").read(newest_first=True)[0]
        assert newest.data == {"outcome": "signed_in", "address": address}
        assert [cookie.secure for cookie in shown.cookies] == [secure]
        assert shown.headers.get("Strict-Transport-Security") == ("max-age=15552000" if secure else None)


def test_restart_keeps_people_signed_in_and_makes_no_new_link(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        session = create_administrator(first)
        first.stop()

    with serving(tmp_path, port=first.port) as second:
        answer = session.get(f"{second.url}/_stcore/health", timeout=60)

        assert answer.status_code == 200
        assert second.out.read_text() == ""


def test_each_start_without_users_makes_a_new_link(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        old = first.link
        first.stop()

    with serving(tmp_path) as second:
        assert second.link.partition("#")[2] != old.partition("#")[2]


def test_without_terminal_the_link_is_in_a_closed_file(tmp_path: Path) -> None:
    file = tmp_path / "first-sign-in-link"

    with serving(tmp_path, DASHBOARD_PRINT_LINK="0") as server:
        until(file.exists, what="the file")
        token = file.read_text().strip().partition("#")[2]

        assert file.stat().st_mode & 0o777 == 0o600
        assert server.out.read_text() == ""
        assert str(file) in server.log.read_text()
        assert token not in server.log.read_text()


def test_sigterm_ends_with_zero_within_two_seconds_whatever_is_open(tmp_path: Path) -> None:
    with serving(tmp_path) as server, ExitStack() as open_things:
        session = create_administrator(server)
        for _ in range(3):
            open_things.enter_context(open_stream(server, cookie_of(session), server.url))
        half_a_form = open_things.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        half_a_form.sendall(
            f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: {server.url}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nname=a".encode()
        )

        assert server.stop() == 0


def test_sigterm_while_starting_ends_with_zero(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, signal, time; from dashboard.serving.stopping import StopSignals\n"
            "with StopSignals().handled(): print('ready', flush=True); time.sleep(60)",
        ],
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    process.stdout.readline()

    process.terminate()

    assert process.wait(60) == 0
    process.stdout.close()


def test_taken_port_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path, port)
        process.wait()

    assert f"DASHBOARD_LISTEN_ADDRESS: 127.0.0.1:{port} is taken by another program" in process.printed()


@pytest.mark.browser
def test_page_works_under_the_policy_without_any_request_elsewhere(server: Server, page: Page) -> None:
    complaints: list[str] = []
    addresses: list[str] = []
    page.on("console", lambda message: complaints.extend(complaint(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: addresses.append(request.url))
    page.on("websocket", lambda websocket: addresses.append(websocket.url.replace("ws:", "http:")))

    page.goto(f"{server.url}/?server=main&session=sales")
    sign_in_by_form(page)
    expect(page.get_by_text("server is main")).to_be_visible()
    page.get_by_role("button", name="Press").click()
    expect(page.get_by_text("Pressed")).to_be_visible()

    assert page.url == f"{server.url}/?server=main&session=sales"
    assert [one for one in addresses if not one.startswith(server.url)] == []
    assert f"{server.url}/_stcore/stream" in addresses
    assert complaints == []


@pytest.mark.browser
def test_link_signs_the_administrator_in_and_leaves_no_trace_in_the_address(
    tmp_path: Path, page: Page
) -> None:
    with serving(tmp_path) as server:
        page.goto(server.link)
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        in_between = page.url
        page.get_by_label("New password again").fill(PASSWORD)
        page.get_by_role("button", name="Set password and sign in").click()

        expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
        assert in_between == f"{server.url}/sign-in/password"
        assert "#" not in page.evaluate("document.referrer")
        assert server.link.partition("#")[2] not in server.log.read_text()


@pytest.mark.browser
def test_sign_out_in_one_tab_empties_the_other(server: Server, page: Page) -> None:
    page.goto(server.url)
    sign_in_by_form(page)
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    other = page.context.new_page()
    other.goto(f"{server.url}/sign-out")

    other.get_by_role("button", name="Sign out", exact=True).click()

    expect(other.get_by_text("You are signed out.")).to_be_visible()
    expect(page.get_by_role("heading", name=TITLE)).to_be_hidden()
    expect(page.get_by_text("Ticking")).to_be_hidden()


def complaint(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type in {"error", "warning"} else []
