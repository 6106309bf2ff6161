"""A process that counts in the store and in the history for ever, and tells what is confirmed."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.models import HistoryEntry
from core.store import FileStore, History, modify


def incremented(value: dict[str, Any] | None) -> dict[str, Any]:
    """Count one up."""
    return {"n": value["n"] + 1 if value else 1}


def main(directory: Path, name: str) -> None:
    """Count in a record of our own, in one that all writers share, and in the history."""
    store, history = FileStore(directory / "store"), History(directory / "history")
    while True:
        own = modify(store, "tokens", name, incremented)
        assert own
        confirm(f"own {own.value['n']}")
        modify(store, "tokens", "shared", incremented)
        confirm("shared")
        count = own.value["n"]
        history.append(HistoryEntry(at=datetime.now(UTC), kind="operation", session=name, data={"n": count}))
        confirm(f"history {count}")


def confirm(text: str) -> None:
    """Say it with one system call: what was said survives our being killed."""
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
