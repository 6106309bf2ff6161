"""`wppconnect-exporter`: read flags and environment, build the objects, run.

Slow modules are imported where they are needed, so that `--help` and `--version` respond at once.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from core.commands import run_command, version_option
from core.console import FAILED, ends_quietly
from core.signals import STOP_SIGNALS, ending_with_zero
from core.version import version

if TYPE_CHECKING:
    import socket

    from core.models import Snapshot
    from core.runtime import Core
    from core.settings.environment import CoreEnvironment
    from core.settings.loader import Loaded
    from exporter.access import Access
    from exporter.settings import ExporterEnvironment

    ReadSettings = Callable[[], tuple[ExporterEnvironment, CoreEnvironment]]

PROGRAM = "wppconnect-exporter"
EPILOG = """Each flag can also be given as a variable: EXPORTER_WEB_LISTEN_ADDRESS, EXPORTER_WEB_CONFIG_FILE,
EXPORTER_WEB_ENABLE_LIFECYCLE, EXPORTER_LOG_LEVEL, EXPORTER_LOG_FORMAT; the flag wins. The webhook's word is
EXPORTER_WEBHOOK_TOKEN_FILE or EXPORTER_WEBHOOK_TOKEN. The gateway is described by WPPCONNECT_URL,
WPPCONNECT_SECRET_KEY, WPPCONNECT_SESSIONS and the other variables of docs/settings.md, and by what was saved
on the page. SIGHUP reads secret files and the web configuration anew."""


@click.command(
    help="Serve the state of WPPConnect sessions to Prometheus.",
    epilog=EPILOG,
    # Report unknown options together with all other mistakes.
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.option(
    "--web.listen-address",
    "web_listen_address",
    metavar="HOST:PORT",
    help="Where to listen (default 127.0.0.1:21466; :21466 for every address).",
)
@click.option(
    "--web.config.file",
    "web_config_file",
    metavar="PATH",
    type=click.Path(),
    help="TLS and basic authentication, in the web.yml format of the Prometheus project.",
)
@click.option(
    "--web.enable-lifecycle", "web_enable_lifecycle", flag_value="true", help="Allow POST /-/reload."
)
@click.option("--log.level", "log_level", metavar="LEVEL", help="debug, info (default), warning or error.")
@click.option("--log.format", "log_format", metavar="FORMAT", help="text (default) or json.")
@click.option("--config.check", "check", is_flag=True, help="Check the configuration and exit.")
@click.option("--once", is_flag=True, help="Probe once, print the metrics, exit 1 if no gateway answered.")
@version_option(PROGRAM)
@click.pass_context
def command(context: click.Context, /, check: bool, once: bool, **settings: str | None) -> int:
    """Run the exporter; return 0 after a regular stop, 1 after a failure, 2 for configuration mistakes."""
    names = {one.name: one.opts[0] for one in context.command.params}
    flags = {field: (names[field], value) for field, value in settings.items()}

    def read_again() -> tuple[ExporterEnvironment, CoreEnvironment]:
        own, core = _read_settings(flags, context.args, context.obj)
        return own.values, core.values

    with ending_with_zero(*(() if once or check else STOP_SIGNALS)):
        own, core = _read_settings(flags, context.args, context.obj)
        _start_logging(own, core)
        if check:
            return _check(own.values, core.values)
        if once:
            return _probe_once(own.values, core.values)
        return _serve(own.values, core.values, read_again)


@ends_quietly
def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(command, argv, program=PROGRAM, environ=environ)


def _read_settings(
    flags: Mapping[str, tuple[str, str | None]], unknown: Sequence[str], environ: Mapping[str, str] | None
) -> tuple[Loaded[ExporterEnvironment], Loaded[CoreEnvironment]]:
    """Return both groups of settings; raise ConfigurationError with all mistakes."""
    from core.exceptions import ConfigurationError
    from core.settings.environment import CoreEnvironment
    from core.settings.loader import load_settings, require_all
    from exporter.settings import ExporterEnvironment

    own = load_settings(ExporterEnvironment, environ, flags=flags)
    core = load_settings(CoreEnvironment, environ)
    # Repeat only the name of an unknown flag: its value may be a secret.
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
    return own, core


def _start_logging(own: Loaded[ExporterEnvironment], core: Loaded[CoreEnvironment]) -> None:
    import logging

    from core.logs import configure_logging

    configure_logging(
        own.values.log_level or core.values.log_level, own.values.log_format or core.values.log_format
    )
    for warning in (*own.warnings, *core.warnings):
        logging.getLogger(__name__).warning("setting_doubtful %s", warning)


def _check(own: ExporterEnvironment, core: CoreEnvironment) -> int:
    from core.exceptions import ConfigurationError
    from core.settings.source import SettingsSource
    from core.store import open_store
    from exporter.web_config import read_web_config

    store, _ = open_store(core.data_dir.expanduser().absolute(), core.database)
    with contextlib.closing(store):
        problems = [*map(str, SettingsSource(core, store).problems)]
    try:
        read_web_config(own.web_config_file)
    except ConfigurationError as error:
        problems.extend(error.problems)
    if problems:
        raise ConfigurationError(problems)
    return _print("The configuration is valid.\n")


def _probe_once(own: ExporterEnvironment, environment: CoreEnvironment) -> int:
    from core.runtime import open_core

    core = open_core(environment, program=PROGRAM)
    try:
        snapshot = core.monitor.probe_once()
        return _report(snapshot, core, own.metric_tags)
    finally:
        core.stop()


def _report(snapshot: Snapshot, core: Core, metric_tags: Sequence[str]) -> int:
    from core.clock import now
    from exporter.exposition import Exposition, Format
    from exporter.own_metrics import OwnMetrics
    from exporter.tags import TagLabels

    exposition, settings = Exposition(OwnMetrics(version())), core.settings.current()
    tags = TagLabels(metric_tags).of(settings)
    _print(exposition.body(snapshot, now(), settings.timeouts, Format.TEXT, tags=tags).decode())
    if any(server.up for server in snapshot.servers):
        return 0
    hint = "no gateway answered" if snapshot.servers else "no gateway is configured: set WPPCONNECT_URL"
    sys.stderr.write(f"{PROGRAM}: {hint}\n")
    return FAILED


GC_THRESHOLDS = (10_000, 50, 100)
"""Python uses 700, 10, 10. A full collection stops all threads, for 0.3 s with ten thousand sessions, and
every fifth scrape led to one. What is discarded here is hardly ever part of a cycle."""


def _serve(own: ExporterEnvironment, environment: CoreEnvironment, read_again: ReadSettings) -> int:
    from exporter.access import Access
    from exporter.listening import listen
    from exporter.web_config import read_web_config

    access = Access(read_web_config(own.web_config_file))
    # Open the port first: of two exporters competing for it, only one may compete for the gateways.
    with contextlib.closing(listen(own.web_listen_address)) as listener:
        from core.runtime import open_core

        core = open_core(environment, program=PROGRAM)
        try:
            # A store that cannot be read ends the start here, before threads meet it, too.
            core.settings.current()
            gc.set_threshold(*GC_THRESHOLDS)
            core.monitor.start()
            _answer(own, core, access, listener, read_again)
        finally:
            has_ended = core.stop()
    if not has_ended:
        _end_now()
    # The interpreter's last collections would look at all that was kept: 0.4 s with ten thousand sessions.
    gc.freeze()
    return 0


def _end_now() -> NoReturn:
    """End the process although threads still wait for a lock or a disk; all data has been written.

    The interpreter would end these threads inside their calls, which aborts in a compiled extension.
    """
    import logging

    logging.getLogger(__name__).warning("stop_took_too_long")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _answer(
    own: ExporterEnvironment, core: Core, access: Access, listener: socket.socket, read_again: ReadSettings
) -> None:
    """Serve until a signal."""
    import logging

    from core.addresses import address_text
    from exporter.app import ExporterApp
    from exporter.exposition import Exposition
    from exporter.listening import make_server
    from exporter.own_metrics import OwnMetrics
    from exporter.probe import Prober, monitored_sessions
    from exporter.probe_trigger import ProbeSeries, ProbeTrigger
    from exporter.reloading import Reloader
    from exporter.tags import TagLabels
    from exporter.web_config import read_web_config
    from exporter.webhook import LinkingEventKeeper, Webhook

    def find_monitored(session: str) -> list[tuple[str, str]]:
        return [one for one in monitored_sessions(core.settings.current()) if one[1] == session]

    def read() -> None:
        new, environment = read_again()
        web = read_web_config(new.web_config_file)
        access.check(web)
        core.settings.renew(environment)
        access.replace(web)
        webhook.token = new.webhook_word

    def reload() -> tuple[str, ...]:
        # Saved settings take effect without a reload, but may have problems of their own.
        return reloader.reload() or tuple(map(str, core.settings.problems))

    def read_state() -> tuple[int, bool]:
        return core.settings.current().revision, not core.settings.problems

    installed = version()
    own_metrics = OwnMetrics(installed, read_state=read_state)
    trigger = ProbeTrigger(core.monitor.hint)
    keeper = LinkingEventKeeper(core.store, core.monitor.snapshot)
    webhook = Webhook(
        own.webhook_word,
        find_monitored=find_monitored,
        series=ProbeSeries(trigger.trigger),
        own=own_metrics,
        keep=keeper.keep,
    )
    reloader = Reloader(read, files=lambda: access.config.files, own=own_metrics)
    app = ExporterApp(
        read_snapshot=core.monitor.snapshot,
        read_settings=core.settings.current,
        exposition=Exposition(own_metrics),
        prober=Prober(read_snapshot=core.monitor.snapshot, trigger=trigger.trigger),
        webhook=webhook,
        access=access,
        reload=reload if own.web_enable_lifecycle else None,
        version=installed,
        tag_labels=TagLabels(own.metric_tags),
    )
    log = logging.getLogger(__name__)
    address, tls = address_text(listener.getsockname()), access.tls is not None
    with reloader.running():
        log.info("exporter_started version=%s address=%s tls=%s", installed, address, tls)
        if not core.settings.current().servers:
            log.warning("nothing_to_watch remedy=%r", "set WPPCONNECT_URL, or add a gateway on the page")
        make_server(app, tls=access.tls).run(sockets=[listener])
        log.info("exporter_stopped")
    trigger.stop()
    keeper.stop()


def _print(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0
