"""Persistent storage: small records by subject, and the history log."""

from core.store.engines import is_in_database, open_store
from core.store.file_store import FileStore
from core.store.history import History
from core.store.protocol import HistoryLog, Record, Store, modify
from core.store.unreadable import Unreadable

__all__ = [
    "FileStore",
    "History",
    "HistoryLog",
    "Record",
    "Store",
    "Unreadable",
    "is_in_database",
    "modify",
    "open_store",
]
