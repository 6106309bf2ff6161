"""Build what the sync commands work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.environment import read_environment
from core.exceptions import ConfigurationError
from core.logs import configure_logging
from core.propagation.keeper import ValueKeeper
from core.propagation.reach import Containers
from core.propagation.sync import Sync
from core.propagation.sync_file import read_sync_file
from core.propagation.targets import SyncSettings
from core.runtime import Core, open_core
from core.settings import load_environment

PROGRAM = "wppconnect-ops sync"
NOT_SET = (
    "WPPCONNECT_SYNC_FILE: is not set; name the file that lists folders, targets and containers "
    "(docs/sync.md), or give it with --file"
)


@dataclass(frozen=True)
class Parts:
    """One process's core, and what changes files on top of it."""

    core: Core
    keeper: ValueKeeper
    sync_file: Path
    environ: Mapping[str, str]
    files_only: bool
    sync: Sync

    def reopen(self) -> Sync:
        """Read the sync file again; raises ConfigurationError."""
        return _open_sync(self.core, self.keeper, self.sync_file, self.environ, files_only=self.files_only)


def open_parts(environ: Mapping[str, str], directory: Path, *, file: Path | None, files_only: bool) -> Parts:
    """Read settings and sync file; raises ConfigurationError with every mistake."""
    environ = read_environment(environ, directory)
    environment = load_environment(environ)
    configure_logging(environment.log_level, environment.log_format)
    path = file or environment.sync_file
    if path is None:
        raise ConfigurationError([NOT_SET])
    core = open_core(environment, program=PROGRAM)
    keeper = ValueKeeper(core.settings, core.store)
    sync = _open_sync(core, keeper, path, environ, files_only=files_only)
    return Parts(core, keeper, path, environ, files_only, sync)


def open_containers(core: Core, settings: SyncSettings) -> Containers | None:
    """Return what recreates containers; None where nothing does."""
    _ = core, settings
    return None


def _open_sync(
    core: Core, keeper: ValueKeeper, path: Path, environ: Mapping[str, str], *, files_only: bool
) -> Sync:
    settings = read_sync_file(path)
    return Sync(
        settings,
        keeper,
        data_directory=core.data_directory,
        environ=environ,
        containers=None if files_only or not settings.containers else open_containers(core, settings),
        record=core.history.append,
    )
