"""Commands that take a value: they get it, and nothing else gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.exceptions import ContainerError, SyncError
from core.models import Frozen
from core.sync.plan import Wanted
from core.sync.progress import Done
from core.sync.targets import CommandTarget, ContainerSettings
from tests.support.sync import (
    API_KEY,
    BCRYPT_LIKE,
    KEY,
    Installation,
    ScriptedContainers,
    install,
    read_files,
    target,
)

NEW_KEY = "403bff9cbe76fd96caeea0abeb0709e0"


class Django(Frozen):
    """An older panel's command, which writes what it was given into a file."""

    folder: Path
    target: CommandTarget

    @property
    def table(self) -> str | None:
        """What the command last stored."""
        path = self.folder / "table"
        return path.read_text() if path.exists() else None


def with_command(tmp_path: Path, script: str, variable: str | None = None) -> tuple[Installation, Django]:
    """Install one file and one command."""
    command = CommandTarget(
        label="django",
        folder="leguas",
        command=("/bin/sh", "-c", script),
        variable=variable,
        receives=API_KEY,
        timeout_seconds=0.5,
    )
    installation = install(tmp_path, {".env": f"{KEY}=present-key-1234\n"}, target(".env"))
    targets = (*installation.settings.targets, command)
    installation.settings = installation.settings.model_copy(update={"targets": targets})
    return installation, Django(folder=installation.folder, target=command)


@pytest.mark.parametrize(
    ("script", "variable"),
    [("cat > table", None), ('printf %s "$NEW_KEY" > table', "NEW_KEY")],
    ids=["standard input", "variable"],
)
def test_command_gets_the_value_but_not_on_its_command_line(
    tmp_path: Path, script: str, variable: str | None
) -> None:
    installation, django = with_command(tmp_path, script, variable)

    installation.apply(BCRYPT_LIKE)

    assert django.table == BCRYPT_LIKE
    assert not installation.sync.draft().plan.has_changes


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("cat >&2; exit 3", r"django ended with code 3: \*\*\*", id="fails and says the value"),
        pytest.param("exit 1", "django ended with code 1: it said nothing", id="fails silently"),
        pytest.param("sleep 60", r"django did not end within 0\.5 s and was ended", id="hangs"),
    ],
)
def test_failing_command_brings_the_files_back(tmp_path: Path, script: str, said: str) -> None:
    installation, _ = with_command(tmp_path, script)

    with pytest.raises(SyncError, match=said):
        installation.apply(NEW_KEY)

    assert read_files(installation.folder) == {".env": f"{KEY}=present-key-1234\n".encode()}
    assert installation.api_key() is None


def test_command_is_run_with_the_old_value_when_a_later_step_fails(tmp_path: Path) -> None:
    installation, django = with_command(tmp_path, "cat > table")
    installation.keep("present-key-1234")
    container = ContainerSettings(name="a", folder="leguas")
    installation.settings = installation.settings.model_copy(update={"containers": (container,)})

    def fail(_: Wanted) -> Done:
        assert django.table == NEW_KEY
        raise ContainerError("no")

    installation.containers = ScriptedContainers(fail)
    with pytest.raises(ContainerError):
        installation.apply(NEW_KEY)

    assert django.table == "present-key-1234"


def test_command_gets_none_of_our_own_variables(tmp_path: Path) -> None:
    installation, django = with_command(tmp_path, "env > table")

    installation.apply(NEW_KEY)

    assert "WPPCONNECT_" not in (django.table or "WPPCONNECT_")
