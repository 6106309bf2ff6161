"""A folder in which `make up` is typed, on a machine whose engine and Compose a test speaks for."""

from __future__ import annotations

import stat
from pathlib import Path

from cli.environment import read_own_env
from cli.stack.__main__ import main
from tests.fakes.docker import FakeDocker


class Checkout:
    """A folder in which `make up` is typed."""

    def __init__(self, directory: Path, docker: FakeDocker, environ: dict[str, str]) -> None:
        self.directory = directory
        self.docker = docker
        self.environ = environ

    def make(self, *words: str, **variables: str) -> int:
        """Type it."""
        return main(list(words), self.environ | variables, self.directory)

    def write(self, text: str) -> None:
        """Put a `.env` there."""
        (self.directory / ".env").write_text(text)

    @property
    def env(self) -> dict[str, str]:
        """The administrator's file."""
        return _read(self.directory / ".env")

    @property
    def found(self) -> dict[str, str]:
        """What Compose is told besides."""
        return _read(self.directory / "config" / "compose.env")

    def secret(self) -> str:
        """The secret key as the containers read it."""
        return (self.directory / "config/secrets/wppconnect_secret_key").read_text()


def mode(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def _read(path: Path) -> dict[str, str]:
    values, problems = read_own_env(path)
    assert problems == []
    return values
