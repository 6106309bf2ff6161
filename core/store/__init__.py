"""Persistent storage: small records by subject, and the history log."""

from core.store.coordination import Coordination, OneMachine, ProberLease
from core.store.engines import is_in_database, open_coordination, open_store
from core.store.file_store import FileStore
from core.store.history import History
from core.store.memory import MemoryStore
from core.store.protocol import HistoryLog, Record, Store, modify
from core.store.unreadable import Unreadable

__all__ = [
    "Coordination",
    "FileStore",
    "History",
    "HistoryLog",
    "MemoryStore",
    "OneMachine",
    "ProberLease",
    "Record",
    "Store",
    "Unreadable",
    "is_in_database",
    "modify",
    "open_coordination",
    "open_store",
]
