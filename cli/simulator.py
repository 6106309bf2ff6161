"""`wppconnect-simulator`: the simulator imports nothing of ours; here it ends as our other commands do."""

from __future__ import annotations

from importlib import import_module

from core.console import ends_quietly


@ends_quietly
def main() -> int:
    """Run it and return its exit code."""
    code: int = import_module("simulator.cli").main()
    return code
