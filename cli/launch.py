"""Commands that start one part with our `.env`, and `wppconnect-simulator`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from core.commands import run_command
from core.console import ends_quietly


def launched(part: click.Command) -> click.Command:
    """Return a part's own command, run with the `.env` file that `wppconnect-ops run` reads."""
    command = copy.copy(part)

    def run(**flags: Any) -> int:
        from cli.environment import read_environment

        context = click.get_current_context()
        context.obj = read_environment(context.obj, Path.cwd())
        code: int = context.invoke(part.callback, **flags)  # type: ignore[arg-type]
        return code

    command.callback = run
    return command


@ends_quietly
def simulator(argv: Sequence[str] | None = None) -> int:
    """Run `wppconnect-simulator` like our other commands. The simulator itself imports nothing of ours."""
    program = import_module("simulator.cli")
    return run_command(program.command, argv, program=program.PROGRAM, environ=None)
