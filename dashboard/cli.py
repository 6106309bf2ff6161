"""`wppconnect-dashboard`: read the settings, open the core, serve the page.

Slow modules are imported where they are needed, so that `--help` and `--version` respond at once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from core.commands import run_command, version_option
from core.console import ends_quietly
from dashboard.serving.stopping import StopSignals

if TYPE_CHECKING:
    from core.clock import Now
    from core.gateways.protocol import Waits
    from core.settings.environment import CoreEnvironment
    from dashboard.settings import DashboardEnvironment

PROGRAM = "wppconnect-dashboard"
EPILOG = """Settings come from the environment: DASHBOARD_LISTEN_ADDRESS (127.0.0.1:8501),
DASHBOARD_EXTERNAL_URL, DASHBOARD_SECURE_COOKIE (auto, true or false), DASHBOARD_TRUSTED_PROXIES,
DASHBOARD_SIGN_IN_IDLE_HOURS (12), DASHBOARD_SIGN_IN_MAX_HOURS (168), DASHBOARD_PRINT_LINK, and the
WPPCONNECT_* variables of docs/settings.md. While nobody has a password, each start makes a one-time link to
set the administrator's: on the terminal, or in the file first-sign-in-link in the data folder."""


@click.command(help="Serve the operations page for WPPConnect sessions.", epilog=EPILOG)
@version_option(PROGRAM)
@click.pass_obj
def command(environ: Mapping[str, str] | None) -> int:
    """Run the page."""
    return run(environ)


@ends_quietly
def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(command, argv, program=PROGRAM, environ=environ)


def run(
    environ: Mapping[str, str] | None = None, *, waits: Waits | None = None, now: Now | None = None
) -> int:
    """Serve until a signal and return 0; raises ConfigurationError and other errors of ours.

    `waits` and `now` replace the waiting times and the clock, for a simulated gateway.
    """
    stop_signals = StopSignals()
    with stop_signals.handled():
        own, environment = _read_settings(environ)
        _serve(own, environment, stop_signals, waits, now)
        stop_signals.finish()
    return 0


def _read_settings(environ: Mapping[str, str] | None) -> tuple[DashboardEnvironment, CoreEnvironment]:
    """Read both sets of settings and configure logging. Raises ConfigurationError with every mistake."""
    import logging

    from core.logs import configure_logging
    from core.settings.environment import CoreEnvironment
    from core.settings.loader import load_settings, require_all
    from dashboard.settings import DashboardEnvironment

    own = load_settings(DashboardEnvironment, environ)
    core = load_settings(CoreEnvironment, environ)
    require_all(own, core)
    configure_logging(core.values.log_level, core.values.log_format)
    for warning in (*own.warnings, *core.warnings):
        logging.getLogger(__name__).warning("setting_doubtful %s", warning)
    return own.values, core.values


def _serve(
    own: DashboardEnvironment,
    environment: CoreEnvironment,
    stop_signals: StopSignals,
    waits: Waits | None,
    now: Now | None,
) -> None:
    from functools import partial

    from core import clock
    from core.logs import configure_logging
    from core.runtime import open_core
    from dashboard import server, state
    from dashboard.handoff.routes import HandoffRoutes
    from dashboard.serving import access

    server.check_address(own)
    now = now or clock.now
    core = open_core(environment, program=PROGRAM, waits=waits, now=now)
    try:
        auth = access.open_desk(
            own,
            store=core.store,
            history=core.history,
            data_directory=core.data_directory,
            locks=core.coordination.locks,
        )
        state.install(core)
        handoff = HandoffRoutes(
            core.handoffs,
            core.monitor,
            core.operations,
            own,
            may_make=auth.is_operator,
            settings_of=lambda server, session: core.settings.current().session(server, session),
            now=now,
        )
        core.monitor.start()
        server.serve(
            own,
            auth,
            handoff,
            stop_signals=stop_signals,
            configure_logging=partial(configure_logging, environment.log_level, environment.log_format),
            to_terminal=own.print_link or sys.stdout.isatty(),
        )
    finally:
        core.stop()
        state.uninstall()
