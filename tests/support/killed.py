"""A process that has a container recreated, and is killed in the middle of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.containers import ComposeProject, apply_alone
from tests.support.engine_proxy import EngineProxy
from tests.support.processes import FORKS, PRELOADED
from tests.support.waiting import until

FORKS.set_forkserver_preload([*PRELOADED, "tests.support.containers"])
Kill = Callable[[int], None]


def kill_at(
    proxy: EngineProxy, project: ComposeProject, call: str, kill: Kill, *, done: bool, number: int = 1
) -> int:
    """Have a process apply, and kill it at a call that begins and ends as `call` ("POST /create").

    `done`: the engine still does what that call asks for; `number`: 2 is the second such call. Returns the
    exit code.
    """
    method, ending = call.split(" ")
    process = FORKS.Process(target=apply_alone, args=(proxy.host, project.root, project.name))
    left = number

    def passes(asked: str) -> bool:
        nonlocal left
        if not (asked.startswith(method) and asked.endswith(ending)):
            return True
        left -= 1
        if left:
            return True
        if done:
            proxy.answered.clear()
        kill(process.pid or 0)
        return done

    proxy.passes = passes
    process.start()
    process.join(60)
    # A repair must not overtake the engine, which is still at what the dead process asked for.
    assert not done or proxy.answered.wait(60)
    return process.exitcode or 0


def only_the_process(pid: int) -> None:
    """Kill the sync alone, as `kill -9` does: the Compose that it started lives on."""
    os.kill(pid, signal.SIGKILL)


def everything(pid: int) -> None:
    """Kill the sync and the Compose that it started, as the end of their machine or container does."""
    os.kill(pid, signal.SIGSTOP)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not any(_runs(int(child)) for child in children), what="the end of Compose")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
