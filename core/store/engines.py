"""Choose the engine of the store: files in the data folder, or a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from core.clock import Now, now
from core.exceptions import ConfigurationError
from core.store.coordination import Coordination, OneMachine
from core.store.file_store import FileStore
from core.store.history import History
from core.store.protocol import HistoryLog, Store

MARKER = Path("locks", "installation.json")
"""Says that the records of a data folder are in a database; among the locks, since no copy must have it."""


def is_in_database(data: Path) -> bool:
    """Return whether the records of this data folder are in a database."""
    return (data / MARKER).exists() and not any((data / "store").glob("*.json"))


def open_store(data: Path, url: str | None) -> tuple[Store, HistoryLog]:
    """Return the records and the history, in the database at `url` if there is one.

    Nothing is read or connected yet. Raises ConfigurationError if the address cannot be used, or if the data
    folder holds records in files. Without an address, raises it if the records are in a database.
    """
    files = data / "store"
    if url is None:
        if is_in_database(data):
            raise ConfigurationError(
                [
                    f"WPPCONNECT_STORE_URL: is not set, and the store of {data} is in PostgreSQL; set it, or "
                    f"remove {data / MARKER} to begin anew"
                ]
            )
        return FileStore(files), History(data / "history")
    if any(files.glob("*.json")):
        raise ConfigurationError(
            [
                f"WPPCONNECT_STORE_URL: {files} still holds a store in files, which would be ignored; "
                "`wppconnect-ops store migrate --to postgresql` moves it into the database"
            ]
        )
    # Imported here: installations without a database need neither the time nor the memory.
    from core.store.postgresql import Database, PostgresHistory, PostgresStore

    database = Database(url, marker=data / MARKER)
    return PostgresStore(database), PostgresHistory(database)


def open_coordination(
    store: Store, data: Path, *, program: str, rank: int = 0, clock: Now = now
) -> Coordination:
    """Return what the processes on a store share: through its database, or through the data folder.

    `program` names this process; of those that offer to probe, the ones of the lowest `rank` do.
    """
    if isinstance(store, FileStore):
        return OneMachine(data, clock=clock)
    from core.store.postgresql import DatabaseCoordination, PostgresStore

    database = cast(PostgresStore, store).database
    return DatabaseCoordination(database, data, program=program, rank=rank, clock=clock)
