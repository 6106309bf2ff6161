"""`wppconnect-ops exporter|dashboard|simulator`: one part alone, with the `.env` file that `run` reads."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

MISCONFIGURED = 2


def launch(name: str, argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the part's own command in this process and return its exit code."""
    from cli.environment import read_environment
    from core.exceptions import ConfigurationError

    try:
        told = read_environment(environ, Path.cwd())
    except ConfigurationError as error:
        sys.stderr.writelines(f"wppconnect-ops {name}: {problem}\n" for problem in error.problems)
        return MISCONFIGURED
    code: int = import_module(f"{name}.cli").main(argv, told)
    return code
