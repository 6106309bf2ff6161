"""Start the sync agent as `Stack.start_program` does: for files only, unless an engine is named."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cli.main import main as wppconnect_ops


def main(argv: Sequence[str]) -> int:
    """Run `wppconnect-ops sync agent`."""
    files_only = [] if os.environ.get("WPPCONNECT_DOCKER_HOST") else ["--files-only"]
    return wppconnect_ops(["sync", "agent", *files_only, *argv])
