"""Every route of the page, listed by the app itself, for everybody who must not get through.

A new route is walked without being written down here; one that shall be open to everybody has to be.
All of it twice: published at the root of a host, and below a path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from core.handoffs import Handoffs
from core.store import FileStore, History
from tests.support.gate_server import (
    Server,
    create_administrator,
    free_port,
    hidden_fields,
    serving,
    sign_in,
    start,
)

OPEN = {
    "/-/healthy",
    "/hand-off",
    "/hand-off/assets/hand-off.css",
    "/hand-off/assets/hand-off.js",
    "/hand-off/code",
    "/hand-off/number",
    "/hand-off/open",
    "/hand-off/state",
    "/sign-in",
    "/sign-in/assets/keep-fragment.js",
    "/sign-in/assets/link.js",
    "/sign-in/assets/mark.svg",
    "/sign-in/assets/passkey.js",
    "/sign-in/assets/sign-in.css",
    "/sign-in/link",
    "/sign-in/passkey",
    "/sign-in/password",
    "/sign-in/provider",
    "/sign-in/provider/callback",
    "/sign-in/provider/sign-out",
}
"""All that answers without a sign-in. Whoever adds a path here opens it to the whole world."""

FOR_SCRIPTS = {"Sec-Fetch-Mode": "cors"}
FORGED = {
    "X-Forwarded-User": "admin",
    "X-Forwarded-Groups": "wpp-admins",
    "X-Forwarded-For": "10.9.9.9",
    "Forwarded": "for=10.9.9.9;by=10.9.9.9",
    "X-Real-IP": "10.9.9.9",
    "Remote-User": "admin",
    "X-Original-URL": "/sign-in",
    "X-Rewrite-URL": "/sign-in",
    "X-Forwarded-Prefix": "/sign-in",
}
COOKIE = "wppconnect_sign_in"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
    # Nobody came by https here, whatever a header says.
    "Strict-Transport-Security": None,
}


@pytest.fixture(scope="module", params=["", "/tools/wpp"], ids=["at the root", "below a path"])
def sub_path(request: pytest.FixtureRequest) -> str:
    """The path under which the page is published."""
    return str(request.param)


@pytest.fixture(scope="module")
def settings(sub_path: str) -> dict[str, str]:
    """Every way to sign in is switched on; neither proxy nor provider are there."""
    return {
        "DASHBOARD_TRUSTED_PROXIES": "10.9.9.9",
        "DASHBOARD_AUTH_PROXY_HEADER": "X-Forwarded-User",
        "DASHBOARD_AUTH_PROXY_GROUPS_HEADER": "X-Forwarded-Groups",
        "DASHBOARD_OIDC_ISSUER": f"http://127.0.0.1:{free_port()}",
        "DASHBOARD_OIDC_CLIENT_ID": "wppconnect-ops",
        "DASHBOARD_GROUP_ROLES": "wpp-admins=administrator",
        "DASHBOARD_UNKNOWN_USER_ROLE": "administrator",
        "DASHBOARD_EXTERNAL_URL": f"http://127.0.0.1:{free_port()}{sub_path}",
    }


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str], sub_path: str
) -> Iterator[Server]:
    port = urlsplit(settings["DASHBOARD_EXTERNAL_URL"]).port
    with serving(tmp_path_factory.mktemp("routes"), port=port, sub_path=sub_path, **settings) as running:
        create_administrator(running)
        yield running


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> list[tuple[str, str]]:
    """Path and kind of each route, its parameters filled in."""
    folder = tmp_path_factory.mktemp("list")
    assert start(folder, free_port(), "tests.support.list_routes", **settings).wait() == 0
    lines = (folder / "stdout").read_text().splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [(filled(route["path"]), route["kind"]) for route in found]


def filled(path: str) -> str:
    """Put something in the place of a route's parameters."""
    return re.sub(r"\{\w+(:\w+)?\}", lambda match: "x/y" if match[1] else "x", path) or "/"


@pytest.fixture(scope="module")
def signed_out(server: Server) -> str:
    """The cookie of somebody who has signed out."""
    person = sign_in(server)
    cookie = person.cookies[COOKIE]
    form = hidden_fields(person.get(f"{server.url}/sign-out", timeout=60).text) | {"where": "here"}
    person.post(f"{server.url}/sign-out", form, timeout=60)
    return cookie


@pytest.fixture(scope="module")
def signed_in(server: Server) -> str:
    """The cookie of the administrator."""
    return sign_in(server).cookies[COOKIE]


@pytest.fixture(scope="module")
def handed(server: Server) -> str:
    """The cookie of a browser that holds a good hand-off."""
    data = server.log.parent
    kept = Handoffs(FileStore(data / "store"), History(data / "history").append)
    made, link = kept.make("main", "sales", maker="ana", minutes=10)
    opened = kept.open(link)
    assert opened
    return f"wppconnect_hand_off_{made.id}={opened[1]}"


def closed(routes: list[tuple[str, str]]) -> list[str]:
    """All paths but the open ones, and some that Streamlit answers for everything else."""
    paths = {path for path, kind in routes if kind != "WebSocketRoute"} - OPEN
    return sorted(paths | {"/", "/sessions", "/settings", "/users", "/media/x.png", "/static/js/index.js"})


def statuses(server: Server, paths: list[str], method: str, headers: dict[str, str]) -> dict[str, int]:
    """Ask for every path and keep the answers that are no refusal."""
    with requests.Session() as client:
        client.headers.update(FOR_SCRIPTS | headers)
        answers = {
            path: client.request(method, f"{server.url}{path}", allow_redirects=False, timeout=60).status_code
            for path in paths
        }
    return {path: status for path, status in answers.items() if status not in (401, 403)}


def test_the_app_lists_its_routes(routes: list[tuple[str, str]]) -> None:
    paths = {path for path, _ in routes}

    assert len(paths) > 25
    assert paths >= OPEN | {"/account", "/sign-out", "/runbooks", "/_stcore/stream"}
    assert any(path.startswith("/media") for path in paths)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "who", ["nobody", "a signed-out cookie", "an invented cookie", "forged headers", "a hand-off"]
)
def test_no_closed_route_answers(
    server: Server, routes: list[tuple[str, str]], signed_out: str, handed: str, who: str, method: str
) -> None:
    headers = {
        "nobody": {},
        "a signed-out cookie": {"Cookie": f"{COOKIE}={signed_out}"},
        "an invented cookie": {"Cookie": f"{COOKIE}=admin; __Host-{COOKIE}=admin"},
        "forged headers": FORGED,
        "a hand-off": {"Cookie": f"{handed}; {COOKIE}={handed.partition('=')[2]}"},
    }[who]

    answered = statuses(server, closed(routes), method, {"Origin": server.origin, **headers})

    assert answered == {}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("origin", ["https://evil.test", "null", ""])
def test_no_route_takes_anything_from_another_site_even_when_signed_in(
    server: Server, routes: list[tuple[str, str]], signed_in: str, method: str, origin: str
) -> None:
    paths = [*closed(routes), *sorted(OPEN)]

    answered = statuses(server, paths, method, {"Origin": origin, "Cookie": f"{COOKIE}={signed_in}"})

    assert answered == {}


@pytest.mark.parametrize("sub_path", ["/tools/wpp"], ids=["below a path"], indirect=True)
def test_nothing_but_the_health_check_answers_beside_the_path(
    server: Server, routes: list[tuple[str, str]], signed_in: str
) -> None:
    paths = [*closed(routes), *sorted(OPEN)]
    with requests.Session() as client:
        client.headers["Cookie"] = f"{COOKIE}={signed_in}"
        answers = {path: client.get(f"{server.origin}{path}", timeout=60).status_code for path in paths}

    assert [path for path, status in answers.items() if status != 404] == ["/-/healthy"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_open_paths_show_nothing_of_streamlit(server: Server, method: str) -> None:
    with requests.Session() as client:
        client.headers.update({"Origin": server.origin})
        answers = {
            path: client.request(method, f"{server.url}{path}", allow_redirects=False, timeout=60)
            for path in sorted(OPEN)
        }

    drawn = [path for path, answer in answers.items() if "streamlit" in answer.text.lower()]
    assert drawn == []
    assert answers["/hand-off/open"].status_code == (415 if method == "POST" else 405)


@pytest.mark.parametrize("who", ["nobody", "the administrator", "another site", "somebody beside the path"])
def test_every_answer_bears_the_security_headers(
    server: Server, routes: list[tuple[str, str]], signed_in: str, who: str
) -> None:
    paths = [*closed(routes), *sorted(OPEN), "/static/no-such-file.js", "/no/such/page", "/%00"]
    method = "POST" if who == "another site" else "GET"
    base = server.origin if who == "somebody beside the path" else server.url
    with requests.Session() as client:
        client.headers.update({"X-Forwarded-Proto": "https", "Origin": "https://evil.test"})
        client.headers.update({"Cookie": f"{COOKIE}={signed_in}"} if who == "the administrator" else {})

        answers = {
            path: client.request(method, f"{base}{path}", allow_redirects=False, timeout=60) for path in paths
        }

    bare = {
        path: name
        for path, answer in answers.items()
        for name, value in SECURITY_HEADERS.items()
        if answer.headers.get(name) != value
    }
    framed = [
        path
        for path, answer in answers.items()
        if "frame-ancestors 'none'" not in answer.headers.get("Content-Security-Policy", "")
    ]
    assert (bare, framed) == ({}, [])
    assert len({answer.status_code for answer in answers.values()}) > 1 or who == "another site"


def test_signed_in_person_gets_through_where_the_others_did_not(server: Server, signed_in: str) -> None:
    paths = ["/", "/_stcore/health", "/account", "/runbooks"]

    answered = statuses(server, paths, "GET", {"Cookie": f"{COOKIE}={signed_in}"})

    assert answered == dict.fromkeys(paths, 200)


@pytest.mark.parametrize(
    ("cookie", "origin", "headers"),
    [
        pytest.param(None, "own", {}, id="without a sign-in"),
        pytest.param("signed out", "own", {}, id="signed out"),
        pytest.param(None, "own", FORGED, id="forged headers"),
        pytest.param("signed in", "https://evil.test", {}, id="another site"),
        pytest.param("signed in", "null", {}, id="an opaque site"),
        pytest.param("signed in", None, {}, id="no site"),
        pytest.param("twice", "own", {}, id="two cookies"),
        pytest.param("handed", "own", {}, id="a hand-off"),
    ],
)
def test_no_websocket_opens(
    server: Server,
    routes: list[tuple[str, str]],
    signed_in: str,
    signed_out: str,
    handed: str,
    cookie: str | None,
    origin: str | None,
    headers: dict[str, str],
) -> None:
    values = {
        "signed in": f"{COOKIE}={signed_in}",
        "signed out": f"{COOKIE}={signed_out}",
        "twice": f"{COOKIE}={signed_in}; {COOKIE}={signed_in}",
        "handed": handed,
    }
    sent = headers | ({"Cookie": values[cookie]} if cookie else {})
    sockets = [path for path, kind in routes if kind == "WebSocketRoute"]
    assert "/_stcore/stream" in sockets

    for path in sockets:
        with pytest.raises(InvalidStatus) as refused:
            connect(
                f"ws://127.0.0.1:{server.port}{server.sub_path}{path}",
                origin=Origin(server.origin if origin == "own" else origin) if origin else None,
                subprotocols=[Subprotocol("streamlit")],
                additional_headers=sent,
                proxy=None,
            )
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "token", ["", "x", "a" * 5000], ids=["no token", "an invented token", "a very long token"]
)
def test_used_expired_or_invented_one_time_links_give_nothing(server: Server, token: str) -> None:
    used = server.link.partition("#")[2]
    with requests.Session() as client:
        client.headers.update({"Accept": "text/html", "Origin": server.origin})
        form = hidden_fields(client.get(f"{server.url}/sign-in/link", timeout=60).text)

        answers = [
            client.post(
                f"{server.url}/sign-in/link", form | {"token": one}, allow_redirects=False, timeout=60
            )
            for one in (token, used)
        ]

        assert [answer.status_code for answer in answers] == [403, 403]
        assert "wppconnect_grant" not in client.cookies


@pytest.mark.parametrize("case", ["used", "expired", "revoked", "invented"])
def test_used_or_expired_hand_off_link_gives_nothing(server: Server, case: str) -> None:
    moment = datetime.now(UTC) - timedelta(hours=1 if case == "expired" else 0)
    data = server.log.parent
    kept = Handoffs(FileStore(data / "store"), History(data / "history").append, now=lambda: moment)
    made, link = kept.make("main", f"sales-{case}", maker="ana", minutes=10)
    if case == "used":
        assert kept.open(link)
    elif case == "revoked":
        kept.revoke(made.id, actor="ana")
    number, token = link.split(".")
    token = "x" * 43 if case == "invented" else token
    with requests.Session() as client:
        client.headers.update({"Origin": server.origin})

        answers = [
            client.post(f"{server.url}/hand-off/{path}", {"id": number, "token": token}, timeout=60)
            for path in ("open", "state", "code")
        ]

        assert [(answer.status_code, answer.text) for answer in answers] == [(404, "{}")] * 3
        assert not client.cookies
