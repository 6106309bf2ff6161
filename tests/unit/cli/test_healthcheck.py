"""Services that answer over HTTP, over TLS, and over TLS that wants to know who asks."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cli.healthcheck import SIGN_OF_LIFE, SIGN_SECONDS, answers
from cli.main import main
from core.clock import now
from core.store import FileStore
from core.sync.change_requests import STALE_SECONDS, AgentStatus, Heartbeat
from tests.plugins.system_tools import require
from tests.support.certificates import make_pair

require("openssl")


class Healthy(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None) -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Healthy)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()


def context_of(
    directory: Path, *, wants_certificate: bool, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    pair = make_pair(directory, "exporter.example.org")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.maximum_version = newest
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pair.certificate)
    return context


def test_plain_service_answers() -> None:
    with serving(None) as port:
        assert answers(f"http://127.0.0.1:{port}/-/healthy")


@pytest.mark.parametrize("wants_certificate", [False, True], ids=["to everybody", "to known clients"])
def test_service_with_tls_answers(tmp_path: Path, wants_certificate: bool) -> None:
    with serving(context_of(tmp_path, wants_certificate=wants_certificate)) as port:
        assert answers(f"https://127.0.0.1:{port}/-/healthy")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nobody_answers(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert not answers(f"{scheme}://127.0.0.1:{port}/-/healthy")


def test_something_else_on_a_port_of_tls_is_no_answer() -> None:
    with serving(None) as port:
        assert not answers(f"https://127.0.0.1:{port}/-/healthy")


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_container_with_tls_for_known_clients_is_healthy(tmp_path: Path, newest: ssl.TLSVersion) -> None:
    with serving(context_of(tmp_path, wants_certificate=True, newest=newest)) as port:
        assert main(["healthy", "exporter"], {"EXPORTER_WEB_LISTEN_ADDRESS": f":{port}"}) == 0


def test_a_container_in_which_nothing_listens_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert main(["healthy", "exporter"], {"EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{port}"}) == 1
    assert "no answer of exporter" in capsys.readouterr().err


def beat(directory: Path) -> Path:
    """Give a sign of life as the agent does; returns where it stands."""
    board = AgentStatus(FileStore(directory / "store"), directory)
    board.beat(Heartbeat(at=now(), program="wppconnect-ops sync agent[1]"))
    return directory / SIGN_OF_LIFE


def test_it_is_healthy_while_it_gives_signs_of_life(tmp_path: Path) -> None:
    beat(tmp_path)

    assert main(["healthy", "sync"], {"WPPCONNECT_DATA_DIR": str(tmp_path)}) == 0


def test_it_is_not_when_the_last_sign_is_old(tmp_path: Path) -> None:
    old = time.time() - STALE_SECONDS - 1
    os.utime(beat(tmp_path), (old, old))

    assert main(["healthy", "sync"], {"WPPCONNECT_DATA_DIR": str(tmp_path)}) == 1
    assert SIGN_SECONDS == STALE_SECONDS


def test_it_is_not_before_the_first_sign(tmp_path: Path) -> None:
    assert main(["healthy", "sync"], {"WPPCONNECT_DATA_DIR": str(tmp_path)}) == 1
