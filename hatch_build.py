"""Write the manual pages into the wheel while it is built, from the commands themselves."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import click
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
FOLDER = "share/man/man1"


class ManualPages(BuildHookInterface[Any]):
    """Adds one page for each program, in the folder where `man` looks beside the environment's `bin`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages. An editable installation gets none."""
        if self.target_name != "wheel" or version == "editable":
            return
        folder = Path(mkdtemp(prefix="manual-pages-"))
        for name, text in manual_pages(self.metadata.version).items():
            (folder / name).write_text(text, encoding="utf-8")
            build_data["shared_data"][str(folder / name)] = f"{FOLDER}/{name}"


def manual_pages(version: str) -> dict[str, str]:
    """Return the pages by file name."""
    # Not removed afterwards: each command is imported when the list reaches it.
    sys.path.insert(0, str(ROOT))
    from cli.main import PARTS, PROGRAM, commands

    listed = list(all_commands(commands, PROGRAM))
    parts = {name.removeprefix(f"{PROGRAM} "): command for name, command in listed}
    pages = {PROGRAM: listed} | {
        f"wppconnect-{part}": [(f"wppconnect-{part}", parts[part])] for part in PARTS
    }
    return {
        f"{program}.1": "\n".join([*_page(program, version, listed), ""]) for program, listed in pages.items()
    }


def all_commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its full name, groups before their commands."""
    yield path, group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def _page(program: str, version: str, commands: list[tuple[str, click.Command]]) -> Iterator[str]:
    (_, main), *others = commands
    summary = main.short_help or main.get_short_help_str(200)
    yield f'.TH "{program.upper()}" 1 "" "wppconnect-ops {version}"'
    yield from (".SH NAME", f"{_escaped(program)} \\- {_escaped(summary.rstrip('.'))}")
    yield ".SH SYNOPSIS"
    yield from _usage(program, main)
    yield ".SH DESCRIPTION"
    yield from _described(main)
    yield ".SH OPTIONS"
    yield from _options(program, main)
    if others:
        yield ".SH COMMANDS"
    for name, command in others:
        yield f'.SS "{_escaped(name.removeprefix(f"{program} "))}"'
        yield from _usage(name, command)
        yield ".PP"
        yield from _described(command)
        yield from _options(name, command)
    if others:
        pages = ", ".join(f"wppconnect\\-{part}(1)" for part in ("exporter", "dashboard", "simulator"))
        yield from (".SH SEE ALSO", pages)


def _usage(name: str, command: click.Command) -> Iterator[str]:
    pieces = command.collect_usage_pieces(_context(name, command))
    yield f"\\fB{_escaped(name)}\\fR {_escaped(' '.join(pieces))}"


def _described(command: click.Command) -> Iterator[str]:
    paragraphs = [*inspect.cleandoc(command.help or "").split("\n\n"), command.epilog or ""]
    for number, paragraph in enumerate(filter(None, paragraphs)):
        if number:
            yield ".PP"
        if paragraph.startswith("\b\n"):
            yield from (".nf", *(_escaped(line) for line in paragraph.splitlines()[1:]), ".fi")
        else:
            yield _escaped(" ".join(paragraph.split()))


def _options(name: str, command: click.Command) -> Iterator[str]:
    context = _context(name, command)
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
            yield from (".TP", f"\\fB{_escaped(record[0])}\\fR", _escaped(record[1]))


def _context(name: str, command: click.Command) -> click.Context:
    return click.Context(command, info_name=name, help_option_names=["-h", "--help"])


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
