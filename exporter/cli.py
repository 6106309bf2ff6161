"""`wppconnect-exporter`: read flags and environment, wire, run.

Whatever is slow to import is imported where it is needed: `--help` and `--version` answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from core.models import Snapshot
    from core.runtime import Core
    from core.settings import CoreEnvironment
    from exporter.settings import ExporterEnvironment

PROGRAM = "wppconnect-exporter"
FAILED = 1
MISCONFIGURED = 2
EPILOG = """Each flag can also be given as a variable: EXPORTER_WEB_LISTEN_ADDRESS, EXPORTER_LOG_LEVEL,
EXPORTER_LOG_FORMAT; the flag wins. The gateway is described by WPPCONNECT_URL, WPPCONNECT_SECRET_KEY,
WPPCONNECT_SESSIONS and the other WPPCONNECT_* variables of the README, and by what was saved on the page."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the exporter; returns 0 after a wanted stop, 1 after a failure, 2 for configuration mistakes."""
    arguments, unknown = _parser().parse_known_args(argv)
    if arguments.version:
        return _print(f"{PROGRAM} {_version()} (Python {sys.version.split()[0]})\n")
    with contextlib.nullcontext() if arguments.once or arguments.check else _signals_end_with_zero():
        return _run(arguments, unknown, environ)


def _run(arguments: argparse.Namespace, unknown: list[str], environ: Mapping[str, str] | None) -> int:
    from core.exceptions import ConfigurationError, WppconnectError

    try:
        own, core = _read_settings(arguments, unknown, environ)
        if arguments.check:
            return _print("The configuration is valid.\n")
        return _probe_once(core) if arguments.once else _serve(own, core)
    except ConfigurationError as error:
        lines = "".join(f"  {problem}\n" for problem in error.problems)
        sys.stderr.write(f"{PROGRAM}: the configuration is wrong:\n{lines}")
        return MISCONFIGURED
    except WppconnectError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        allow_abbrev=False,
        description="Serve the state of WPPConnect sessions to Prometheus.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        help="where to listen (default 127.0.0.1:21466; :21466 for every address)",
    )
    add("--log.level", dest="log_level", metavar="LEVEL", help="debug, info (default), warning or error")
    add("--log.format", dest="log_format", metavar="FORMAT", help="text (default) or json")
    add("--config.check", dest="check", action="store_true", help="check the configuration and exit")
    add("--once", action="store_true", help="probe once, print the metrics, exit 1 if no gateway answered")
    add("--version", action="store_true", help="print the version and exit")
    return parser


def _read_settings(
    arguments: argparse.Namespace, unknown: list[str], environ: Mapping[str, str] | None
) -> tuple[ExporterEnvironment, CoreEnvironment]:
    """Read both sets of settings and start logging; raises ConfigurationError with every mistake."""
    import logging

    from core.exceptions import ConfigurationError
    from core.logs import configure_logging
    from core.settings import CoreEnvironment, load_settings, require_all
    from exporter.settings import ExporterEnvironment

    flags = {
        "web_listen_address": ("--web.listen-address", arguments.listen_address),
        "log_level": ("--log.level", arguments.log_level),
        "log_format": ("--log.format", arguments.log_format),
    }
    own = load_settings(ExporterEnvironment, environ, flags=flags)
    core = load_settings(CoreEnvironment, environ)
    # An unknown flag is not repeated beyond its name: a secret may have been pasted behind it.
    flags_unknown = [one.partition("=")[0] for one in unknown if one.startswith("-")]
    problems = [f"{flag}: is not a flag of ours; see --help" for flag in flags_unknown]
    if unknown and not problems:
        problems = ["the command line has words that belong to no flag; see --help"]
    try:
        require_all(own, core)
    except ConfigurationError as error:
        problems.extend(error.problems)
    if problems:
        raise ConfigurationError(problems)
    configure_logging(
        own.values.log_level or core.values.log_level, own.values.log_format or core.values.log_format
    )
    for warning in (*own.warnings, *core.warnings):
        logging.getLogger(__name__).warning("setting_doubtful %s", warning)
    return own.values, core.values


def _probe_once(environment: CoreEnvironment) -> int:
    from core.runtime import open_core

    core = open_core(environment, program=PROGRAM)
    try:
        snapshot = core.monitor.probe_once()
        return _report(snapshot, core)
    finally:
        core.stop()


def _report(snapshot: Snapshot, core: Core) -> int:
    from core.clock import now
    from exporter.exposition import Exposition
    from exporter.lines import Format

    exposition = Exposition(version=_version())
    _print(exposition.body(snapshot, now(), core.settings.current().timeouts, Format.TEXT).decode())
    if any(server.up for server in snapshot.servers):
        return 0
    hint = "no gateway answered" if snapshot.servers else "no gateway is configured: set WPPCONNECT_URL"
    sys.stderr.write(f"{PROGRAM}: {hint}\n")
    return FAILED


def _serve(own: ExporterEnvironment, environment: CoreEnvironment) -> int:
    import logging

    from core.addresses import address_text
    from exporter.exposition import Exposition
    from exporter.listening import listen, make_server
    from exporter.server import ExporterApp

    # The port comes first: two exporters that compete for it must not compete for the gateways.
    with contextlib.closing(listen(own.web_listen_address)) as listener:
        from core.runtime import open_core

        core = open_core(environment, program=PROGRAM)
        try:
            core.monitor.start()
            version = _version()
            app = ExporterApp(
                read_snapshot=core.monitor.snapshot,
                read_timeouts=lambda: core.settings.current().timeouts,
                exposition=Exposition(version=version),
                version=version,
            )
            log = logging.getLogger(__name__)
            log.info("exporter_started version=%s address=%s", version, address_text(listener.getsockname()))
            make_server(app).run(sockets=[listener])
            log.info("exporter_stopped")
        finally:
            core.stop()
    return 0


@contextlib.contextmanager
def _signals_end_with_zero() -> Iterator[None]:
    """End with code 0 on SIGTERM and SIGINT while starting and stopping, too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, _leave) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("wppconnect-ops")
    except PackageNotFoundError:
        # Run from a folder that nobody installed.
        return "unknown"


def _print(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0
