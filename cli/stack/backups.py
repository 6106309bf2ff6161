"""`make backup` and `make restore`: the installation in one file, from a container with every volume."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.stack.engine import Compose, StackError, find_engine
from cli.stack.files import prepare
from cli.stack.pause import Pause, pausing, resume_leftovers
from cli.stack.project import Project

PARTS = (
    "installation",
    "gateway-tokens",
    "gateway-profiles",
    "evolution-instances",
    "evolution-store",
    "evolution2-instances",
    "evolution2-store",
    "evolution-database",
    "simulator",
    "alertmanager",
    "grafana",
)
PROMETHEUS = "prometheus"
PAUSED = ("gateway", "evolution", "evolution-database", "simulator", "alertmanager", "grafana", PROMETHEUS)
"""Services paused while copying, so that their files are of one moment. Ours need no pause."""
OWN_FILES = (".env", "ops.env")
KEPT = "installation"
"""The folder inside config/ for these files on their way into a backup and back."""
FAILED = 1
KILLED = 137
"""128 + SIGKILL: the engine killed a container that exceeded its memory limit."""


@dataclass(frozen=True)
class Keys:
    """The keys that encrypt or open a backup."""

    recipients: tuple[str, ...] = ()
    passphrase_file: Path | None = None
    identity_file: Path | None = None

    def mounts(self) -> list[str]:
        """Return the options that mount the key files in the container."""
        return [
            word
            for path, inner in ((self.passphrase_file, "passphrase"), (self.identity_file, "identity"))
            if path
            for word in ("--volume", f"{path.expanduser().absolute()}:/run/{inner}:ro")
        ]

    def words(self) -> list[str]:
        """Return the options for the command in the container."""
        words = [word for key in self.recipients for word in ("--recipient", key)]
        words += ["--passphrase-file", "/run/passphrase"] if self.passphrase_file else []
        return words + (["--identity-file", "/run/identity"] if self.identity_file else [])


def backup(project: Project, *, to: Path | None, keys: Keys, prometheus: bool) -> int:
    """Write one file. The gateway is paused for a few seconds."""
    find_engine(project.environ)
    _check(keys)
    if not project.env_path.exists():
        raise StackError(".env: is not there, so nothing was started from this folder that could be kept")
    compose = project.compose()
    if to is None:
        (project.directory / "backups").mkdir(mode=0o700, exist_ok=True)
        to = project.directory / "backups" / f"wppconnect-ops-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
    prepare(project.config)
    unfinished = to.with_name(f"{to.name}.part")
    try:
        with pausing(compose, project.config) as pause:
            for left_by_a_killed_one in (project.directory / "backups").glob("*.backup.part"):
                left_by_a_killed_one.unlink()
            _take_along(project)
            unfinished.unlink(missing_ok=True)
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                _pause(compose, pause, prometheus=prometheus)
                code = compose.run(
                    *_tool(keys, "backup", prometheus=prometheus), stdout=out, stdin=subprocess.DEVNULL
                )
        # The gateway runs again while the backup is verified.
        if code or (code := _check_written(compose, keys, unfinished)):
            sys.stderr.write(f"make backup: nothing was written{_reason(code)}\n")
            return FAILED
        unfinished.replace(to)
    finally:
        unfinished.unlink(missing_ok=True)
        shutil.rmtree(project.config / KEPT, ignore_errors=True)
    print(f"Written: {to}")
    return 0


def restore(project: Project, *, source: Path | None, keys: Keys, overwrite: bool) -> int:
    """Restore a backup. Everything is stopped first; `make up` starts it again."""
    find_engine(project.environ)
    _check(keys)
    if source is None or not source.is_file():
        raise StackError(f"{source or 'FROM'}: is no file; name a backup with FROM=...")
    present = [name for name in OWN_FILES if (project.directory / name).exists()]
    if present and not overwrite:
        raise StackError(f"{present[0]}: is there already; restore into an empty folder, or say OVERWRITE=1")
    prepare(project.config)
    compose = project.compose()
    resume_leftovers(compose, project.config)
    if project.build():
        return FAILED
    compose.run("--profile", "*", "down", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # Prometheus's samples are restored if the backup contains any; otherwise its volume stays unchanged.
    words = [*_tool(keys, "restore", prometheus=True), *(["--overwrite"] if overwrite else [])]
    with source.open("rb") as content:
        if code := compose.run(*words, stdin=content):
            sys.stderr.write(
                f"make restore: nothing was changed{_reason(code)}. Everything is stopped; `make up` starts "
                "it again. IDENTITY_FILE=... or PASSPHRASE_FILE=... opens it; OVERWRITE=1 replaces what is "
                "there\n"
            )
            return FAILED
    for path in sorted((project.config / KEPT).glob("*")):
        path.replace(project.directory / path.name)
    shutil.rmtree(project.config / KEPT, ignore_errors=True)
    print("Restored. `make up` starts everything.")
    return 0


def _tool(keys: Keys, command: str, *, prometheus: bool) -> list[str]:
    parts = [*PARTS, *([PROMETHEUS] if prometheus else [])]
    also = [word for part in parts for word in ("--also", f"{part}=/parts/{part}")]
    return [*_run(keys), command, "-", *keys.words(), *also]


def _run(keys: Keys) -> list[str]:
    return ["--profile", "tools", "run", "--rm", "--no-TTY", *keys.mounts(), "tools"]


def _check_written(compose: Compose, keys: Keys, path: Path) -> int:
    """Read the written backup. Of one that only a secret key opens, compare the checksum."""
    opener = Keys(passphrase_file=keys.passphrase_file)
    with path.open("rb") as content:
        return compose.run(*_run(opener), "restore", "--check", "-", *opener.words(), stdin=content)


def _pause(compose: Compose, pause: Pause, *, prometheus: bool) -> None:
    running = compose.ask("--profile", "*", "ps", "--services", "--status", "running").stdout.split()
    if not pause.pause([one for one in PAUSED if one in running and (prometheus or one != PROMETHEUS)]):
        sys.stderr.write("make backup: could not pause; copying what changes meanwhile may come out torn\n")


def _reason(code: int) -> str:
    """Return the reason if the program in the container was killed."""
    if code != KILLED:
        return ""
    return ": it was killed, probably for want of memory"


def _take_along(project: Project) -> None:
    """Copy the administrator's own files to a folder that the container mounts."""
    kept = project.config / KEPT
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(mode=0o700)
    for name in OWN_FILES:
        if (project.directory / name).exists():
            shutil.copy2(project.directory / name, kept / name)


def _check(keys: Keys) -> None:
    for name, path in (("PASSPHRASE_FILE", keys.passphrase_file), ("IDENTITY_FILE", keys.identity_file)):
        if path is not None and not path.is_file():
            raise StackError(f"{name}: {path} is no file")
