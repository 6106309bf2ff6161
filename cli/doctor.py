"""`wppconnect-ops doctor [SESSION]`: run checks against the gateway and print the cause."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.console import FAILED

if TYPE_CHECKING:
    from core.doctor.diagnosis import Diagnosis
    from core.models import SessionSnapshot
    from core.runtime import Core
    from core.settings.values import Settings

FIRST_PROBE_SECONDS = 15.0
"""How long to wait for the first probe, which finds the start of the state and the gateway's release."""


@click.command(epilog="Exit code: 0 if there is no problem, 1 if there is one, 2 for configuration mistakes.")
@click.argument("session", required=False)
@click.option("--server", metavar="NAME", help="The server's name; required if several have the session.")
@click.option(
    "--end-to-end",
    is_flag=True,
    help="Also query WhatsApp itself, by looking up a number that is not registered.",
)
@click.pass_obj
def doctor(environ: Mapping[str, str], /, session: str | None, server: str | None, end_to_end: bool) -> int:
    """Check a session or the gateways, one check after the other, until the cause of a problem is found.

    Prints the cause and the next step. Without SESSION the gateways are checked. The output contains no
    secrets and is safe to share.
    """
    from cli.pairing import pairing_environment
    from core.doctor.diagnosis import Cause
    from core.logs import configure_logging
    from core.runtime import open_core
    from core.version import version
    from dashboard.text.diagnosis import report
    from dashboard.text.engine import translate_for

    environment = pairing_environment(environ, Path.cwd())
    configure_logging("ERROR", environment.log_format)
    core = open_core(environment, program="wppconnect-ops")
    causes = []
    try:
        patients = find_patients(core.settings.current(), session, server)
        core.monitor.start()
        for diagnosis in _examine(core, patients, end_to_end):
            seen = core.monitor.snapshot().session(diagnosis.server, diagnosis.session or "")
            print(report(translate_for(seen), diagnosis, version()), end="\n\n")
            causes.append(diagnosis.cause)
    finally:
        core.stop()
    if patients[0][1] is None:
        print("For one of its sessions: wppconnect-ops doctor SESSION")
    return 0 if set(causes) == {Cause.WELL} else FAILED


def find_patients(
    settings: Settings, session: str | None, server: str | None
) -> list[tuple[str, str | None]]:
    """Return the server and session pairs to examine; the session is None to examine a gateway itself.

    Without `session`: the only configured session, else each gateway. Raise ConfigurationError with the
    existing names if there is no match.
    """
    from cli.environment import NO_SERVER
    from cli.pairing import find_server
    from core.exceptions import ConfigurationError
    from core.gateways.registry import kind_of

    if session is not None:
        problem = kind_of().session_name_problem(session)
        if problem is not None:
            raise ConfigurationError([problem])
        return [(find_server(settings, session, server), session)]
    if not settings.servers:
        raise ConfigurationError([NO_SERVER])
    chosen = [one for one in settings.servers if server in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in settings.servers)
        raise ConfigurationError([f"there is no server {server!r}; servers: {known}"])
    if len(chosen) == 1 and len(chosen[0].sessions) == 1:
        return [(chosen[0].name, chosen[0].sessions[0].name)]
    return [(one.name, None) for one in chosen]


def _examine(
    core: Core, patients: Sequence[tuple[str, str | None]], asks_whatsapp: bool
) -> Iterator[Diagnosis]:
    from core.doctor.examination import examine

    for server, session in patients:
        if session is not None:
            core.monitor.wait_for(
                server, session, _was_looked_at, timeout_seconds=FIRST_PROBE_SECONDS, stop=threading.Event()
            )
        yield examine(core, server, session, asks_whatsapp=asks_whatsapp)


def _was_looked_at(seen: SessionSnapshot) -> bool:
    return seen.observed_at is not None or not seen.enabled
