"""Commands, their documentation and their manual pages agree."""

from __future__ import annotations

import re
import subprocess

import click
import pytest

from cli.main import COMMANDS, PARTS, PROGRAM, commands
from hatch_build import all_commands, manual_pages
from tests.meta.source import own_files, text_of
from tests.plugins.system_tools import require

TREE = dict(all_commands(commands, PROGRAM))
PROGRAMS = {f"wppconnect-{part}": TREE[f"{PROGRAM} {part}"] for part in PARTS} | {PROGRAM: TREE[PROGRAM]}
DOCUMENTS = [
    path
    for path in own_files()
    if (path.suffix in (".md", ".yml", ".service", ".tmpl") or path.name in ("Makefile", "Dockerfile"))
    and path.parts[0] not in ("tests", "CHANGELOG.md")
]
WRITTEN = re.compile(
    r"(?:(?<=bin/)|(?<![/\w-]))(wppconnect-(?:ops|exporter|dashboard|simulator))((?: +[\w./=:@-]+)+)"
)
SECRET = re.compile(r"secret|passphrase|password|token|(?<!-)key")
OPTIONS = [
    pytest.param(option, id=f"{name} {option.opts[-1]}")
    for name, command in TREE.items()
    for option in command.params
    if isinstance(option, click.Option)
]


def flags_of(command: click.Command) -> set[str]:
    """Return every flag that a command takes."""
    options = [one for one in command.params if isinstance(one, click.Option)]
    return {flag for option in options for flag in option.opts} | {"--help", "-h"}


def written_commands() -> list[tuple[str, str, list[str]]]:
    """Return what documents say of our programs: where, the program, and the words behind it."""
    return [
        (str(path), program, rest.split())
        for path in DOCUMENTS
        for program, rest in WRITTEN.findall(text_of(path).replace("\\\n", " "))
    ]


def test_documents_name_commands_and_flags_that_exist() -> None:
    wrong = []
    for path, program, words in written_commands():
        command = PROGRAMS[program]
        for word in words:
            if word == "--":
                break
            if isinstance(command, click.Group) and word in command.commands | dict.fromkeys(COMMANDS):
                found = command.get_command(click.Context(command), word)
                command = found or command
            elif word.startswith("--") and word.partition("=")[0] not in flags_of(command):
                wrong.append(f"{path}: {program} {' '.join(words)}: {word}")

    assert wrong == []


def test_every_command_is_explained_in_the_readme_or_the_docs() -> None:
    named = {
        words[0]
        for path, program, words in written_commands()
        if program == PROGRAM and (path.startswith("docs/") or path == "README.md")
    }

    assert set(COMMANDS) - named == set()


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_says_what_it_is_for(option: click.Option) -> None:
    assert option.help
    assert option.help.split(" [")[0].endswith((".", ")"))


@pytest.mark.parametrize("option", [one for one in OPTIONS if "simulator" not in str(one.id)])
def test_no_secret_is_an_argument_that_everybody_can_see(option: click.Option) -> None:
    assert not any(SECRET.search(flag) and not flag.endswith("-file") for flag in option.opts)


@pytest.mark.parametrize("name", TREE)
def test_every_command_has_a_line_for_lists_that_is_not_cut(name: str) -> None:
    command = TREE[name]

    assert command.help
    assert not command.get_short_help_str(66).endswith("...")


def test_manual_pages_hold_every_command_and_flag() -> None:
    pages = manual_pages("1.2.3")

    assert set(pages) == {f"{program}.1" for program in PROGRAMS}
    text = pages[f"{PROGRAM}.1"].replace("\\-", "-")
    assert [name for name in TREE if f"\\fB{name}\\fR" not in text] == []
    flags = {flag for command in TREE.values() for flag in flags_of(command)}
    assert [flag for flag in flags if flag not in text] == []


def test_manual_pages_are_typeset_without_a_warning() -> None:
    require("groff")
    for text in manual_pages("1.2.3").values():
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww"], input=text, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
