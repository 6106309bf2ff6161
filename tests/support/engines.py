"""The engines of the store, for tests that hold them to one contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from core.store import FileStore, History, HistoryLog, Store

if TYPE_CHECKING:
    from core.store.postgresql import Database

FILES = "files"
POSTGRESQL = "postgresql"


class Engine(Protocol):
    """Opens stores and histories on the same data, each as a process of its own does."""

    def store(self) -> Store:
        """Open the store once more."""

    def history(self, **options: Any) -> HistoryLog:
        """Open the history once more."""


class FileEngine:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def store(self) -> Store:
        """Open the store once more."""
        return FileStore(self.folder / "store")

    def history(self, **options: Any) -> HistoryLog:
        """Open the history once more."""
        return History(self.folder / "history", **options)


class PostgresEngine:
    """A PostgreSQL database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._opened: list[Database] = []

    def database(self, *, of: str = "locks", **options: Any) -> Database:
        """Open the database once more; `of` another name is another machine."""
        from core.store.postgresql import Database

        opened = Database(self.url, marker=self.folder / of / "installation.json", **options)
        self._opened.append(opened)
        return opened

    def store(self) -> Store:
        """Open the store once more."""
        from core.store.postgresql import PostgresStore

        return PostgresStore(self.database(), reuse_seconds=0.0)

    def history(self, **options: Any) -> HistoryLog:
        """Open the history once more."""
        from core.store.postgresql import PostgresHistory

        return PostgresHistory(self.database(), **options)

    def execute(self, *statements: str) -> None:
        """Run statements on the tables."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def close(self) -> None:
        """Close all connections."""
        for database in self._opened:
            database.close()


@pytest.fixture(params=[FILES, POSTGRESQL])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each engine in turn."""
    if request.param == FILES:
        yield FileEngine(tmp_path)
    else:
        yield request.getfixturevalue("postgres_engine")


@pytest.fixture
def postgres_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostgresEngine]:
    """An empty database."""
    new_url: Callable[[], str] = request.getfixturevalue("postgresql").new_url
    engine = PostgresEngine(new_url(), tmp_path)
    yield engine
    engine.close()
