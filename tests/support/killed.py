"""A process that replaces a container, and is killed in the middle of it."""

from __future__ import annotations

import multiprocessing
import os
import signal

from tests.support.containers import carry_out_alone
from tests.support.engine_proxy import EngineProxy

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.support.containers"])


def kill_at(
    proxy: EngineProxy, work: tuple[object, ...], call: tuple[str, str], nth: int, *, done: bool
) -> int:
    """Have a process replace the container and kill it at its nth such call (end of path, method).

    `done`: the engine still does what that call asks for. Returns the exit code.
    """
    path, method = call
    process = PROCESSES.Process(target=carry_out_alone, args=(proxy.host, *work))
    met = 0

    def passes(asked: str) -> bool:
        nonlocal met
        met += asked.startswith(method) and asked.endswith(path)
        if met < nth:
            return True
        if met == nth and asked.startswith(method):
            os.kill(process.pid or 0, signal.SIGKILL)
            proxy.answered.clear()
        return done

    proxy.passes = passes
    process.start()
    process.join(60)
    # A repair must not overtake the engine, which is still at what the dead process asked for.
    assert not done or proxy.answered.wait(60)
    return process.exitcode or 0
