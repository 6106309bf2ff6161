"""Kill an apply at its n-th look at the disk, for every n, and tell what the next start makes of it.

Run as a program: `killed_sync.py FOLDER WAY`; prints one JSON line for each n. Every apply runs in a process
of its own, which is ended by SIGKILL just before a file is opened, renamed, removed or cut.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from tests.support.sync import Installation, install, read_files

EVENTS = {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir", "os.link"}
NEW_KEY = "403bff9cbe76fd96caeea0abeb0709e0"
OLD_KEY = "present-key-1234"
MOST = 400


class Countdown:
    """Ends this process at the n-th event that touches the installation."""

    def __init__(self, root: Path, left: int) -> None:
        self._root = str(root)
        self._left = left

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in EVENTS and self._root in str(arguments[0]):
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main(root: Path, *, in_place: bool) -> None:
    """Try every n until an apply comes to its end."""
    for number in range(MOST):
        folder = root / str(number)
        folder.mkdir()
        installation = install(folder)
        if in_place:
            (installation.folder / "hard-link").hardlink_to(installation.folder / "docker-compose.yml")
        installation.keep(OLD_KEY)
        was_killed = killed(installation, number)
        print(json.dumps({"killed": was_killed} | repaired(installation)), flush=True)
        shutil.rmtree(folder)
        if not was_killed:
            return


def killed(installation: Installation, number: int) -> bool:
    """Run an apply in a process of its own; tell whether it was ended half-way."""
    child = os.fork()
    if child == 0:
        sys.addaudithook(Countdown(installation.root, number))
        installation.apply(NEW_KEY)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def repaired(installation: Installation) -> dict[str, object]:
    """Recover, and tell what is there then."""
    installation.sync.recover(installation.steps.append)
    files = read_files(installation.folder)
    holding = {
        name: [key for key in (OLD_KEY, NEW_KEY) if key.encode() in content]
        for name, content in files.items()
    }
    return {
        "holding": holding,
        "in_force": installation.api_key(),
        "journal": (installation.data / "sync" / "journal.json").exists(),
        "is_settled": not installation.sync.draft().plan.has_changes,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), in_place=sys.argv[2] == "in_place")
