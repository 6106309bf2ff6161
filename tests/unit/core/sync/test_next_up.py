"""Which containers the next `up` recreates because their file changes, by what Compose reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.sync.pending_changes import due_at_next_up
from core.sync.plan import Project, Wanted
from core.sync.projects import open_projects
from tests.support.sync import real_compose

FILES = {
    ".env": "KEY=old\n",
    "common.env": "SHARED=old\n",
    "docker-compose.yml": (
        "services:\n"
        "  reads: {image: x, environment: {KEY: '${KEY}'}}\n"
        "  shares: {image: x, env_file: common.env, volumes: [./data:/data]}\n"
        "  builds: {build: {context: ., args: {KEY: '${KEY}'}}}\n"
        "  other: {image: x, environment: {A: '1'}, volumes: [./data:/data]}\n"
    ),
}


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
def test_containers_whose_file_changes_are_named(
    tmp_path: Path, changed: str, text: str, due: list[str]
) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_text(content)
    compose = real_compose(tmp_path / "data")
    project = Project(name="p", directory=folder, files=(folder / "docker-compose.yml",))
    made = {f"p-{service}-1": (project, service) for service in ("reads", "shares", "builds", "other")}
    wanted = Wanted(containers=(), folders={"p": folder}, changes={(folder / changed): text.encode()})

    with open_projects(lambda: compose, wanted.changes) as projects:
        found = list(due_at_next_up(projects, made, wanted))

    assert found == due
