"""Inputs of many kinds, each judged by Docker Compose itself, python-dotenv, a shell and byte by byte.

`OLD` marks what is replaced. Every reader has to get the new value, no other byte may change, and what is
refused names its line or the file that wins.
"""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr

from core.sync.plan import Draft, Project
from core.sync.planner import make_draft
from core.sync.secret_values import Values
from core.sync.targets import State, SyncSettings
from tests.support.compose import compose_config, environments
from tests.support.sync import (
    API_KEY,
    MOMENT,
    ScriptedContainers,
    read_files,
    real_compose,
    target,
    write_files,
)

TOKEN = "$2b$10$Q9wErTyUiOpAsDfGhJkLz.x1C2v3B4n5M6q7W8e9R0tYuIoPaSdF_"
SERVICE = "services:\n  a:\n    image: x\n"
ENV_FILE = f"{SERVICE}    env_file: .env\n"


@dataclass(frozen=True)
class Written:
    """What is written: the text in the place of `OLD`, and the readers besides Compose."""

    raw: str = f"'{TOKEN}'"
    readers: tuple[str, ...] = ("dotenv", "sh")


ENV_TEXTS: dict[str, tuple[str, Written | str]] = {
    "plain": ("K=OLD\n", Written()),
    "no line end": ("A=1\nK=OLD", Written()),
    "double quotes": ('K="OLD"\n', Written()),
    "single quotes and a comment": ("K='OLD' # note\n", Written()),
    "comment after two blanks": ("K=OLD  # note\n", Written()),
    "export": ("export K=OLD\n", Written()),
    "indented": ("  K=OLD\n", Written()),
    "commented neighbours": ("#K=OTHER\n# K: x\nK=OLD\n", Written()),
    "value over lines before": ("A='1\nK=inside\n2'\nK=OLD\n", Written()),
    "twice": ("K=OLD\nB=1\nK=OLD\n", Written()),
    "neighbour with a reference to it": ("K=OLD\nU=http://${K}/\n", Written()),
    "neighbour with dollar signs": ("P='pa$$word'\nK=OLD\n", Written()),
    "key that begins like another": ("K_OLD2=1\nKK=2\nK=OLD\n", Written()),
    "empty neighbour": ("A=\nK=OLD\n", Written()),
    "neighbour with equals signs": ("U=a=b==\nK=OLD\n", Written()),
    "hash inside a neighbour": ("C=#fff\nK=OLD\n", Written()),
    "byte order mark": ("\ufeffA=1\nK=OLD\n", Written(readers=("dotenv",))),
    "CRLF": ("A=1\r\nK=OLD\r\n", Written(readers=("dotenv",))),
    "UTF-8 comment": ("# Ligação à API\nK=OLD\n", Written()),
    "tab before a comment": ("K=OLD\t# x\n", "line 1 has a tab"),
    "tab before a comment behind quotes": ("K='OLD'\t# x\n", Written()),
    "colon": ("K: OLD\n", "line 1 has ':'"),
    "colon behind it": ("K=OLD\nK: x\n", "line 2 has ':'"),
    "colon before it": ("K : x\nK=OLD\n", "line 1 has ':'"),
    "export and colon": ("K=OLD\nexport K: x\n", "line 2 has ':'"),
    "plus": ("K=OLD\nK+=x\n", "line 2 is no KEY="),
    "plus for another key": ("A+=x\nK=OLD\n", "line 1 is no KEY="),
    "no-break space behind": ("K=OLD\u00a0\n", "line 1 contains a blank"),
    "no-break space behind equals": ("K=\u00a0OLD\n", "line 1 contains a blank"),
    "ideographic space behind": ("K=OLD\u3000\n", "line 1 contains a blank"),
    "narrow no-break space in front": ("\u202fK=OLD\n", "line 1"),
    "zero width space in front": ("\u200bK=OLD\n", "line 1"),
    "form feed in front": ("\fK=OLD\n", "line 1"),
    "form feed before a comment": ("K=OLD\f# x\n", "line 1 contains a control"),
    "NUL behind": ("K=OLD\0\n", "UTF-8"),
    "next line character": ("K=OLD\x85\n", "line 1"),
    "comment glued to single quotes": ("K='OLD'#x\n", "line 1"),
    "comment glued to double quotes": ('K="OLD"#x\n', "line 1"),
    "text behind quotes": ("K='OLD'x\n", "line 1 goes on"),
    "apostrophe in a neighbour": ("N=it's fine\nK=OLD\n", "line 1 has a quote inside"),
    "quote in a neighbour": ('N=5" pipe\nK=OLD\n', "line 1 has a quote inside"),
    "unclosed quote behind": ("K=OLD\nB='x\n", "line 2 opens quotes"),
    "backslash at the end": ("A=x\\\nK=OLD\n", "line 1 ends with a backslash"),
    "carriage return alone": ("A=1\rK=OLD\r", "CR alone"),
    "two words": ("K=OLD words\n", "line 1 contains more than one"),
    "mixture": ("K=OLD-${B}\nB=1\n", "line 1 puts the value together"),
    "Latin-1": ("# Liga\udce7\udce3o\nK=OLD\n", "UTF-8"),
    "shell function": ("f() {\n  echo 'x'\n}\nK=OLD\n", "line"),
}


def draft(folder: Path, scratch: Path, file: str, *containers: Project) -> Draft:
    """Plan to bring the token to the key K of a file, with Compose asked."""
    return make_draft(
        SyncSettings(folders={"leguas": folder}, targets=(target(file, "K"),)),
        Values({API_KEY: SecretStr(TOKEN)}),
        at=MOMENT,
        containers=ScriptedContainers(known=containers),
        compose=lambda: real_compose(scratch),
    )


def carry_out(planned: Draft) -> None:
    """Write what a plan says."""
    for one in planned.edits:
        one.found.path.write_bytes(one.after)


def as_shell_reads(folder: Path) -> str:
    """Source the file in a shell."""
    command = ["/bin/sh", "-c", '. ./.env 2>/dev/null; printf %s "$K"']
    return subprocess.run(
        command, cwd=folder, env={"PATH": "/nowhere"}, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("name", [name for name, (_, end) in ENV_TEXTS.items() if isinstance(end, Written)])
def test_env_file_is_edited_as_all_its_readers_read_it(tmp_path: Path, name: str) -> None:
    text, written = ENV_TEXTS[name]
    assert isinstance(written, Written)
    folder = tmp_path / "leguas"
    write_files(folder, {".env": text, "compose.yml": ENV_FILE})

    planned = draft(folder, tmp_path / "data", ".env")
    carry_out(planned)

    assert planned.plan.targets[0].state is State.WILL_CHANGE
    whole = text.replace("'OLD'", "OLD").replace('"OLD"', "OLD").replace("OLD2", "\0")
    assert (folder / ".env").read_bytes() == whole.replace("OLD", written.raw).replace("\0", "OLD2").encode()
    content = (folder / ".env").read_text(encoding="utf-8-sig")
    read = {
        "compose": environments(compose_config(folder))["a"]["K"],
        "dotenv": dotenv_values(stream=io.StringIO(content), interpolate=True)["K"],
        "sh": as_shell_reads(folder),
    }
    assert {one: read[one] for one in ("compose", *written.readers)} == dict.fromkeys(
        ("compose", *written.readers), TOKEN
    )


@pytest.mark.parametrize("name", [name for name, (_, end) in ENV_TEXTS.items() if isinstance(end, str)])
def test_env_file_is_refused_by_line(tmp_path: Path, name: str) -> None:
    text, says = ENV_TEXTS[name]
    folder = tmp_path / "leguas"
    content = text.encode("utf-8", "surrogateescape") if "\udce7" in text else text.encode()
    write_files(folder, {".env": content, "compose.yml": ENV_FILE})

    planned = draft(folder, tmp_path / "data", ".env")

    assert planned.plan.targets[0].state in (State.NOT_PARSEABLE, State.REFUSED)
    assert str(says) in str(planned.plan.targets[0].why)
    assert "OLD" not in planned.plan.model_dump_json()
    assert planned.edits == ()


PROJECTS: dict[str, tuple[dict[str, str], str, str | None]] = {
    # files, the target's file, and what is said where it is refused.
    "mapping": ({"compose.yml": f"{SERVICE}    environment: {{K: OLD}}\n"}, "compose.yml", None),
    "list": ({"compose.yml": f"{SERVICE}    environment: [K=OLD, B=1]\n"}, "compose.yml", None),
    "override with the main file's other name": (
        {
            "compose.yml": f"{SERVICE}    environment: {{K: OLD}}\n",
            "docker-compose.override.yml": "services: {a: {environment: {K: x}}}\n",
        },
        "compose.yml",
        "an override file wins: line 1 of docker-compose.override.yml",
    ),
    "second override is not read": (
        {
            "docker-compose.yml": f"{SERVICE}    environment: {{K: OLD}}\n",
            "compose.override.yml": "services: {a: {environment: {B: '1'}}}\n",
            "docker-compose.override.yml": "services: {a: {environment: {K: x}}}\n",
        },
        "docker-compose.yml",
        None,
    ),
    "override takes the key away": (
        {
            "compose.yml": f"{SERVICE}    environment: {{K: OLD}}\n",
            "compose.override.yml": "services: {a: {environment: !override {B: '1'}}}\n",
        },
        "compose.yml",
        "Compose gives a another K",
    ),
    "override is the target": (
        {
            "compose.yml": f"{SERVICE}    environment: {{K: x}}\n",
            "compose.override.yml": "services:\n  a:\n    environment:\n      - K=OLD\n",
        },
        "compose.override.yml",
        None,
    ),
    "file that compose finds only with --file": (
        {
            "compose.yml": f"{SERVICE}    environment: {{K: x}}\n",
            "compose.prod.yml": f"{SERVICE}    environment: {{K: OLD}}\n",
        },
        "compose.prod.yml",
        None,
    ),
    "environment over env_file": (
        {"compose.yml": f"{ENV_FILE}    environment: {{K: x}}\n", ".env": "K=OLD\n"},
        ".env",
        "line 5 of compose.yml sets K for a",
    ),
    "later env_file": (
        {
            "compose.yml": f"{SERVICE}    env_file: [.env, b.env]\n",
            ".env": "K=OLD\n",
            "b.env": "A=1\nK=x\n",
        },
        ".env",
        "line 2 of b.env sets K for a",
    ),
    "earlier env_file": (
        {
            "compose.yml": f"{SERVICE}    env_file: [b.env, .env]\n",
            ".env": "K=OLD\n",
            "b.env": "K=x\n",
        },
        ".env",
        None,
    ),
    "format raw": (
        {"compose.yml": f"{SERVICE}    env_file: [{{path: k.env, format: raw}}]\n", "k.env": "K=OLD\n"},
        "k.env",
        "Compose gives a another K",
    ),
    "env file by its absolute path": (
        {"compose.yml": f"{SERVICE}    env_file: FOLDER/k.env\n", "k.env": "K=OLD\n"},
        "k.env",
        None,
    ),
    "reference with a default": (
        {"compose.yml": f"{SERVICE}    environment: {{T: '${{K:-x}}'}}\n", ".env": "K=OLD\n"},
        ".env",
        None,
    ),
    "include": (
        {
            "compose.yml": "include: [b/compose.yml]\n",
            "b/compose.yml": f"{SERVICE}    environment: {{K: OLD}}\n",
        },
        "b/compose.yml",
        None,
    ),
    "extends": (
        {
            "compose.yml": "services: {a: {extends: {file: base.yml, service: a}}}\n",
            "base.yml": f"{SERVICE}    environment: {{K: OLD}}\n",
        },
        "base.yml",
        None,
    ),
    "extended value replaced": (
        {
            "compose.yml": "services: {a: {extends: {file: base.yml, service: a}, environment: {K: x}}}\n",
            "base.yml": f"{SERVICE}    environment: {{K: OLD}}\n",
        },
        "base.yml",
        "line 1 of compose.yml sets K for a",
    ),
    "COMPOSE_FILE": (
        {
            ".env": "COMPOSE_FILE=one.yml:two.yml\n",
            "one.yml": f"{SERVICE}    environment: {{K: OLD}}\n",
            "two.yml": "services: {a: {environment: {K: x}}}\n",
        },
        "one.yml",
        "line 1 of two.yml sets K for a",
    ),
    "service of a profile": (
        {"compose.yml": f"{SERVICE}    profiles: [p]\n    environment: {{K: OLD}}\n"},
        "compose.yml",
        None,
    ),
    "property that Compose refuses": (
        {"compose.yml": f"{SERVICE}    nonsense: 1\n    environment: {{K: OLD}}\n"},
        "compose.yml",
        "Compose does not take the files",
    ),
}


def install_project(tmp_path: Path, name: str) -> tuple[Path, Draft]:
    """Write a project's files, and plan; nothing is changed by that, and nothing left."""
    files, file, _ = PROJECTS[name]
    folder = tmp_path / "leguas"
    write_files(folder, {one: text.replace("FOLDER", str(folder)) for one, text in files.items()})
    before = read_files(folder)

    planned = draft(folder, tmp_path / "data", file)

    assert read_files(folder) == before
    assert list((tmp_path / "data" / "scratch").iterdir()) == []
    return folder, planned


@pytest.mark.parametrize("name", [name for name, (_, _, says) in PROJECTS.items() if says])
def test_project_says_which_file_wins(tmp_path: Path, name: str) -> None:
    _, _, says = PROJECTS[name]

    _, planned = install_project(tmp_path, name)

    (found,) = planned.plan.targets
    assert found.state is State.REFUSED
    assert str(says) in str(found.why)


@pytest.mark.parametrize("name", [name for name, (_, _, says) in PROJECTS.items() if says is None])
def test_project_gets_the_value(tmp_path: Path, name: str) -> None:
    _, file, _ = PROJECTS[name]

    folder, planned = install_project(tmp_path, name)
    carry_out(planned)

    (found,) = planned.plan.targets
    assert found.state is not State.REFUSED, found.why
    chosen = (file,) if "prod" in file else ()
    assert TOKEN in environments(compose_config(folder, *chosen))["a"].values()


@pytest.mark.parametrize(
    "takes",
    ["environment: {K: '${K}'}", "command: [serve, --secretKey, '${K}']", "environment: {U: 'u:${K}@db'}"],
    ids=["variable", "option of a command", "part of another value"],
)
def test_env_file_of_another_container_wins_by_its_labels(tmp_path: Path, takes: str) -> None:
    folder = tmp_path / "leguas"
    write_files(
        folder,
        {
            "compose.yml": f"{SERVICE}    {takes}\n",
            ".env": "K=OLD\n",
            ".env.prod": "A=1\nK=x\n",
        },
    )
    project = Project(
        name="p",
        directory=folder,
        files=(folder / "compose.yml",),
        env_files=(folder / ".env", folder / ".env.prod"),
    )

    (found,) = draft(folder, tmp_path / "data", ".env", project).plan.targets

    assert found.state is State.REFUSED
    assert "line 2 of .env.prod sets K for a" in str(found.why)
