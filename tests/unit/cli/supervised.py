"""A process that supervises fake services: `supervised.py FILE`, the file holding the services as JSON."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.supervisor import Service, Supervisor


def welcome(handed_over: Sequence[str]) -> str:
    """Write what a test looks for."""
    return f"WELCOME {list(handed_over)}"


for one in (signal.SIGINT, signal.SIGHUP):
    signal.signal(one, signal.SIG_DFL)  # As at a terminal, also when the suite itself runs under nohup.
plan = json.loads(Path(sys.argv[1]).read_text())
services = [Service(**{**one, "command": tuple(one["command"])}) for one in plan["services"]]
sys.exit(Supervisor(services, welcome=welcome, start_seconds=plan["start_seconds"]).run())
