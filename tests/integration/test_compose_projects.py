"""Projects of several files: Compose says what their service `api` runs with, before and after an edit.

In every project the service `api` shall have AUTHENTICATION_API_KEY, and OLD_KEY_9f8e7d marks the one place
that is listed as a target.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.sync.assessment import DesiredConfig, desired_config
from core.sync.compose import ComposeError, Service
from core.sync.plan import Draft, Project
from core.sync.planner import make_draft
from core.sync.projects import scratch_copy
from core.sync.secret_values import Values
from core.sync.targets import ContainerSettings, State, SyncSettings
from tests.support.compose import compose_config, environments
from tests.support.sync import (
    API_KEY,
    BCRYPT_LIKE,
    KEY,
    MOMENT,
    read_files,
    real_compose,
    target,
)

CORPUS = Path(__file__).parents[1] / "data" / "sync" / "projects"
PROJECTS = sorted(path.name for path in CORPUS.iterdir())
OLD = b"OLD_KEY_9f8e7d"
PLAIN_VALUE = "403bff9cbe76fd96caeea0abeb0709e0"
NOT_REACHED = ("environment_wins_over_env_file", "later_env_file_wins", "override_file_wins")


def settings(folder: Path) -> SyncSettings:
    """List the marked place, and the container of `api`."""
    marked = [file for file, content in read_files(folder).items() if OLD in content]
    return SyncSettings(
        folders={"leguas": folder},
        targets=tuple(target(file) for file in marked),
        containers=(ContainerSettings(name="api", folder="leguas"),),
    )


def draft(folder: Path, scratch: Path, value: str) -> Draft:
    """Plan to bring a value to the marked place, with Compose asked."""
    values = Values({API_KEY: SecretStr(value)})
    return make_draft(settings(folder), values, at=MOMENT, compose=lambda: real_compose(scratch))


def desired(folder: Path, scratch: Path, planned: Draft) -> DesiredConfig:
    """What Compose says of `api` with the files as a plan would leave them."""
    assert planned.wanted is not None
    asking = real_compose(scratch)
    with scratch_copy(asking.scratch, planned.wanted.changes) as scratch:
        found = asking.config(scratch.project(Project(directory=folder)))
    return desired_config(Service(found["services"]["api"]), planned.wanted.values)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Our own folder, apart from the project's."""
    return tmp_path / "data"


@pytest.mark.parametrize("name", [name for name in PROJECTS if name not in NOT_REACHED])
def test_a_new_value_reaches_the_service_and_nothing_else_changes(
    name: str, tmp_path: Path, scratch: Path
) -> None:
    folder = tmp_path / name
    shutil.copytree(CORPUS / name, folder)
    before, services = read_files(folder), environments(compose_config(folder))
    planned = draft(folder, scratch, PLAIN_VALUE)

    found = desired(folder, scratch, planned)
    for edit in planned.edits:
        edit.found.path.write_bytes(edit.after)

    assert [one.state for one in planned.plan.targets] == [State.WILL_CHANGE]
    assert found.values[KEY] == PLAIN_VALUE
    assert read_files(folder) == {
        file: content.replace(OLD, PLAIN_VALUE.encode()) for file, content in before.items()
    }
    after = environments(compose_config(folder))
    assert after["api"][KEY] == PLAIN_VALUE
    assert {name: one.keys() for name, one in after.items()} == {
        name: one.keys() for name, one in services.items()
    }
    assert list((scratch / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("environment_wins_over_env_file", "line 6 of compose.yml sets AUTHENTICATION_API_KEY for api"),
        ("later_env_file_wins", "line 1 of api.env sets AUTHENTICATION_API_KEY for api and wins"),
        ("override_file_wins", "an override file wins: line 4 of docker-compose.override.yml"),
    ],
)
def test_place_that_something_wins_over_is_refused_with_file_and_line(
    name: str, why: str, scratch: Path
) -> None:
    (found,) = draft(CORPUS / name, scratch, PLAIN_VALUE).plan.targets

    assert found.state is State.REFUSED
    assert why in str(found.why)


def test_token_for_a_raw_env_file_is_refused_for_it_would_arrive_with_quotes(scratch: Path) -> None:
    (found,) = draft(CORPUS / "env_file_raw", scratch, BCRYPT_LIKE).plan.targets

    assert found.state is State.REFUSED


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"compose.yml": "services: {api: {image: x, env_file: api.env}}\n"}, "api.env is not there"),
        ({"compose.yml": "include: [o.yml]\n", "o.yml": "include: [compose.yml]\n"}, "refuses its files"),
        (
            {"compose.yml": "services: {api: {image: x, env_file: a.env}}\n", "a.env": "KEY+=S3CRET\n"},
            "a.env in line 1",
        ),
        ({"compose.yml": 'services: {api: {image: "${IMAGE:?}"}}\n'}, "the variable IMAGE has no value"),
    ],
    ids=["env file gone", "include in circles", "line that Compose refuses", "variable without value"],
)
def test_project_that_compose_refuses_is_told_without_what_its_files_hold(
    files: dict[str, str], why: str, tmp_path: Path, scratch: Path
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    project = Project(name="p", directory=folder, files=(folder / "compose.yml",))

    with pytest.raises(ComposeError) as refusal:
        real_compose(scratch).config(project)

    assert why in str(refusal.value)
    assert "S3CRET" not in str(refusal.value)


def test_scratch_copy_leads_wherever_the_folder_leads(tmp_path: Path, scratch: Path) -> None:
    folder = tmp_path / "stack" / "project"
    folder.mkdir(parents=True)
    shared = tmp_path / "shared.env"
    shared.write_text(f"{KEY}=old\n")
    (folder / "own.env").symlink_to(shared)
    (folder / "docker-compose.yml").write_text(
        "services: {api: {image: x, env_file: [../../shared.env, own.env]}}\n"
    )
    asking = real_compose(scratch)

    with scratch_copy(asking.scratch, {shared.resolve(): f"{KEY}=new\n".encode()}) as scratch:
        found = asking.config(scratch.project(Project(directory=folder)))

    assert found["services"]["api"]["environment"][KEY] == "new"
    assert shared.read_text() == f"{KEY}=old\n"
