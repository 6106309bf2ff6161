"""What the sync commands use: their objects, the agent, and the output, which never shows a value."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TextIO

from cli.environment import read_environment
from core.exceptions import ConfigurationError, ContainerError, SettingProblem
from core.logs import configure_logging
from core.messages import Message
from core.models import utc
from core.runtime import Core, open_core
from core.settings.environment import load_environment
from core.sync.agent import Agent
from core.sync.backups import Backup
from core.sync.change_requests import AgentStatus, ChangeRequests
from core.sync.compose import finder
from core.sync.docker_containers import DockerContainers
from core.sync.engine import Engine
from core.sync.plan import Plan
from core.sync.progress import Done, StepEvent, StepState
from core.sync.projects import FindCompose
from core.sync.secret_values import SecretValues
from core.sync.sessions import GatewaySessions
from core.sync.sync import Sync
from core.sync.sync_file import read_sync_file

PROGRAM = "wppconnect-ops sync"


@dataclass(frozen=True)
class Parts:
    """The core of the process, and the objects that change files and containers."""

    core: Core
    secret_values: SecretValues
    sync_file: Path
    environ: Mapping[str, str]
    containers: DockerContainers | None
    """None with --files-only."""
    compose: FindCompose
    stop: threading.Event
    """Ends all waits, and with them the running operation."""

    @cached_property
    def sync(self) -> Sync:
        """The sync of one command. Raises ConfigurationError with every mistake in the sync file."""
        return self.reopen()

    def reopen(self) -> Sync:
        """Read the sync file again. Raise ConfigurationError with every mistake."""
        return _open_sync(self)


def open_parts(environ: Mapping[str, str], directory: Path, *, file: Path | None, files_only: bool) -> Parts:
    """Read the settings. Raise ConfigurationError with every mistake.

    The sync file is read later: the agent waits until it is corrected, and the page shows its mistakes.
    """
    environ = read_environment(environ, directory)
    environment = load_environment(environ)
    configure_logging(environment.log_level, environment.log_format)
    path = file or environment.sync_file
    if path is None:
        raise ConfigurationError([SettingProblem("WPPCONNECT_SYNC_FILE", Message.of("sync_file.not_set"))])
    core = open_core(environment, program=PROGRAM)
    secret_values = SecretValues(core.settings, core.store)
    stop = threading.Event()
    host = core.environment.docker_host
    # Last the folder of this program, where a package may have installed a Compose.
    path_of_programs = os.pathsep.join((environ.get("PATH", os.defpath), str(Path(sys.executable).parent)))
    compose = finder(host, path_of_programs, core.data_directory / "sync")
    containers = None if files_only else _open_containers(core, host, compose, stop)
    return Parts(core, secret_values, path, environ, containers, compose, stop)


def _open_containers(core: Core, host: str, compose: FindCompose, stop: threading.Event) -> DockerContainers:
    def start_session(server: str, session: str) -> None:
        core.operations.start(server, session, actor="sync")

    return DockerContainers(
        lambda: Engine(host),
        sessions=GatewaySessions(core.monitor, start_session),
        compose=compose,
        stop=stop,
    )


def _open_sync(parts: Parts) -> Sync:
    settings = read_sync_file(parts.sync_file)
    if parts.containers and any(one.gateway for one in settings.containers):
        # The monitor reports which sessions are connected, before and after.
        parts.core.monitor.start()
    return Sync(
        settings,
        parts.secret_values,
        data_directory=parts.core.data_directory,
        environ=parts.environ,
        containers=parts.containers if settings.containers else None,
        compose=parts.compose,
        record=parts.core.history.append,
    )


def run_agent(parts: Parts) -> int:
    """Run until SIGTERM or Ctrl-C. A change that waits for a container is undone first.

    Raise ConfigurationError if a proxy in front of the engine would stop Compose half-way.
    """
    _check_engine(parts)
    stop = parts.stop
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    core = parts.core
    agent = Agent(
        parts.reopen,
        sync_file=parts.sync_file,
        change_requests=ChangeRequests(core.store),
        agent_status=AgentStatus(core.store, core.data_directory),
        generate=parts.secret_values.generate,
        record=core.history.append,
        data_directory=core.data_directory,
        program=f"{PROGRAM} agent[{os.getpid()}]",
    )
    try:
        agent.run(stop)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    return 0


def _check_engine(parts: Parts) -> None:
    try:
        problem = parts.containers.access_problem() if parts.containers else None
    except ContainerError:
        # The engine does not respond yet. Each plan reports it until it does.
        return
    if problem:
        raise ConfigurationError([SettingProblem("WPPCONNECT_DOCKER_HOST", problem)])


def show_plan(plan: Plan, out: TextIO) -> None:
    """Print the state of every target, the changes, and the actions on containers."""
    for target in plan.targets:
        facts = ", ".join(map(str, target.facts))
        why = f": {target.why}" if target.why else ""
        print(f"{target.state.replace('_', ' '):14} {target.target} ({facts}){why}", file=out)
    for one in plan.containers:
        keys = f" for {', '.join(one.keys)}" if one.keys else ""
        action = one.action.replace("_", " ")
        print(f"{action:14} container {one.container}{keys}: {one.sentences()}", file=out)
    for file in plan.files:
        print(f"\n{file.diff}", file=out)


def show_step(event: StepEvent) -> None:
    """Print one step of the progress to standard error."""
    word = {StepState.RUNNING: "...", StepState.DONE: "done", StepState.FAILED: "FAILED"}[event.state]
    note = f": {event.note}" if event.note else ""
    sys.stderr.write(f"{event.message} {word}{note}\n")


def show_done(done: Done, out: TextIO, *, unseen: Sequence[str] = ()) -> None:
    """Print the result of a change; `unseen` are the listed containers that were not inspected."""
    print(done.message, file=out)
    for label, names in (("written", done.files), ("recreated", done.recreated)):
        for name in names:
            print(f"  {label}: {name}", file=out)
    for text in done.notes:
        print(f"  {text}", file=out)
    for session in done.lost_sessions:
        print(f"  not connected again: {session} (wppconnect-ops pair re-pairs it)", file=out)
    if unseen:
        listed = ", ".join(unseen)
        print(
            f"  not looked at: {listed}; recreate them yourself, for a restart keeps the old values", file=out
        )
    if done.backup:
        print(f"  to take it back: wppconnect-ops sync restore {done.backup}", file=out)


def show_backups(backups: Sequence[Backup], out: TextIO) -> None:
    """Print the backups, newest first."""
    if not backups:
        print("There is no backup yet: one is made before each change.", file=out)
    for backup in backups:
        files = ", ".join(f"{one.folder}/{one.file}" for one in backup.files) or "no file"
        print(f"{backup.id}  {utc(backup.at)}  before {backup.kind} by {backup.actor}: {files}", file=out)
