"""A real Alertmanager on loopback with the shipped configuration, and everybody whom it notifies."""

from __future__ import annotations

import json
import socketserver
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.monitoring import MONITORING
from tests.support.scaling import adapted
from tests.support.stack import free_port
from tests.support.waiting import until

SHIPPED = MONITORING / "alertmanager"
FASTER = 50
"""All waiting times of the shipped configuration are divided by this."""


class Inbox:
    """What arrived, by path (or "mail")."""

    def __init__(self) -> None:
        self._received: list[tuple[float, str, Any]] = []

    def take(self, path: str, body: Any) -> None:
        """Keep what arrives."""
        self._received.append((time.time(), path, body))

    def of(self, path: str) -> list[Any]:
        """Return what arrived at a path."""
        return [body for _, body in self.timed(path)]

    def timed(self, path: str) -> list[tuple[float, Any]]:
        """Return what arrived at a path, each with its moment."""
        return [(at, body) for at, where, body in list(self._received) if where.startswith(path)]


@contextmanager
def web_receiver(inbox: Inbox, *, status: int = 200) -> Iterator[int]:
    """Stand in for Slack, Telegram and webhooks; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.take(self.path, json.loads(body))
            answer = b'{"ok": true, "result": {"message_id": 1, "chat": {"id": -1}}}'
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextmanager
def mail_receiver(inbox: Inbox) -> Iterator[int]:
    """Take mail by SMTP; yields the port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            for line in self.rfile:
                match line[:4].upper().strip():
                    case b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = list(iter(self.rfile.readline, b".\r\n"))
                        mail = message_from_bytes(b"".join(lines), policy=policy.default)
                        inbox.take("mail", mail)
                        self.wfile.write(b"250 taken\r\n")
                    case b"QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    case _:
                        self.wfile.write(b"250 fine\r\n")

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextmanager
def alertmanager(
    folder: Path,
    *,
    receiver: str,
    web_port: int,
    mail_port: int = 9,
    language: str = "en",
    password_hash: str | None = None,
    source: Path = SHIPPED,
    faster: int = FASTER,
    port: int | None = None,
) -> Iterator[str]:
    """Run Alertmanager with the shipped files, other targets and shorter waits; yields its address.

    With `password_hash` (bcrypt) it lets in only the user "ops".
    """
    (folder / "templates").symlink_to(source / "templates")
    (folder / "slack").write_text(f"http://127.0.0.1:{web_port}/slack")
    (folder / "token").write_text("token-of-the-webhook")
    replacements = _targets(folder, web_port, mail_port) | {
        "receiver: webhook  #": f"receiver: {receiver}  #"
    }
    if language != "en":
        replacements["# - templates/languages/pt_PT"] = f"- templates/languages/{language}"
    shipped = (source / "alertmanager.yml").read_text()
    (folder / "alertmanager.yml").write_text(adapted(shipped, faster, replacements))
    address = f"127.0.0.1:{port or free_port()}"
    command = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'storage'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    if password_hash is not None:
        (folder / "web.yml").write_text(f"basic_auth_users:\n  ops: {password_hash}\n")
        command.append(f"--web.config.file={folder / 'web.yml'}")
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            until(lambda: _is_ready(address), what="Alertmanager's readiness")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def post_alert(url: str, labels: Mapping[str, str], annotations: Mapping[str, str], **moments: str) -> None:
    """Hand an alert to Alertmanager as Prometheus does."""
    body = json.dumps([{"labels": labels, "annotations": annotations, **moments}]).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{url}/api/v2/alerts", body, headers), timeout=5).close()


def _targets(folder: Path, web_port: int, mail_port: int) -> dict[str, str]:
    """Return what has to lead to this machine, and what for."""
    web, secrets = f"http://127.0.0.1:{web_port}", "/etc/alertmanager/secrets"
    return {
        "https://oncall.example.org/alertmanager": f"{web}/webhook",
        "https://deadmans-switch.example.org/ping": f"{web}/ping",
        f"{secrets}/slack_webhook_url": str(folder / "slack"),
        f"{secrets}/webhook_token": str(folder / "token"),
        "- bot_token: replace-me": f"- bot_token: replace-me\n        api_url: {web}/telegram",
        "smtp.example.org:587": f"127.0.0.1:{mail_port}\n        require_tls: false",
        "        auth_username: alertmanager@example.org\n": "",
        f"        auth_password_file: {secrets}/smtp_password\n": "",
    }


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == 401  # it is there, and wants a password
    except (OSError, urllib.error.URLError):
        return False


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
