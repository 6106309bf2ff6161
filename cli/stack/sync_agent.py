"""The sync agent of the stack, off unless `.env` sets the folder whose files it may write."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.stack.engine import Engine, StackError
from cli.stack.gateway import profiles_of

PROFILE = "sync"
SERVICE = "sync-agent"
FOLDER = "OPS_SYNC_FOLDER"
SOCKET = "OPS_DOCKER_SOCKET"
GROUP = "OPS_DOCKER_GID"
USUAL_SOCKET = "/var/run/docker.sock"
STARTER = """\
# Which files and containers the sync agent may touch (docs/sync.md). Written once by `make up`, and yours
# then; the agent reads it again whenever it changes.
folders:
  project: {folder}
# targets:
#   - {{file: .env, key: AUTHENTICATION_API_KEY, receives: api_key}}
# containers:
#   - {{name: leguas_whatsapp_evolution}}
"""


@dataclass(frozen=True)
class SyncAgent:
    """The agent's folder, and its variables for Compose."""

    folder: str
    told: Mapping[str, str]

    def write_starter(self, config: Path) -> None:
        """Write a sync file with the folder, unless one exists."""
        path = config / "sync" / "sync.yml"
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_text(STARTER.format(folder=self.folder), encoding="utf-8")
            print(
                f"Written: {path.parent.parent.name}/sync/sync.yml; list there what the sync agent may touch."
            )


def choose_sync_agent(values: Mapping[str, str], engine: Engine) -> SyncAgent | None:
    """Return the agent to start; None if it is off. Raise StackError with every problem."""
    folder, wanted = values.get(FOLDER, ""), PROFILE in profiles_of(values)
    if not folder and not wanted:
        return None
    problems = [*_problems(folder, values, engine)]
    if problems:
        raise StackError(*problems)
    socket = _socket(values)
    group = values.get(GROUP) or str(Path(socket).stat().st_gid)
    return SyncAgent(folder, {SOCKET: socket, GROUP: group})


def _problems(folder: str, values: Mapping[str, str], engine: Engine) -> Iterator[str]:
    if not folder:
        yield (
            f"{FOLDER}: is not set, and COMPOSE_PROFILES asks for {PROFILE}; name the folder whose files the "
            "sync agent may write (docs/sync.md)"
        )
    elif not Path(folder).is_absolute() or not Path(folder).is_dir():
        yield f"{FOLDER}: {folder} is no folder here; write the absolute path of the one with the files"
    if values.get("COMPOSE_PROFILES") and PROFILE not in profiles_of(values):
        yield f"COMPOSE_PROFILES: has no {PROFILE}, and {FOLDER} is set; add {PROFILE}, or take {FOLDER} out"
    if not engine.is_local:
        yield f"{FOLDER}: the engine is on another machine, and so are its folders; run `make up` there"
        return
    socket = Path(_socket(values))
    try:
        status = socket.stat()
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        yield f"{SOCKET}: {socket} cannot be looked at ({why}); name the engine's socket"
        return
    if not values.get(GROUP) and not status.st_mode & stat.S_IWGRP:
        yield f"{SOCKET}: the group of {socket} may not use it; start the engine with `--group docker`"


def _socket(values: Mapping[str, str]) -> str:
    host = values.get("DOCKER_HOST", "")
    return values.get(SOCKET) or host.removeprefix("unix://") or USUAL_SOCKET
