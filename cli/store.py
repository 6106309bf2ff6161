"""`wppconnect-ops store`: move the store from files to PostgreSQL, or back."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from core.store.postgresql import Leases, PostgresHistory, PostgresStore

FILES, POSTGRESQL = "files", "postgresql"
INCOMING = ".incoming"
LONGEST_STATEMENT_SECONDS = 600.0


@click.group()
def store() -> None:
    """Move settings, users, tokens and history between the data folder and PostgreSQL."""


@store.command(epilog="Exporter and page must not run. What is moved stays where it was, under another name.")
@click.option("--to", "target", type=click.Choice((POSTGRESQL, FILES)), required=True, help="Where to.")
@click.option("--overwrite", is_flag=True, help="Replace what the database holds already.")
@click.pass_obj
def migrate(environ: Mapping[str, str], /, target: str, overwrite: bool) -> None:
    """Move the store into PostgreSQL, or back into files.

    The database is WPPCONNECT_STORE_URL, the files are in WPPCONNECT_DATA_DIR.
    """
    from cli.backup.load import alone
    from cli.environment import read_environment
    from core.exceptions import ConfigurationError
    from core.settings.environment import load_environment, prepare_data_dir
    from core.store.engines import MARKER
    from core.store.postgresql import Database, Leases, PostgresHistory, PostgresStore

    environment = load_environment(read_environment(environ, Path.cwd()))
    if environment.database is None:
        raise ConfigurationError(["WPPCONNECT_STORE_URL: is not set; name the database"])
    data = prepare_data_dir(environment)
    database = Database(environment.database, marker=data / MARKER, answer_seconds=LONGEST_STATEMENT_SECONDS)
    with closing(database):
        records = PostgresStore(database)
        records.subjects()  # connects first: what is away is said before anything is locked
        with alone(data):
            _require_unused(Leases(database, program="wppconnect-ops", rank=0))
            if target == POSTGRESQL:
                _to_database(data, records, PostgresHistory(database), overwrite=overwrite)
            else:
                _to_files(data, records, PostgresHistory(database))


def _require_unused(leases: Leases) -> None:
    from core.exceptions import WppconnectError

    users = [one.partition("/")[0] for one in leases.users()]
    if users:
        raise WppconnectError(f"the database is in use by {', '.join(users)}; stop them, on all machines")


def _to_database(data: Path, store: PostgresStore, history: PostgresHistory, *, overwrite: bool) -> None:
    from core.exceptions import WppconnectError
    from core.store import FileStore, History
    from core.store.migration import copy, is_empty

    files = FileStore(data / "store")
    if not files.subjects():
        raise WppconnectError(f"{data} holds no store in files; there is nothing to move")
    if overwrite:
        store.clear()
    elif not is_empty(store, history):
        raise WppconnectError("the database holds a store already; name another one, or say --overwrite")
    copied = copy(files, History(data / "history"), store, history)
    for name in ("history", "store"):  # the store last: as long as it is there, the files are in use
        _set_aside(data / name)
    _report(copied.records, copied.entries, "are in PostgreSQL; the files stay beside it as *.before-move-*")


def _to_files(data: Path, store: PostgresStore, history: PostgresHistory) -> None:
    import shutil

    from core.exceptions import WppconnectError
    from core.store import FileStore, History
    from core.store.migration import copy

    if FileStore(data / "store").subjects():
        raise WppconnectError(f"{data} holds a store in files already; move the folder `store` away")
    if not store.subjects():
        raise WppconnectError("the database holds no store; there is nothing to move")
    incoming = {name: data / f"{name}{INCOMING}" for name in ("history", "store")}
    for path in incoming.values():
        shutil.rmtree(path, ignore_errors=True)
    copied = copy(store, history, FileStore(incoming["store"]), History(incoming["history"]))
    for name, path in incoming.items():
        _set_aside(data / name)
        if path.exists():
            path.rename(data / name)
    _report(copied.records, copied.entries, f"are in {data}; now remove WPPCONNECT_STORE_URL")


def _set_aside(folder: Path) -> None:
    from datetime import UTC, datetime

    if folder.exists():
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        folder.rename(folder.with_name(f"{folder.name}.before-move-{moment}"))


def _report(records: int, entries: int, rest: str) -> None:
    sys.stderr.write(
        f"wppconnect-ops store migrate: {records} records and {entries} history entries {rest}\n"
    )
