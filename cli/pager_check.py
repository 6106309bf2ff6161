"""`wppconnect-ops test-pager`: prove that a page goes out, and say how long each leg takes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from core.signals import ending_with_zero

FAILED = 1
MISCONFIGURED = 2
INTERRUPTED = 130

WORDS = {
    "accepted": "accepted by Alertmanager",
    "routed": "routed to {names}",
    "delivered": "notice delivered by {names}",
    "end_accepted": "end accepted by Alertmanager",
    "end_delivered": "resolved notice delivered by {names}",
}


def check_pager(environ: Mapping[str, str], *, timeout_seconds: float) -> int:
    """Fire, wait, end, wait; returns the exit code."""
    from cli.environment import read_environment
    from core.alertmanager.api import Alertmanager
    from core.alertmanager.pager_check import Leg, PagerCheck, Passed
    from core.exceptions import AlertmanagerError, WppconnectError
    from core.settings.environment import load_environment
    from core.settings.source import SettingsSource
    from core.store import FileStore

    try:
        environment = load_environment(read_environment(environ, Path.cwd()))
        # What was saved on the page wins here, too.
        settings = SettingsSource(environment, FileStore(environment.data_dir / "store")).current()
    except WppconnectError as error:
        return _complain(error.message, MISCONFIGURED)
    if settings.alertmanager is None:
        return _complain(
            "ALERTMANAGER_URL: set it to Alertmanager's address, for example http://127.0.0.1:9093",
            MISCONFIGURED,
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
    except AlertmanagerError as error:
        return _complain(error.message, FAILED)
    except KeyboardInterrupt:
        return _complain("left; the alert has been ended", INTERRUPTED)
    return 0


def _complain(problem: str, code: int) -> int:
    for line in problem.splitlines():
        sys.stderr.write(f"wppconnect-ops test-pager: {line}\n")
    return code
