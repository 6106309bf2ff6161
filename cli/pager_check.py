"""`wppconnect-ops test-pager`: verify that notifications are delivered, and measure each leg."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import click

from core.console import INTERRUPTED
from core.signals import ending_with_zero

WORDS = {
    "accepted": "accepted by Alertmanager",
    "routed": "routed to {names}",
    "delivered": "alert delivered by {names}",
    "end_accepted": "end accepted by Alertmanager",
    "end_delivered": "resolved alert delivered by {names}",
}


@click.command(
    epilog="ALERTMANAGER_URL: where Alertmanager is, for example http://127.0.0.1:9093. Exit code: 0 when "
    "both notices went out, 1 when not, 2 for configuration mistakes, 130 after Ctrl-C."
)
@click.option(
    "--timeout",
    "timeout_seconds",
    metavar="SECONDS",
    type=float,
    default=300.0,
    show_default=True,
    help="How long to wait for each notice.",
)
@click.pass_obj
def check_pager(environ: Mapping[str, str], /, timeout_seconds: float) -> int:
    """Fire a harmless alert on the route of a lost session's alerts.

    The alert is resolved once Alertmanager has sent a notification. Prints how long each leg took.
    """
    from cli.environment import read_environment
    from core.alertmanager.api import Alertmanager
    from core.alertmanager.pager_check import Leg, PagerCheck, Passed
    from core.exceptions import ConfigurationError
    from core.settings.environment import load_environment
    from core.settings.source import SettingsSource
    from core.store import open_store

    environment = load_environment(read_environment(environ, Path.cwd()))
    # Settings saved on the page take precedence here, too.
    store, _ = open_store(environment.data_dir.expanduser().absolute(), environment.database)
    with closing(store):
        settings = SettingsSource(environment, store).current()
    if settings.alertmanager is None:
        raise ConfigurationError(
            ["ALERTMANAGER_URL: set it to Alertmanager's address, for example http://127.0.0.1:9093"]
        )

    def report(passed: Passed) -> None:
        names = ", ".join(passed.names)
        if passed.leg is Leg.ALSO_TOLD:
            print(f"            Alertmanager counts by kind, and {names} notifies in the same way: a notice")
            print("            below may be its own, so look whether both of ours have arrived.", flush=True)
        else:
            print(f"{passed.seconds:8.2f} s  {WORDS[passed.leg].format(names=names)}", flush=True)

    try:
        with ending_with_zero(signal.SIGTERM), closing(Alertmanager(settings.alertmanager)) as asked:
            PagerCheck(asked, report, timeout_seconds=timeout_seconds).run()
    except KeyboardInterrupt:
        sys.stderr.write("wppconnect-ops test-pager: left; the alert has been ended\n")
        return INTERRUPTED
    return 0
