"""`wppconnect-ops run`: the whole product in the foreground, with a simulated gateway if none is set."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from core.signals import STOP_SIGNALS, ending_with_zero


@click.command(
    epilog="Addresses: DASHBOARD_LISTEN_ADDRESS, EXPORTER_WEB_LISTEN_ADDRESS, and for the demo "
    "SIMULATOR_GATEWAY_PORT and SIMULATOR_PHONE_PORT. Exit code: 0 after Ctrl-C or SIGTERM, 1 when one part "
    "ended by itself, 2 for configuration mistakes and taken ports."
)
@click.pass_obj
def run(environ: Mapping[str, str], /) -> int:
    """Start everything in the foreground.

    Starts the exporter, the page and, if WPPCONNECT_URL is not set, a simulated gateway. Ctrl-C ends all of
    them.
    """
    with ending_with_zero(*STOP_SIGNALS):
        from cli.plan import make_plan
        from cli.supervisor import Supervisor

        plan = make_plan(environ, Path.cwd(), at_terminal=sys.stdout.isatty())
        return Supervisor(plan.services, welcome=plan.welcome).run()
