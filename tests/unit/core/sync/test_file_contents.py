"""A key that reaches a container as a file, through secrets or configs: only Compose says that it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.sync.pending_changes import changed_by_file
from core.sync.plan import Project
from core.sync.projects import open_projects
from tests.support.sync import real_compose, write_files

SERVICE = "services:\n  a: {image: x, secrets: [s], configs: [{source: c, target: /c}]}\n  b: {image: x}\n"


@pytest.mark.parametrize(
    ("secret", "config", "changed"),
    [
        ("{environment: KEY}", "{environment: OTHER}", ["s"]),
        ("{environment: OTHER}", "{environment: KEY}", ["c"]),
        ("{environment: OTHER}", "{content: 'key=${KEY}'}", ["c"]),
        ("{environment: TAKEN}", "{content: 'other=${OTHER}'}", ["s"]),
        ("{environment: OTHER}", "{content: 'fixed'}", []),
        ("{environment: NOWHERE}", "{file: ./c.txt}", []),
    ],
)
def test_changed_secret_or_config_is_named(
    tmp_path: Path, secret: str, config: str, changed: list[str]
) -> None:
    folder = tmp_path / "p"
    text = f"{SERVICE}secrets:\n  s: {secret}\nconfigs:\n  c: {config}\n"
    before = "OTHER=1\nKEY=old\nTAKEN=${KEY}\n"
    write_files(folder, {"compose.yml": text, ".env": before, "c.txt": ""})
    compose = real_compose(tmp_path / "data")
    changes = {folder / ".env": before.replace("old", "new").encode()}
    project = Project(name="p", directory=folder, files=(folder / "compose.yml",))

    with open_projects(lambda: compose, changes) as projects:
        found = {
            name: changed_by_file(projects, project, service)
            for name, service in projects.services(project).items()
        }

    assert found == {"a": changed, "b": []}
