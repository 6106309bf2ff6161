"""The small page behind the real gate, served by a process of its own, and a person's way in."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from argon2 import PasswordHasher
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from core.store import FileStore
from dashboard.auth.authenticator import ACCOUNT_HEADER
from dashboard.auth.users import Role, open_users
from tests.support.processes import ROOT, Fork
from tests.support.waiting import until

PASSWORD = "correct horse battery"


@dataclass
class Server:
    """A running server."""

    process: Fork
    port: int
    out: Path
    log: Path
    sub_path: str = ""
    """The path under which it is published."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}{self.sub_path}"

    @property
    def link(self) -> str:
        """The one-time link that it printed."""
        until(lambda: "#" in self.out.read_text(), what="the link")
        link: str = re.findall(r"https?://\S+#\S+", self.out.read_text())[0]
        return link

    def stop(self) -> int:
        """Send SIGTERM; returns the exit code."""
        return self.process.stop()


@contextmanager
def serving(data: Path, port: int | None = None, *, sub_path: str = "", **environ: str) -> Iterator[Server]:
    """Serve the small page until the block ends."""
    port = port or free_port()
    data.mkdir(parents=True, exist_ok=True)
    server = Server(start(data, port, **environ), port, data / "stdout", data / "stderr", sub_path)
    try:
        until(lambda: answers(server) or not server.process.is_running, what="the server")
        yield server
    finally:
        server.process.kill()


def start(data: Path, port: int, package: str = "tests.support.gate_page", **environ: str) -> Fork:
    """Start the small page and do not wait for it; what it prints stands in the files stdout and stderr."""
    out, log = data / "stdout", data / "stderr"
    for file in (out, log):
        file.unlink(missing_ok=True)
    settings = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DASHBOARD_LISTEN_ADDRESS": f"127.0.0.1:{port}",
        "DASHBOARD_PRINT_LINK": "1",
        **environ,
    }
    return Fork(package, log, settings, str(data), out=out)


def answers(server: Server) -> bool:
    """Does the server answer its health check?"""
    try:
        return requests.get(f"{server.url}/-/healthy", timeout=60).ok
    except requests.RequestException:
        return False


def create_administrator(server: Server) -> requests.Session:
    """Go through the first sign-in; the returned session is signed in."""
    # By its own address, whatever the one under which it is published.
    return set_first_password(f"{server.url}/sign-in/link#{server.link.partition('#')[2]}")


def set_first_password(link: str) -> requests.Session:
    """Follow the one-time link of any page of ours; the returned session is signed in."""
    address, _, token = link.partition("#")
    url = address.removesuffix("/sign-in/link")
    session = _person(url)
    page = session.post(address, hidden_fields(session.get(address).text) | {"token": token})
    choice = {"name": "admin", "password": PASSWORD, "repeated": PASSWORD}
    session.post(f"{url}/sign-in/password", hidden_fields(page.text) | choice, allow_redirects=False)
    return session


def add_user(data: Path, name: str) -> None:
    """Add an administrator beside the first, as another process does."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    users = open_users(FileStore(data / "store"), data)
    users.create(name, Role.ADMINISTRATOR, password_hash=hasher.hash(PASSWORD))


def sign_in(
    server: Server, password: str = PASSWORD, *, name: str = "admin", **headers: str
) -> requests.Session:
    """Sign in with the form."""
    session = person(server)
    session.headers.update(headers)
    form = hidden_fields(session.get(f"{server.url}/sign-in").text)
    fields = {"name": name, "password": password}
    session.post(f"{server.url}/sign-in", form | fields, allow_redirects=False)
    return session


def person(server: Server) -> requests.Session:
    """Return a session that sends what a browser sends with its navigations."""
    return _person(server.url)


def hidden_fields(html: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html))


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _person(url: str) -> requests.Session:
    session = requests.Session()
    parts = urlsplit(url)
    session.headers.update({"Accept": "text/html", "Origin": f"{parts.scheme}://{parts.netloc}"})
    return session


def cookie_of(person: requests.Session) -> str:
    """Return the cookie of a person who is signed in."""
    return str(person.cookies["wppconnect_sign_in"])


def open_stream(
    server: Server,
    cookie: str | None,
    origin: str | None,
    path: str = "/_stcore/stream",
    *,
    session: str | None = None,
    account: str | None = None,
) -> ClientConnection:
    """Open the websocket over which the page is drawn; to resume a session, with a forged account."""
    headers = {"Cookie": f"wppconnect_sign_in={cookie}"} if cookie else {}
    if account:
        headers[ACCOUNT_HEADER] = hashlib.sha256(account.encode()).hexdigest()
    return connect(
        f"ws://127.0.0.1:{server.port}{path}",
        origin=Origin(origin) if origin else None,
        subprotocols=[Subprotocol(one) for one in ("streamlit", *(("none", session) if session else ()))],
        additional_headers=headers,
        proxy=None,
    )


def read_for_ever(stream: ClientConnection) -> None:
    """Read what comes; raises ConnectionClosed once the other side has closed it."""
    while True:
        stream.recv(timeout=60)
