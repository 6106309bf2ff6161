"""A real OpenID Connect provider in a process of its own, and a person's way through its pages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import requests
from filelock import FileLock

from tests.plugins.system_tools import require
from tests.support.waiting import until

SOURCE = Path(__file__).with_name("openid_provider")
INSTALLED = Path(__file__).parents[2] / ".venv" / "openid-provider"
SECRET = "a+secret %of: the/provider"
"""With signs that only the right encoding carries over."""


@dataclass
class OpenIdProvider:
    """A running provider."""

    process: subprocess.Popen[str]
    issuer: str

    def stop(self) -> None:
        """End it: nobody listens any more."""
        self.process.terminate()
        self.process.wait(60)


@contextmanager
def providing(port: int, *, page: str, log: Path) -> Iterator[OpenIdProvider]:
    """Run the provider for a page at this address until the block ends."""
    require("node", "npm")
    folder = install()
    environment = {"PATH": os.environ["PATH"], "PORT": str(port), "PAGE": page, "SECRET": SECRET}
    with log.open("w") as out:
        process = subprocess.Popen(
            ["node", str(folder / "server.mjs")],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        until(lambda: "ready" in log.read_text() or process.poll() is not None, what="the provider")
        assert process.poll() is None, log.read_text()
        yield OpenIdProvider(process, f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def install() -> Path:
    """Install the locked packages once; returns the folder."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with FileLock(INSTALLED / "lock"):
        for name in ("package.json", "package-lock.json", ".npmrc", "server.mjs"):
            shutil.copy(SOURCE / name, INSTALLED / name)
        lock = (SOURCE / "package-lock.json").read_text()
        done = INSTALLED / "done"
        if not done.exists() or done.read_text() != lock:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            finished = subprocess.run(
                command, cwd=INSTALLED, capture_output=True, text=True, timeout=300, check=False
            )
            assert finished.returncode == 0, f"npm ci failed:\n{finished.stderr}"
            done.write_text(lock)
    return INSTALLED


def pass_through(visitor: requests.Session, url: str, *, login: str) -> requests.Response:
    """Go from the provider's address through its pages; returns the redirect back to us, not followed."""
    answer = visitor.get(url, allow_redirects=False, timeout=60)
    for _ in range(12):
        location = urljoin(answer.url, answer.headers.get("location", ""))
        if answer.is_redirect and "/callback?" in location:
            return answer
        if answer.is_redirect:
            answer = visitor.get(location, allow_redirects=False, timeout=60)
            continue
        action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
        prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
        assert action, answer.text
        assert prompt, answer.text
        fields = {"prompt": prompt[1], "login": login, "password": "any"}
        answer = visitor.post(urljoin(answer.url, action[1]), fields, allow_redirects=False, timeout=60)
    raise AssertionError(f"no way back from {answer.url}")
