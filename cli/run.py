"""`wppconnect-ops run`: the whole product in the foreground, with a simulated gateway when none is named."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from core.signals import ending_with_zero

MISCONFIGURED = 2


def run(environ: Mapping[str, str]) -> int:
    """Check everything, start everything, and stay until it ends; returns the exit code."""
    with ending_with_zero(signal.SIGINT, signal.SIGTERM):
        from cli.plan import make_plan
        from cli.supervisor import Supervisor
        from core.exceptions import ConfigurationError

        try:
            plan = make_plan(environ, Path.cwd(), at_terminal=sys.stdout.isatty())
        except ConfigurationError as error:
            lines = "".join(f"  {problem}\n" for problem in error.problems)
            sys.stderr.write(f"wppconnect-ops run: cannot start:\n{lines}")
            return MISCONFIGURED
        return Supervisor(plan.services, welcome=plan.welcome).run()
