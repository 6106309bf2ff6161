"""Start the sync agent for files only, as `Stack.start_program` starts programs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cli.sync import main as sync


def main(argv: Sequence[str]) -> int:
    """Run `wppconnect-ops sync agent --files-only`."""
    return sync(["agent", "--files-only", *argv], os.environ)
