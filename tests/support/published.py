"""The page as a reverse proxy publishes it, with TLS, and people in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from argon2 import PasswordHasher

from core.store import FileStore
from dashboard.auth.users import open_users
from simulator import Simulator
from tests.support import quick_page
from tests.support.certificates import Pair
from tests.support.gate_server import hidden_fields
from tests.support.reverse_proxies import PROXIES, Place
from tests.support.stack import PASSWORD, SECRET, SESSION, Stack, free_port, stack


@dataclass(frozen=True)
class Example:
    """One way to publish the page: a file for each proxy."""

    host: str
    """As the files call it."""
    sub_path: str
    files: dict[str, str]


@dataclass(frozen=True)
class Published:
    """A page that knows under which address people reach it."""

    product: Stack
    example: Example
    https_port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"https://localhost:{self.https_port}"


@dataclass(frozen=True)
class Site:
    """The page behind a proxy."""

    product: Stack
    pair: Pair
    origin: str
    url: str
    http_url: str

    def person(self) -> requests.Session:
        """Somebody with a browser's manners."""
        person = requests.Session()
        person.verify = str(self.pair.certificate)
        # The certificates of the environment would count instead of this one.
        person.trust_env = False
        person.headers.update({"Accept": "text/html", "Origin": self.origin})
        return person

    def signed_in(self) -> requests.Session:
        """Somebody who has signed in by the form."""
        person = self.person()
        form = hidden_fields(person.get(f"{self.url}/sign-in", timeout=60).text)
        fields = {"name": "admin", "password": PASSWORD}
        person.post(f"{self.url}/sign-in", form | fields, allow_redirects=False, timeout=60)
        return person


@contextmanager
def publishing(example: Example, directory: Path, **settings: str) -> Iterator[Published]:
    """Run the page with an administrator, for proxies that come one after the other."""
    https_port = free_port()
    with (
        Simulator(secret_key=SECRET, times=quick_page.TIMES, sessions=[SESSION]) as gateway,
        stack(
            gateway,
            directory,
            WPPCONNECT_INTERVAL_SECONDS="1",
            WPPCONNECT_WEBHOOK="none",
            DASHBOARD_EXTERNAL_URL=f"https://localhost:{https_port}{example.sub_path}",
            DASHBOARD_TRUSTED_PROXIES="127.0.0.1",
            **settings,
        ) as running,
    ):
        users = open_users(FileStore(running.data / "store"), running.data)
        users.create_first("admin", PasswordHasher().hash(PASSWORD))
        running.start_page("tests.support.quick_page")
        yield Published(running, example, https_port)


@contextmanager
def behind(
    proxy: str, published: Published, pair: Pair, directory: Path, *, auth_port: int = 0
) -> Iterator[Site]:
    """Put a proxy in front of the page until the block ends."""
    product, example = published.product, published.example
    direct = product.page_url
    place = Place(
        name=example.host,
        pair=pair,
        page_port=int(direct.rpartition(":")[2]),
        https_port=published.https_port,
        http_port=free_port(),
        auth_port=auth_port,
        sub_path=example.sub_path,
    )
    with PROXIES[proxy](example.files[proxy], directory, place):
        # Where visitors find it.
        product.page_url = f"{published.origin}{example.sub_path}"
        try:
            http_url = f"http://localhost:{place.http_port}"
            yield Site(product, pair, published.origin, product.page_url, http_url)
        finally:
            product.page_url = direct
