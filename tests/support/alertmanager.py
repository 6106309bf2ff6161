"""A real Alertmanager on loopback with the shipped configuration, and everybody whom it notifies."""

from __future__ import annotations

import json
import re
import socket
import socketserver
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.monitoring import MONITORING
from tests.support.waiting import until

SHIPPED = MONITORING / "alertmanager"
FASTER = 50
"""All waiting times of the shipped configuration are divided by this."""


class Inbox:
    """What arrived, by path (or "mail")."""

    def __init__(self) -> None:
        self.received: list[tuple[str, Any]] = []

    def of(self, path: str) -> list[Any]:
        """Return what arrived at a path."""
        return [body for where, body in list(self.received) if where.startswith(path)]


@contextmanager
def web_receiver(inbox: Inbox, *, status: int = 200) -> Iterator[int]:
    """Stand in for Slack, Telegram and webhooks; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.received.append((self.path, json.loads(body)))
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
                        inbox.received.append(("mail", mail))
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
) -> Iterator[str]:
    """Run Alertmanager with the shipped files, other targets and shorter waits; yields its address.

    With `password_hash` (bcrypt) it lets in only the user "ops".
    """
    (folder / "templates").symlink_to(SHIPPED / "templates")
    text = _configuration(folder, receiver, web_port, mail_port)
    if language != "en":
        text = text.replace("# - templates/languages/pt_PT", f"- templates/languages/{language}")
    (folder / "alertmanager.yml").write_text(text)
    (folder / "slack").write_text(f"http://127.0.0.1:{web_port}/slack")
    (folder / "token").write_text("token-of-the-webhook")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
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


def _configuration(folder: Path, receiver: str, web_port: int, mail_port: int) -> str:
    text = (SHIPPED / "alertmanager.yml").read_text()
    web = f"http://127.0.0.1:{web_port}"
    text = text.replace("receiver: webhook  #", f"receiver: {receiver}  #")
    text = re.sub(r"(group_wait|group_interval|repeat_interval): (\d+)([smh])", _sooner, text)
    text = text.replace("https://oncall.example.org/alertmanager", f"{web}/webhook")
    text = text.replace("https://deadmans-switch.example.org/ping", f"{web}/ping")
    text = text.replace("/etc/alertmanager/secrets/slack_webhook_url", str(folder / "slack"))
    text = text.replace("/etc/alertmanager/secrets/webhook_token", str(folder / "token"))
    text = text.replace(
        "- bot_token: replace-me", f"- bot_token: replace-me\n        api_url: {web}/telegram"
    )
    text = text.replace("smtp.example.org:587", f"127.0.0.1:{mail_port}\n        require_tls: false")
    return re.sub(r" +auth_(?:username|password_file): .*\n", "", text)


def _sooner(match: re.Match[str]) -> str:
    seconds = int(match[2]) * {"s": 1, "m": 60, "h": 3600}[match[3]]
    return f"{match[1]}: {1000 * seconds // FASTER}ms"


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
