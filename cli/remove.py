"""`wppconnect-ops remove SESSION`: remove a closed session from its gateway for good."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from core.console import FAILED


@click.command(epilog="Exit code: 0 when removed, 1 when not, 2 for configuration mistakes.")
@click.argument("session")
@click.option("--server", metavar="NAME", help="The server's name; required if several have the session.")
@click.option("--yes", is_flag=True, help="Do not ask for the session's name first.")
@click.pass_obj
def remove(environ: Mapping[str, str], /, session: str, server: str | None, yes: bool) -> int:
    """Remove SESSION from its gateway and from the settings, with its pairing and token.

    Cannot be undone: to use the session again, it has to be paired anew. The gateway no longer starts it at
    each boot. It has to be closed, and the gateway newer than release 2.10.16.
    """
    from cli.environment import actor
    from cli.pairing import confirms, find_server, pairing_environment
    from core.logs import configure_logging
    from core.runtime import open_core

    environment = pairing_environment(environ, Path.cwd())
    configure_logging("ERROR", environment.log_format)
    core = open_core(environment, program="wppconnect-ops")
    try:
        found = find_server(core.settings.current(), session, server)
        if not yes and not confirms(session, f"remove it from the gateway {found} for good", sys.stdout):
            print("Nothing was removed.")
            return FAILED
        outcome = core.operations.remove(found, session, actor=actor())
    finally:
        core.stop()
    print(outcome.message)
    return 0 if outcome.ok else FAILED
