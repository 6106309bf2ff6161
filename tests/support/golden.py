"""Golden files: texts kept in full, each compared with what is made now."""

from __future__ import annotations

import os
from pathlib import Path

WRITES = os.environ.get("OPS_TEST_GOLDEN") == "write"


def golden_text(path: Path, made: str) -> str:
    """Return a golden file's text; with OPS_TEST_GOLDEN=write, keep the text that is made now first."""
    if WRITES:
        path.write_text(made)
    return path.read_text()
