"""Persistent storage: small records by subject, and the history log."""

from core.store.file_store import FileStore
from core.store.history import History
from core.store.protocol import Record, Store, modify
from core.store.unreadable import Unreadable

__all__ = ["FileStore", "History", "Record", "Store", "Unreadable", "modify"]
