"""Schema of the store files, and migrations from older schemas.

Schema 1, as TinyDB writes its tables:

    {"schema": 1,
     "records": {"1": {"key": "overlay", "version": 3, "value": {...}}},
     "deletions": {"1": {"highest_version": 7}}}

A schema change needs the next number, a migration here and a file of the old schema in tests/data/store/.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.exceptions import StoreError

Tables = dict[str, dict[str, Any]]

SCHEMA_NUMBER = 1
RECORDS = "records"
DELETIONS = "deletions"


class BrokenFileError(ValueError):
    """The file has no valid content; internal to the store, which sets the file aside."""


def decode(content: bytes, path: Path) -> Tables:
    """Parse a file of the current or an older schema; raise BrokenFileError, StoreError for a newer one."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(f"no JSON ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise BrokenFileError("no JSON object")
    number = document.pop("schema", 0)
    if not isinstance(number, int) or number < 0:
        raise BrokenFileError("no schema number")
    if number > SCHEMA_NUMBER:
        raise StoreError(
            f"{path} was written by a newer release (schema {number}, this one reads up to {SCHEMA_NUMBER}); "
            "nothing was changed: install that release again, or set WPPCONNECT_DATA_DIR to another folder",
            operation="read a stored file",
        )
    for older in range(number, SCHEMA_NUMBER):
        document = MIGRATIONS[older](document)
    return _checked(document)


def encode(tables: Tables) -> bytes:
    """Return a file's content in the current schema; raise TypeError or ValueError if JSON cannot hold it."""
    return json.dumps({"schema": SCHEMA_NUMBER, **tables}, allow_nan=False, separators=(",", ":")).encode()


def _from_schema_0(document: dict[str, Any]) -> dict[str, Any]:
    """Add version numbers to plain values, `{"records": {key: value}}`."""
    values = document.get(RECORDS)
    if not isinstance(values, dict):
        raise BrokenFileError("no records")
    rows = {
        str(number): {"key": key, "version": 1, "value": value}
        for number, (key, value) in enumerate(values.items(), start=1)
    }
    return {RECORDS: rows, DELETIONS: {}}


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {0: _from_schema_0}
"""By schema number, the migration to the next one."""


def _checked(document: dict[str, Any]) -> Tables:
    """Return the document if it has the fields that we use; raise BrokenFileError otherwise."""
    records, deletions = document.get(RECORDS, {}), document.get(DELETIONS, {})
    if not isinstance(records, dict) or not isinstance(deletions, dict):
        raise BrokenFileError("no tables")
    keys = set()
    for number, row in records.items():
        match row:
            case {"key": str(key), "version": int(version), "value": dict()} if version > 0:
                keys.add(key)
            case _:
                raise BrokenFileError("a record without key, version or value")
        if not number.isdecimal():
            raise BrokenFileError("a record without number")
    if len(keys) != len(records):
        raise BrokenFileError("a key twice")
    for row in deletions.values():
        if not isinstance(row, dict) or not isinstance(row.get("highest_version"), int):
            raise BrokenFileError("a deletion without version")
    return document
