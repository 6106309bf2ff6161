"""Projects of several files, read as a real Compose reads them: include, extends, overrides, env files.

In every project the service `api` shall have AUTHENTICATION_API_KEY, and OLD_KEY_9f8e7d marks the one place
that is listed as a target.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.propagation.folders import Folders
from core.propagation.plan import Draft, State
from core.propagation.planner import make_draft
from core.propagation.project import compose_files, read_project
from core.propagation.running import Environment, service_environment
from core.propagation.targets import ContainerSettings, SyncSettings
from core.propagation.values import Values
from tests.support.compose import compose_config, environments
from tests.support.propagation import API_KEY, BCRYPT_LIKE, KEY, MOMENT, read_files, target

CORPUS = Path(__file__).parents[3] / "data" / "propagation" / "projects"
PROJECTS = sorted(path.name for path in CORPUS.iterdir())
OLD = b"OLD_KEY_9f8e7d"
PLAIN_VALUE = "403bff9cbe76fd96caeea0abeb0709e0"

NOT_REACHED = {
    "environment_wins_over_env_file": ("compose.yml", "api.env"),
    "later_env_file_wins": ("api.env", "common.env"),
    "override_file_wins": ("docker-compose.override.yml", "docker-compose.yml"),
}
"""What wins, and what is listed: told by name before anything is written."""


def settings(folder: Path) -> SyncSettings:
    """List the marked place, and the container of `api`."""
    marked = [file for file, content in read_files(folder).items() if OLD in content]
    return SyncSettings(
        folders={"leguas": folder},
        targets=tuple(target(file) for file in marked),
        containers=(ContainerSettings(name="api", folder="leguas"),),
    )


def draft(folder: Path, value: str) -> Draft:
    """Plan to bring a value to the marked place."""
    return make_draft(settings(folder), Values({API_KEY: SecretStr(value)}), at=MOMENT)


def environment(folder: Path, service: str) -> Environment:
    """Our own reading of a service."""
    folders = Folders({"leguas": folder})

    def read(name: str, file: str) -> str:
        return folders.read(name, file).text

    project = read_project("leguas", compose_files("leguas", settings(folder), read), read)
    found = project.find_service(ContainerSettings(name=service, folder="leguas"))
    assert found is not None
    return service_environment(found[0], "leguas", found[1], read)


@pytest.fixture(scope="module")
def judged() -> dict[str, dict[str, dict[str, str]]]:
    """What a real Compose says of every service of every project: before an edit, and after one."""
    with ThreadPoolExecutor(4) as pool:
        read = pool.map(lambda name: environments(compose_config(CORPUS / name)), PROJECTS)
        return dict(zip(PROJECTS, read, strict=True))


@pytest.mark.parametrize("name", PROJECTS)
def test_every_service_is_read_as_compose_reads_it(
    name: str, judged: dict[str, dict[str, dict[str, str]]]
) -> None:
    assert judged[name].keys() >= {"api"}
    for service, expected in judged[name].items():
        found = environment(CORPUS / name, service)
        assert (found.variables, found.unknown) == (expected, "")


@pytest.mark.parametrize("name", [name for name in PROJECTS if name not in NOT_REACHED])
def test_a_new_value_reaches_the_service_and_nothing_else_changes(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(CORPUS / name, folder)
    before, services = read_files(folder), environments(compose_config(folder))
    planned = draft(folder, PLAIN_VALUE)

    for edit in planned.edits:
        edit.found.path.write_bytes(edit.after)

    assert [one.state for one in planned.plan.targets] == [State.WILL_CHANGE]
    (expected,) = planned.expectations
    assert expected.environment[KEY].get_secret_value() == PLAIN_VALUE
    assert (expected.overridden, expected.unknown) == ({}, {})
    assert read_files(folder) == {
        file: content.replace(OLD, PLAIN_VALUE.encode()) for file, content in before.items()
    }
    after = environments(compose_config(folder))
    assert after["api"][KEY] == PLAIN_VALUE
    assert {name: one.keys() for name, one in after.items()} == {
        name: one.keys() for name, one in services.items()
    }


@pytest.mark.parametrize("name", NOT_REACHED)
def test_what_wins_over_a_target_is_named(name: str, judged: dict[str, dict[str, dict[str, str]]]) -> None:
    (expected,) = draft(CORPUS / name, PLAIN_VALUE).expectations

    winner, listed = NOT_REACHED[name]
    assert expected.overridden == {
        KEY: f"{winner} gives it another {KEY}, which wins over {listed}; list it as a target too"
    }
    assert judged[name]["api"][KEY] == "another"


def test_a_token_for_a_raw_env_file_is_told_to_arrive_with_its_quotes(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    shutil.copytree(CORPUS / "env_file_raw", folder)
    planned = draft(folder, BCRYPT_LIKE)

    for edit in planned.edits:
        edit.found.path.write_bytes(edit.after)

    (expected,) = planned.expectations
    assert "is read with `format: raw`, which keeps quotes in" in expected.overridden[KEY]
    assert environments(compose_config(folder))["api"][KEY] == f"'{BCRYPT_LIKE}'"


def test_an_env_file_that_has_to_be_there_leaves_the_value_unknown(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    shutil.copytree(CORPUS / "env_file_wins_over_dotenv", folder)
    sync = settings(folder)
    (folder / "api.env").unlink()

    (expected,) = make_draft(sync, Values({API_KEY: SecretStr(PLAIN_VALUE)}), at=MOMENT).expectations

    assert "api.env is not there" in expected.unknown[KEY]


def test_includes_that_go_round_in_circles_leave_the_value_unknown(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("include: [other.yml]\nservices: {api: {image: x}}\n")
    (tmp_path / "other.yml").write_text("include: [compose.yml]\nservices: {web: {image: x}}\n")
    (tmp_path / ".env").write_text(f"{KEY}=OLD_KEY_9f8e7d\n")

    (expected,) = draft(tmp_path, PLAIN_VALUE).expectations

    assert expected.unknown == {KEY: "its `include` goes round in circles"}
