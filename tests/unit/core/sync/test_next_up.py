"""Which containers the next `up` recreates because their file changes, by Compose's own marks."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path
from typing import cast

import pytest

from core.sync.engine import Engine
from core.sync.pending_changes import due_at_next_up
from core.sync.plan import Wanted
from core.sync.projects import open_projects
from tests.support.compose import compose_program
from tests.support.sync import real_compose

FILES = {
    ".env": "KEY=old\n",
    "common.env": "SHARED=old\n",
    "docker-compose.yml": (
        "services:\n"
        "  reads: {image: x, environment: {KEY: '${KEY}'}}\n"
        "  shares: {image: x, env_file: common.env, volumes: [./data:/data]}\n"
        "  other: {image: x, environment: {A: '1'}, volumes: [./data:/data]}\n"
    ),
}


class LabelledContainers:
    """An engine of which only the labels are asked."""

    def __init__(self, folder: Path, version: str) -> None:
        # As `up` does, of the files with their env files resolved.
        config = _asked(folder, "--project-name", "p", "config", "--format", "json")
        marks = _asked(folder, "--project-name", "p", "--file", "-", "config", "--hash", "*", said=config)
        self._marks = dict(line.split(" ", 1) for line in marks.splitlines())
        self._folder = folder
        self._version = version

    def labels(self) -> dict[str, dict[str, str]]:
        label = "com.docker.compose."
        return {
            f"p-{service}-1": {
                f"{label}project": "p",
                f"{label}project.working_dir": str(self._folder),
                f"{label}project.config_files": str(self._folder / "docker-compose.yml"),
                f"{label}service": service,
                f"{label}config-hash": mark,
                f"{label}version": self._version,
            }
            for service, mark in self._marks.items()
        }


def _asked(folder: Path, *words: str, said: str = "") -> str:
    environ = {"PATH": os.defpath, "HOME": str(folder)}
    command = [str(compose_program()), *words]
    done = subprocess.run(
        command, cwd=folder, env=environ, input=said, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize(
    ("changed", "text", "due"),
    [
        (".env", "KEY=new\n", ["p-reads-1"]),
        ("common.env", "SHARED=new\n", ["p-shares-1"]),
        ("docker-compose.yml", FILES["docker-compose.yml"].replace("'1'", "'2'"), ["p-other-1"]),
        ("docker-compose.yml", f"# a comment\n{FILES['docker-compose.yml']}", []),
    ],
    ids=["value of .env", "value of an env file", "environment", "comment"],
)
@pytest.mark.parametrize("is_ours", [True, False], ids=["our Compose", "another Compose"])
def test_containers_whose_file_changes_are_named(
    tmp_path: Path, changed: str, text: str, due: list[str], is_ours: bool
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_text(content)
    compose = dataclasses.replace(real_compose(tmp_path / "data"), version="2.40.3")
    engine = LabelledContainers(folder, "2.40.3" if is_ours else "2.1.0")
    wanted = Wanted(containers=(), folders={"p": folder}, changes={(folder / changed): text.encode()})

    with open_projects(lambda: compose, wanted.changes) as projects:
        found = due_at_next_up(projects, cast(Engine, engine), wanted)

    assert list(found) == (due if is_ours else [])
