"""`wppconnect-ops pair SESSION`: link a phone from a terminal."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from core.console import FAILED, INTERRUPTED
from core.signals import ending_with_zero


@click.command(
    epilog="Exit code: 0 when the session is connected (or after SIGTERM), 1 when it is not, 2 for "
    "configuration mistakes, 130 after Ctrl-C."
)
@click.argument("session")
@click.option("--server", metavar="NAME", help="The server's name; required if several have the session.")
@click.option(
    "--phone",
    metavar="NUMBER",
    help="Show a pairing code for this number (country code first) instead of a QR code.",
)
@click.pass_obj
def pair(environ: Mapping[str, str], /, session: str, server: str | None, phone: str | None) -> int:
    """Start SESSION and link a phone with a QR code.

    Shows the QR code, or with --phone a pairing code, in the terminal and renews it until the phone is
    connected.
    """
    try:
        with ending_with_zero(signal.SIGTERM):
            return _pair(environ, session, server, phone)
    except KeyboardInterrupt:
        sys.stderr.write("Left; nothing more is done. A code that was shown expires by itself.\n")
        return INTERRUPTED


def _pair(environ: Mapping[str, str], session: str, server: str | None, phone: str | None) -> int:
    from core.exceptions import ConfigurationError

    if not sys.stdout.isatty() or environ.get("TERM") == "dumb":
        raise ConfigurationError(
            ["the output is no terminal; a code links a phone to the account and must not land in a log"]
        )
    if phone is not None and not re.fullmatch(r"\+?[\d ().-]*", phone):
        raise ConfigurationError(["--phone: write digits only, country code first"])
    if phone is not None and not 8 <= sum(sign.isdigit() for sign in phone) <= 15:
        raise ConfigurationError(["--phone: a number has 8 to 15 digits, country code included"])

    from cli.pairing import Pairing, find_server, pairing_environment
    from core.logs import configure_logging
    from core.runtime import open_core

    environment = pairing_environment(environ, Path.cwd())
    # Log lines on a terminal would overwrite the code. Redirected ones do not.
    configure_logging("ERROR" if sys.stderr.isatty() else environment.log_level, environment.log_format)
    core = open_core(environment, program="wppconnect-ops")
    try:
        found = find_server(core.settings.current(), session, server)
        core.monitor.start()
        return 0 if Pairing(core, found, session, out=sys.stdout).run(phone) else FAILED
    finally:
        core.stop()
