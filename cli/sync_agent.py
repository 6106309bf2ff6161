"""`wppconnect-ops sync agent`: stay in the background and carry out what administrators approve."""

from __future__ import annotations

import os
import signal

from cli.sync_parts import Parts
from core.exceptions import ConfigurationError, ContainerError
from core.sync.agent import Agent
from core.sync.agent_status import AgentStatus
from core.sync.change_requests import ChangeRequests

PROGRAM = "wppconnect-ops sync agent"


def run_agent(parts: Parts) -> int:
    """Work until SIGTERM or Ctrl-C; a change that waits for a container is taken back first.

    Raises ConfigurationError when a proxy in front of the engine would stop Compose half-way.
    """
    _check_engine(parts)
    stop = parts.stop
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    core = parts.core
    agent = Agent(
        parts.reopen,
        sync_file=parts.sync_file,
        desk=ChangeRequests(core.store),
        board=AgentStatus(core.store, core.data_directory),
        generate=parts.keeper.generate,
        record=core.history.append,
        data_directory=core.data_directory,
        program=f"{PROGRAM}[{os.getpid()}]",
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
        # It does not answer yet: each plan says so until it does.
        return
    if problem:
        raise ConfigurationError([f"WPPCONNECT_DOCKER_HOST: {problem}"])
