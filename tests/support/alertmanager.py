"""A real Alertmanager on loopback with the shipped configuration, and everybody whom it notifies."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.mail import SMTP_PASSWORD, MailServer
from tests.support.monitoring import MONITORING
from tests.support.scaling import adapted
from tests.support.stack import free_port
from tests.support.waiting import until

SHIPPED = MONITORING / "alertmanager"
FASTER = 50
"""All waiting times of the shipped configuration are divided by this."""
RECEIVERS = ("email", "slack", "telegram", "webhook")
EVERYBODY = "everybody"
"""Pages go by all the receivers at once."""
WEBHOOK_TOKEN = "token-of-the-webhook"
BOT_TOKEN = "1234:token-of-the-bot"
SLACK_SECRET = "secret-of-slack"
_PAGES = """\
    - matchers: [severity="critical"]
      receiver: webhook  # pages: email, slack, telegram or webhook
"""


class Inbox:
    """What arrived, by path; also by "mail", and what requests proved themselves with by "authorization"."""

    def __init__(self) -> None:
        self._received: list[tuple[float, str, Any]] = []

    def take(self, path: str, body: Any) -> None:
        """Keep what arrives."""
        self._received.append((time.time(), path, body))

    def of(self, path: str) -> list[Any]:
        """Return what arrived at a path."""
        return [body for _, body in self.timed(path)]

    def everything(self) -> str:
        """Return all that may be read, each mail as mail programs show it."""
        received = list(self._received)
        return "\n".join(_readable(body) for _, path, body in received if path != "authorization")

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
            if proof := self.headers["Authorization"]:
                inbox.take("authorization", proof)
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
def alertmanager(
    folder: Path,
    *,
    receiver: str,
    web_port: int,
    mail: MailServer | None = None,
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
    (folder / "slack").write_text(f"http://127.0.0.1:{web_port}/slack/{SLACK_SECRET}")
    (folder / "token").write_text(WEBHOOK_TOKEN)
    (folder / "smtp_password").write_text(SMTP_PASSWORD)
    replacements = _targets(folder, web_port, mail)
    if receiver == EVERYBODY:
        replacements[_PAGES] = "".join(
            _PAGES.replace("webhook", one, 1) + "      continue: true\n" for one in RECEIVERS
        )
    else:
        replacements["receiver: webhook  #"] = f"receiver: {receiver}  #"
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
            process.wait(timeout=60)


def post_alert(url: str, labels: Mapping[str, str], annotations: Mapping[str, str], **moments: str) -> None:
    """Hand an alert to Alertmanager as Prometheus does."""
    body = json.dumps([{"labels": labels, "annotations": annotations, **moments}]).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{url}/api/v2/alerts", body, headers), timeout=60).close()


def _targets(folder: Path, web_port: int, mail: MailServer | None) -> dict[str, str]:
    """Return what has to lead to this machine, and what for."""
    web, secrets = f"http://127.0.0.1:{web_port}", "/etc/alertmanager/secrets"
    return {
        "https://oncall.example.org/alertmanager": f"{web}/webhook",
        "https://deadmans-switch.example.org/ping": f"{web}/ping",
        f"{secrets}/slack_webhook_url": str(folder / "slack"),
        f"{secrets}/webhook_token": str(folder / "token"),
        f"{secrets}/smtp_password": str(folder / "smtp_password"),
        "- bot_token: replace-me": f"- bot_token: {BOT_TOKEN}\n        api_url: {web}/telegram",
        "smtp.example.org:587": "127.0.0.1:9" if mail is None else _smarthost(mail),
    }


def _smarthost(mail: MailServer) -> str:
    return f"localhost:{mail.port}\n        tls_config:\n          ca_file: {mail.authority}"


def _readable(body: Any) -> str:
    if not isinstance(body, EmailMessage):
        return str(body)
    parts = [part.get_content() for part in body.walk() if not part.is_multipart()]
    return "\n".join(map(str, [*body.items(), *parts]))


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready", timeout=60) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == 401  # it is there, and wants a password
    except (OSError, urllib.error.URLError):
        return False


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
