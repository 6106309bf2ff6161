"""Real reverse proxies in front of the page, with the examples of `deploy/` as they stand there."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.plugins.system_tools import require
from tests.support.certificates import Pair
from tests.support.stack import free_port
from tests.support.waiting import until

NGINX = "/usr/sbin/nginx"
"""Not on the path of everybody."""
DEPLOY = Path(__file__).parents[2] / "deploy"
AROUND_NGINX = """
error_log {directory}/error.log;
pid {directory}/nginx.pid;
events {{ worker_connections 768; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/example.conf;
}}
"""
"""What Debian's own nginx.conf brings, with its files in a test's folder."""
OPEN_IN_CADDY = "@open path /hand-off /hand-off/* /sign-in/assets/*"
OPEN_IN_NGINX = "location ~ ^/(hand-off"
"""What an authentication server is not asked about; below a path that stands before it."""


@dataclass(frozen=True)
class Place:
    """Where a proxy runs here, in place of what its example says."""

    name: str
    """The host that the example is for; here it is localhost."""
    pair: Pair
    page_port: int
    https_port: int
    http_port: int
    auth_port: int = 0
    sub_path: str = ""

    def changes(self) -> dict[str, str]:
        """Ports, certificates and names, as the examples write them and as they are here."""
        return {
            f"/etc/ssl/certs/{self.name}.pem": str(self.pair.certificate),
            f"/etc/ssl/private/{self.name}.key": str(self.pair.key),
            "127.0.0.1:8501": f"127.0.0.1:{self.page_port}",
            "127.0.0.1:4180": f"127.0.0.1:{self.auth_port}",
        }


def adapted(example: Path, changes: Mapping[str, str]) -> str:
    """Return the example with those words changed, and nothing else."""
    original = example.read_text()
    used = {old: new for old, new in changes.items() if old in original}
    # In one pass, the longest first: a port that was put in may begin with the digits of another's change.
    pattern = re.compile("|".join(map(re.escape, sorted(used, key=len, reverse=True))))
    return pattern.sub(lambda found: used[found[0]], original)


@contextmanager
def caddy(example: str, directory: Path, place: Place) -> Iterator[None]:
    """Run Caddy with an example until the block ends."""
    require("caddy")
    changes = {
        "admin localhost:2019": f"admin 127.0.0.1:{free_port()}",
        "http_port 80": f"http_port {place.http_port}",
        "https_port 443": f"https_port {place.https_port}",
        "bind 0.0.0.0 [::]": "bind 127.0.0.1",
        **place.changes(),
        place.name: "localhost",
        **({OPEN_IN_CADDY: OPEN_IN_CADDY.replace(" /", f" {place.sub_path}/")} if place.sub_path else {}),
    }
    config = directory / "Caddyfile"
    config.write_text(adapted(DEPLOY / "caddy" / example, changes))
    command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
    with running(command, directory, place, log=directory / "caddy.log"):
        yield


@contextmanager
def nginx(example: str, directory: Path, place: Place) -> Iterator[None]:
    """Run nginx with an example until the block ends."""
    require(NGINX)
    changes = {
        "listen 80;": f"listen 127.0.0.1:{place.http_port};",
        "listen [::]:80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ": f"listen 127.0.0.1:{place.https_port} ",
        "listen [::]:443 ": f"listen 127.0.0.1:{free_port()} ",
        "include snippets/": f"include {DEPLOY}/nginx/snippets/",
        **place.changes(),
        place.name: "localhost",
        **({OPEN_IN_NGINX: OPEN_IN_NGINX.replace("^/", f"^{place.sub_path}/")} if place.sub_path else {}),
    }
    (directory / "example.conf").write_text(adapted(DEPLOY / "nginx" / example, changes))
    config = directory / "nginx.conf"
    config.write_text(AROUND_NGINX.format(directory=directory))
    command = [NGINX, "-c", str(config), "-p", str(directory), "-g", "daemon off;"]
    with running(command, directory, place, log=directory / "nginx.log"):
        yield


PROXIES: dict[str, Callable[[str, Path, Place], AbstractContextManager[None]]] = {
    "caddy": caddy,
    "nginx": nginx,
}


@contextmanager
def running(command: list[str], directory: Path, place: Place, *, log: Path) -> Iterator[None]:
    """Run a proxy until the block ends; waits until it listens."""
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], "HOME": str(directory)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: listens(place.https_port) or process.poll() is not None, what="the proxy")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(60)


def listens(port: int) -> bool:
    """Does somebody listen on this port of loopback?"""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
