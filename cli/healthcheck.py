"""`wppconnect-ops healthy`: the health check of a container.

Imports little: the check runs every few seconds, in each container.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

from core.console import FAILED

TIMEOUT_SECONDS = 3.0
LONGEST_STATUS_LINE = 100
PARTS = {
    "exporter": ("EXPORTER_WEB_LISTEN_ADDRESS", "127.0.0.1:21466", "/-/healthy"),
    "dashboard": ("DASHBOARD_LISTEN_ADDRESS", "127.0.0.1:8501", "/-/healthy"),
    "simulator": ("SIMULATOR_GATEWAY_PORT", "21465", "/healthz"),
}
"""Of each part: the variable of its address, the default, and a path that requires no login."""

SYNC = "sync"
"""The sync agent, which does not listen: it is alive while it renews a file."""
SIGN_OF_LIFE = Path("sync", "agent.json")
SIGN_SECONDS = 15.0
"""The maximum age of that file, as on the page (core/sync/change_requests.py)."""


@click.command()
@click.argument("part", metavar="PART", required=False, type=click.Choice(sorted([*PARTS, SYNC])))
@click.pass_obj
def healthy(environ: Mapping[str, str], /, part: str | None) -> int:
    """Check that the part running here responds, for a container's health check.

    Without PART, a response of any part is enough, except of sync, the sync agent.
    """
    wanted = [part] if part else list(PARTS)
    if any(_gave_a_sign(environ) if one == SYNC else _answers(environ, one) for one in wanted):
        return 0
    sys.stderr.write(f"wppconnect-ops healthy: no answer of {' or '.join(wanted)}\n")
    return FAILED


def answers(url: str) -> bool:
    """Return whether one GET succeeds. Certificates are not verified: for services on this machine only."""
    parts = urlsplit(url)
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    try:
        with (
            socket.create_connection((parts.hostname, parts.port), TIMEOUT_SECONDS) as plain,
            _secured(plain) if parts.scheme == "https" else plain as connection,
        ):
            connection.sendall(request.encode())
            with connection.makefile("rb") as answer:
                return answer.readline(LONGEST_STATUS_LINE).split()[1:2] == [b"200"]
    except OSError as error:
        # The exporter responds and requires a client certificate, which only Prometheus has. The error
        # depends on the TLS version. A server without TLS is not ours.
        return isinstance(error, ssl.SSLError) and error.reason != "WRONG_VERSION_NUMBER"


def _secured(plain: socket.socket) -> ssl.SSLSocket:
    # Our own server, whose certificate names another host.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain)


def _gave_a_sign(environ: Mapping[str, str]) -> bool:
    path = Path(environ.get("WPPCONNECT_DATA_DIR", "").strip() or "data") / SIGN_OF_LIFE
    try:
        return abs(time.time() - path.stat().st_mtime) <= SIGN_SECONDS
    except OSError:
        return False


def _answers(environ: Mapping[str, str], part: str) -> bool:
    variable, default, path = PARTS[part]
    host, _, port = (environ.get(variable, "").strip() or default).rpartition(":")
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))
    if not port.isdecimal():
        return False
    place = f"[{host}]:{port}{path}" if ":" in host else f"{host}:{port}{path}"
    # With a web.yml the exporter uses TLS.
    return answers(f"http://{place}") or (part == "exporter" and answers(f"https://{place}"))
