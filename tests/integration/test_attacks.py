"""What somebody without a sign-in tries against the real server: each way in, and ways to wear it out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from core.store import FileStore, History, modify
from dashboard.auth.gate import MAX_TABS
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import open_users
from dashboard.serving.connections import CONNECTION_LIMIT
from dashboard.serving.streamlit_adapter import rerun_frame
from tests.support.gate_server import (
    Server,
    add_user,
    cookie_of,
    create_administrator,
    hidden_fields,
    open_stream,
    person,
    read_for_ever,
    serving,
    sign_in,
)
from tests.support.waiting import until

PATHS = [
    "/",
    "//",
    "/sessions",
    "/settings",
    "/index.html",
    "/_stcore/health",
    "/_stcore/health/",
    "/_stcore%2fhealth",
    "/%5fstcore/health",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/_stcore/stream",
    "/_stcore/upload_file/session/file",
    "/_stcore/agent",
    "/_stcore/agent/openapi.json",
    "/_stcore/bidi-components/x/y",
    "/media/0123.png",
    "/component/x/index.html",
    "/static/index.html",
    "/app/static/x",
    "/auth/login",
    "/oauth2callback",
    "/favicon.png",
    "/SIGN-IN",
    "/sign-in.",
    "/sign-in/",
    "//sign-in",
    "/sign-in%2f",
    "/sign-in;x",
    "/sign-in/../_stcore/health",
    "/sign-in/%2e%2e/_stcore/health",
    "/sign-in/assets/..%2f..%2f_stcore%2fhealth",
    "/sign-in/_stcore/health",
    "/-/healthy/",
]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "get"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("attacks")) as running:
        create_administrator(running)
        yield running


@pytest.fixture(scope="module")
def signed_out_cookie(server: Server) -> str:
    person = sign_in(server)
    cookie = cookie_of(person)
    form = hidden_fields(person.get(f"{server.url}/sign-out").text) | {"where": "here"}
    person.post(f"{server.url}/sign-out", form, timeout=60)
    return cookie


def ask(server: Server, head: str, source: str = "127.0.0.1") -> bytes:
    """Send a request as it stands, which clients would tidy up, and return the status line."""
    with connected(server, source) as connection:
        connection.sendall(head.encode("latin-1"))
        return connection.makefile("rb").readline()


def head_of(server: Server, method: str, target: str, *headers: str) -> str:
    """Write a request as a script on our own page would send it, so that only the sign-in is missing."""
    own = [f"Host: 127.0.0.1:{server.port}", f"Origin: {server.url}", "Content-Length: 0"]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *own, *headers, "", ""])


def is_cut(connection: socket.socket, seconds: float = 60) -> bool:
    """Tell whether the server closes the connection within this time."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("absolute", [False, True], ids=["path", "absolute address"])
def test_no_route_answers_without_a_sign_in(
    server: Server, signed_out_cookie: str, path: str, absolute: bool
) -> None:
    target = f"{server.url}{path}" if absolute else path
    cookies = ([], ["Cookie: wppconnect_sign_in=forged"], [f"Cookie: wppconnect_sign_in={signed_out_cookie}"])

    answers = {
        ask(server, head_of(server, method, target, *cookie)).split()[1]
        for method in METHODS
        for cookie in cookies
    }

    assert answers == {b"401"}


@pytest.mark.parametrize("path", ["/_stcore/stream", "/", "/sign-in", "/-/healthy", "/media/0123.png"])
@pytest.mark.parametrize("kind", ["none", "forged", "signed out"])
def test_no_websocket_opens_without_a_sign_in(
    server: Server, signed_out_cookie: str, path: str, kind: str
) -> None:
    cookie = {"none": None, "forged": "x" * 43, "signed out": signed_out_cookie}[kind]

    with pytest.raises(InvalidStatus) as refused, open_stream(server, cookie, server.url, path):
        pytest.fail("it was opened")

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.test", "http://127.0.0.1", "http://127.0.0.1:1", "file://", "{}.evil.test"],
)
def test_no_foreign_page_opens_a_websocket_or_posts_a_form(server: Server, origin: str | None) -> None:
    person = sign_in(server)
    form = hidden_fields(person.get(f"{server.url}/sign-out").text) | {"where": "everywhere"}
    foreign = origin.format(server.url) if origin else None
    del person.headers["Origin"]

    with (
        pytest.raises(InvalidStatus) as refused,
        open_stream(server, cookie_of(person), foreign),
    ):
        pytest.fail("it was opened")
    posted = person.post(f"{server.url}/sign-out", form, headers={"Origin": foreign} if foreign else {})

    assert refused.value.response.status_code == 403
    assert posted.status_code == 403
    assert person.get(f"{server.url}/_stcore/health", timeout=60).status_code == 200


@pytest.mark.parametrize(
    "next_address",
    [
        "https://evil.test",
        "//evil.test",
        "/\\evil.test",
        "/\t/evil.test",
        "///evil.test",
        "javascript:alert(1)",
    ],
)
def test_sign_in_leads_to_no_other_site(server: Server, next_address: str) -> None:
    answer = sign_in(server).get(
        f"{server.url}/sign-in", params={"next": next_address}, allow_redirects=False, timeout=60
    )

    assert answer.headers["Location"] == "/"


def test_browser_cannot_fill_the_memory_by_one_message(server: Server) -> None:
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        while sent < 60:
            yield bytes(1_000_000)
            sent += 1

    cookie = cookie_of(sign_in(server))
    with open_stream(server, cookie, server.url) as stream, suppress(ConnectionClosed):
        stream.send(parts())

    assert sent < 40  # Five, and what the sockets hold.


@pytest.mark.parametrize(
    ("origin", "status"), [("http://ops.example.org", 403), ("https://ops.example.org", 303)]
)
def test_form_of_another_scheme_than_the_published_one_is_refused(
    tmp_path: Path, origin: str, status: int
) -> None:
    published = {"DASHBOARD_EXTERNAL_URL": "https://ops.example.org", "DASHBOARD_SECURE_COOKIE": "false"}
    with serving(tmp_path, **published) as server:
        visitor = create_administrator(server)
        form = hidden_fields(visitor.get(f"{server.url}/sign-out").text) | {"where": "here"}
        headers = {"Origin": origin, "Host": "ops.example.org"}

        answer = visitor.post(f"{server.url}/sign-out", form, headers=headers, allow_redirects=False)

    assert answer.status_code == status


def test_good_link_is_taken_from_an_address_that_has_to_wait(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        create_administrator(server)
        for number in range(6):
            sign_in(server, f"wrong password {number}")
        stranger = sign_in(server)
        users = open_users(FileStore(tmp_path / "store"), tmp_path)
        token = UserAdmin(users, History(tmp_path / "history")).new_link("admin", by="shell").token

        visitor = person(server)
        form = hidden_fields(visitor.get(f"{server.url}/sign-in/link").text) | {"token": token}
        answer = visitor.post(f"{server.url}/sign-in/link", form, allow_redirects=False)

    # The right password has to wait, too; the link does not.
    assert "wppconnect_sign_in" not in stranger.cookies
    assert answer.status_code == 303


def test_websocket_of_a_removed_user_is_cut(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        cookie = cookie_of(create_administrator(server))
        with open_stream(server, cookie, server.url) as stream:
            modify(FileStore(tmp_path / "store"), "users", "admin", lambda _value: None)
            with pytest.raises(ConnectionClosed):
                read_for_ever(stream)

        assert (
            ask(server, head_of(server, "GET", "/", f"Cookie: wppconnect_sign_in={cookie}")).split()[1]
            == b"401"
        )


def test_session_of_a_tab_is_resumed_only_by_the_account_that_opened_it(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        owner, other = cookie_of(create_administrator(server)), other_user(server, tmp_path)
        with open_stream(server, owner, server.url, "/_stcore/stream") as stream:
            session = session_of(stream)

        taken = open_stream(server, other, server.url, session=session, account="admin")
        with taken as stream:
            assert session_of(stream) != session
        # Its own account finds it as it was, by another sign-in, too.
        again = cookie_of(sign_in(server))
        with open_stream(server, again, server.url, session=session) as stream:
            assert session_of(stream) == session
            # Nor is it taken away while its tab is open.
            with open_stream(server, other, server.url, session=session) as second:
                assert session_of(second) != session
            stream.ping().wait(60)


def test_tabs_of_one_user_are_limited_in_words_and_those_of_others_are_not(tmp_path: Path) -> None:
    with serving(tmp_path) as server, ExitStack() as held:
        person = create_administrator(server)
        cookie, other = cookie_of(person), other_user(server, tmp_path)
        path = "/_stcore/stream"
        tabs = [held.enter_context(open_stream(server, cookie, server.url, path)) for _ in range(MAX_TABS)]

        refused = person.get(server.url, headers={"Accept-Language": "pt-BR"}, timeout=60)
        with pytest.raises(InvalidStatus), open_stream(server, cookie, server.url, path):
            pytest.fail("it was opened")

        assert (refused.status_code, "<title>Abas demais" in refused.text) == (429, True)
        # Other pages answer, and other people have tabs of their own.
        assert person.get(f"{server.url}/account", timeout=60).status_code == 200
        with open_stream(server, other, server.url, path):
            tabs[0].close()
        until(lambda: person.get(server.url, timeout=60).status_code == 200, what="room for a tab")


def other_user(server: Server, data: Path) -> str:
    """Return the cookie of a second administrator."""
    add_user(data, "bruno")
    return cookie_of(sign_in(server, name="bruno"))


def session_of(stream: ClientConnection) -> str:
    """Ask for the page as a browser does, and return the id of the session that answers."""
    stream.send(rerun_frame())
    while True:
        message = ForwardMsg()
        message.ParseFromString(bytes(stream.recv(timeout=60, decode=False)))
        if message.WhichOneof("type") == "new_session":
            return str(message.new_session.initialize.session_id)


@pytest.mark.parametrize(
    "header", ["Cookie: a=" + "x" * 9000, "\r\n".join(f"X-{number}: 1" for number in range(150))]
)
def test_websocket_with_huge_headers_is_answered_and_does_not_hang(server: Server, header: str) -> None:
    upgrade = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]

    assert ask(server, head_of(server, "GET", "/_stcore/stream", *upgrade, header)).split()[1] == b"431"


@pytest.mark.parametrize("body", ["zz\r\n", "\0"])
def test_garbage_leaves_no_line_in_the_log(server: Server, body: str) -> None:
    written = server.log.read_text()
    head = head_of(server, "GET", "/-/healthy").replace("Content-Length: 0", "Transfer-Encoding: chunked")

    for late in (head, ""):
        with connected(server) as connection:
            connection.sendall(late.encode())
            if late:
                connection.recv(65536)
            connection.sendall(f"{body}\r\n\r\n".encode())
            assert is_cut(connection)

    assert server.log.read_text() == written


@pytest.mark.parametrize("begun", ["", "GET / HTTP/1.1\r\nX: "], ids=["silent", "begun"])
def test_unfinished_requests_that_take_all_places_keep_nobody_out(tmp_path: Path, begun: str) -> None:
    # A server of its own: what another test still holds would count. Nobody's time runs out meanwhile.
    with serving(tmp_path, TEST_REQUEST_SECONDS="600") as server, ExitStack() as held:
        crowd = []
        for number in range(CONNECTION_LIMIT):
            crowd.append(held.enter_context(connected(server, f"127.0.0.{2 + number // 300}")))
            crowd[-1].sendall(begun.encode())

        assert ask(server, head_of(server, "GET", "/-/healthy")).split()[1] == b"200"
        assert any(is_cut(one, seconds=0.01) for one in crowd[:10])
        assert not any(is_cut(one, seconds=0.01) for one in crowd[-10:])


def test_flood_from_the_address_of_a_tab_does_not_end_it(tmp_path: Path) -> None:
    with serving(tmp_path, TEST_REQUEST_SECONDS="600") as server, ExitStack() as held:
        cookie = cookie_of(create_administrator(server))
        with open_stream(server, cookie, server.url) as stream:
            crowd = [held.enter_context(connected(server)) for _ in range(CONNECTION_LIMIT)]

            assert is_cut(crowd[-1])
            assert stream.ping().wait(60)


def test_clients_that_never_finish_do_not_use_up_the_sockets(tmp_path: Path) -> None:
    with serving(tmp_path, TEST_REQUEST_SECONDS="0.5") as server, ExitStack() as held:
        without_end, unread, silent = (held.enter_context(connected(server)) for _ in range(3))
        without_end.sendall(b"GET / HTTP/1.1\r\nX: ")
        unread.sendall(head_of(server, "POST", "/").replace("Length: 0", "Length: 99999").encode())

        assert is_cut(without_end)
        assert is_cut(silent)
        until(lambda: is_refused(unread, b"x"), what="the end of a body that nobody reads")
        assert requests.get(f"{server.url}/-/healthy", timeout=60).ok


def connected(server: Server, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60, source_address=(source, 0))


def is_refused(connection: socket.socket, data: bytes) -> bool:
    try:
        connection.sendall(data)
    except ConnectionError:
        return True
    return False
