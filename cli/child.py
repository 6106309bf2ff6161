"""Run one of our programs as a child of `wppconnect-ops run`: `python -m cli.child exporter.cli:main`.

The supervisor holds the other end of standard input and never writes to it. When the supervisor ends, by
`kill -9` too, the pipe closes, and the child ends. A pipe works on every system and from every thread;
PR_SET_PDEATHSIG is Linux only and fires when the *thread* that started the child ends.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading

LAST_MOMENT_SECONDS = 2.0
"""How long the program may take to end by itself once the supervisor has ended."""
ORPHANED = 70


def main() -> int:
    """Run the program named by `module:function`, with a thread that ends it when the supervisor ends."""
    module, _, function = sys.argv[1].partition(":")
    sys.argv = [module, *sys.argv[2:]]
    threading.Thread(target=_end_with_the_supervisor, name="supervisor-watch", daemon=True).start()
    code: int = getattr(importlib.import_module(module), function)()
    return code


def _end_with_the_supervisor() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(LAST_MOMENT_SECONDS)
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main())
