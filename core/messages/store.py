"""Messages about the files or the database that hold the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "database_away": (
        "The database of WPPCONNECT_STORE_URL does not answer, or refuses the connection. What was read last "
        "stays in use; nothing can be saved until it answers again. Check that PostgreSQL runs, and the "
        "address, role, password and database in that setting."
    ),
    "database_full": (
        "The database of WPPCONNECT_STORE_URL has no resources left. Free disk space, memory or connections "
        "on its server."
    ),
    "database_newer": (
        "The database of WPPCONNECT_STORE_URL was written by a newer release (schema {found}, this one "
        "knows {known}). Nothing was changed: install that release again, or name another database."
    ),
    "database_read_only": (
        "The database of WPPCONNECT_STORE_URL is read-only, as a standby is. Name its primary."
    ),
    "database_refuses": (
        "The database of WPPCONNECT_STORE_URL refuses (SQLSTATE {code}). See PostgreSQL's log for details."
    ),
    "database_rights": (
        "The role of WPPCONNECT_STORE_URL lacks rights in its database. Make it the owner of that database."
    ),
    "lease_lost": "Another process has taken over this gateway.",
    "lease_taken": "Another process still holds the lock {name}. Try again in a few seconds.",
    "set_aside": (
        "{file} could not be read and was set aside as {path}; what it held is not in use. Save it again or "
        "restore a backup, then delete that file."
    ),
}
