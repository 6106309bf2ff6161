"""`wppconnect-ops sync agent`: run in the background and apply the changes that administrators approve."""

from __future__ import annotations

import os
import signal

from cli.sync_parts import Parts
from core.exceptions import ConfigurationError, ContainerError
from core.sync.agent import Agent
from core.sync.change_requests import AgentStatus, ChangeRequests

PROGRAM = "wppconnect-ops sync agent"


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
        # The engine does not respond yet. Each plan reports it until it does.
        return
    if problem:
        raise ConfigurationError([f"WPPCONNECT_DOCKER_HOST: {problem}"])
