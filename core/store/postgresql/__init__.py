"""The store and the history in a PostgreSQL database, for installations with WPPCONNECT_STORE_URL."""

from core.store.postgresql.coordination import DatabaseCoordination
from core.store.postgresql.database import Database
from core.store.postgresql.history import PostgresHistory
from core.store.postgresql.leases import Leases
from core.store.postgresql.store import PostgresStore

__all__ = ["Database", "DatabaseCoordination", "Leases", "PostgresHistory", "PostgresStore"]
