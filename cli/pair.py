"""`wppconnect-ops pair SESSION`: link a phone from a terminal."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.signals import ending_with_zero

FAILED = 1
MISCONFIGURED = 2
INTERRUPTED = 130


def pair(environ: Mapping[str, str], *, session: str, server: str | None, phone: str | None) -> int:
    """Show the code until the session is connected; returns the exit code."""
    try:
        with ending_with_zero(signal.SIGTERM):
            return _pair(environ, session, server, phone)
    except KeyboardInterrupt:
        sys.stderr.write("Left; nothing more is done. A code that was shown expires by itself.\n")
        return INTERRUPTED


def _pair(environ: Mapping[str, str], session: str, server: str | None, phone: str | None) -> int:
    if not sys.stdout.isatty() or environ.get("TERM") == "dumb":
        return _refuse(
            ["the output is no terminal; a code links a phone to the account and must not land in a log"]
        )
    if phone is not None and not re.fullmatch(r"\+?[\d ().-]*", phone):
        return _refuse(["--phone: write digits only, country code first"])
    if phone is not None and not 8 <= sum(sign.isdigit() for sign in phone) <= 15:
        return _refuse(["--phone: a number has 8 to 15 digits, country code included"])

    from cli.pairing import Pairing, find_server, pairing_environment
    from core.exceptions import ConfigurationError, WppconnectError
    from core.logs import configure_logging
    from core.runtime import open_core

    try:
        environment = pairing_environment(environ, Path.cwd())
        # Log lines would be drawn into the code; redirected ones may be as many as they like.
        configure_logging("ERROR" if sys.stderr.isatty() else environment.log_level, environment.log_format)
        core = open_core(environment, program="wppconnect-ops")
        found = find_server(core.settings.current(), session, server)
    except ConfigurationError as error:
        return _refuse(error.problems)
    try:
        core.monitor.start()
        return 0 if Pairing(core, found, session, out=sys.stdout).run(phone) else FAILED
    except WppconnectError as error:
        sys.stderr.write(f"wppconnect-ops pair: {error}\n")
        return FAILED
    finally:
        core.stop()


def _refuse(problems: Sequence[str]) -> int:
    lines = "".join(f"  {problem}\n" for problem in problems)
    sys.stderr.write(f"wppconnect-ops pair: cannot start:\n{lines}")
    return MISCONFIGURED
