"""Go back to a backup over later changes, our own and foreign ones; leave no backup that holds nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.exceptions import ContainerError, StoreError, SyncError
from core.sync.plan import Wanted
from core.sync.progress import Done, Report, StepEvent, StepState
from core.sync.sync import PlanRefusedError
from tests.support.mounts import small_disk
from tests.support.sync import (
    API_KEY,
    KEY,
    LEGUAS_FILES,
    Installation,
    ScriptedContainers,
    install,
    read_files,
)

PRESENT = "present-key-1234"
OLD = {name: text.encode() for name, text in LEGUAS_FILES.items()}
KEYS = ("key-of-the-first-apply", "key-of-the-second-apply", "key-of-the-third-apply")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Three applies, one after the other."""
    installation = install(tmp_path)
    installation.keep(PRESENT)
    for key in KEYS:
        installation.apply(key)
    return installation


def restore(installation: Installation, number: int, **more: Any) -> str:
    """Go back to before an apply, by its number."""
    backup = installation.sync.backups()[::-1][number]
    return installation.sync.restore(backup.id, actor="ana", report=installation.steps.append, **more).code


def with_files(key: str) -> dict[str, bytes]:
    """Return every file with a key in it."""
    return {name: content.replace(PRESENT.encode(), key.encode()) for name, content in OLD.items()}


def test_the_newest_backup_is_restored_without_asking(installation: Installation) -> None:
    assert restore(installation, 2) == "restored"

    assert read_files(installation.folder) == with_files(KEYS[1])
    assert installation.api_key() == KEYS[1]


@pytest.mark.parametrize(("number", "key"), [(0, PRESENT), (1, KEYS[0])])
def test_later_changes_of_ours_are_named_and_taken_back_together(
    installation: Installation, number: int, key: str
) -> None:
    later = tuple(one.id for one in installation.sync.backups()[::-1][number + 1 :])

    with pytest.raises(PlanRefusedError) as refusal:
        restore(installation, number)
    assert read_files(installation.folder) == with_files(KEYS[2])
    assert refusal.value.explanation.id == "changes.later"
    assert refusal.value.plan.takes_back == later
    assert all(name in str(refusal.value) for name in later)

    assert restore(installation, number, with_later=True) == "restored"
    assert read_files(installation.folder) == with_files(key)
    assert installation.api_key() == key


def test_an_approved_plan_names_what_it_takes_back(installation: Installation) -> None:
    oldest = installation.sync.backups()[-1]
    plan = installation.sync.restoration(oldest.id, force=False)[0].plan

    done = installation.sync.restore(
        oldest.id, approved=plan.digest, actor="ana", report=installation.steps.append
    )

    assert len(plan.takes_back) == 2
    assert done.code == "restored"
    assert read_files(installation.folder) == OLD


def test_what_was_restored_is_restored_again_as_nothing(installation: Installation) -> None:
    restore(installation, 0, with_later=True)

    assert restore(installation, 0) == "nothing"


def test_later_change_of_other_files_stays(tmp_path: Path) -> None:
    installation = install(tmp_path, backups=5)
    installation.keep(PRESENT)
    (installation.folder / ".env").write_text(f"{KEY}=drifted\n")
    installation.apply()
    (installation.folder / ".env.docker").write_text(f"{KEY}=drifted\nEVOLUTION_API_KEY=drifted\n")
    installation.apply()

    assert restore(installation, 0) == "restored"

    assert read_files(installation.folder)[".env"] == f"{KEY}=drifted\n".encode()
    assert PRESENT.encode() in read_files(installation.folder)[".env.docker"]


EDITS: list[Any] = [
    pytest.param(0, id="between the applies"),
    pytest.param(len(KEYS), id="after the last one"),
]


@pytest.mark.parametrize("when", EDITS)
def test_foreign_edit_is_lost_only_by_force(tmp_path: Path, when: int) -> None:
    installation = install(tmp_path)
    installation.keep(PRESENT)
    for number, key in enumerate((*KEYS, None)):
        if key:
            installation.apply(key)
        if number == when:
            file = installation.folder / ".env"
            file.write_bytes(file.read_bytes() + b"ADDED=1\n")
    before = read_files(installation.folder)

    with pytest.raises(SyncError, match=r"\.env was changed since in another way"):
        restore(installation, 0, with_later=True)
    assert read_files(installation.folder) == before

    assert restore(installation, 0, with_later=True, force=True) == "restored"
    assert read_files(installation.folder) == OLD


def fail(_: Wanted) -> Done:
    raise ContainerError("no")


def leave(event: StepEvent) -> None:
    """Press Ctrl-C once the first file is written."""
    if (event.step, event.state) == ("write", StepState.DONE):
        raise KeyboardInterrupt


@pytest.mark.parametrize("value", [None, "another-key-5678"])
@pytest.mark.parametrize(
    ("report", "error"), [(print, ContainerError), (leave, KeyboardInterrupt)], ids=["fails", "is stopped"]
)
def test_apply_that_is_taken_back_leaves_no_backup(
    tmp_path: Path, report: Report, error: type[BaseException], value: str | None
) -> None:
    installation = install(tmp_path)
    installation.keep("another-key-1234")
    installation.containers = ScriptedContainers(fail)
    fresh = {API_KEY: SecretStr(value)} if value else None
    before = read_files(installation.folder)

    with pytest.raises(error):
        installation.sync.apply(fresh=fresh, actor="ana", report=report)

    assert read_files(installation.folder) == before
    assert list((installation.data / "sync" / "backups").iterdir()) == []
    assert installation.history[-1].data["backup"] == ""


def test_backup_for_which_the_disk_is_too_small_leaves_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with small_disk(tmp_path / "data", 64):
        installation = install(tmp_path)
        (installation.folder / ".env").write_bytes(b"# \n" * 20_000 + OLD[".env"])
        installation.keep(PRESENT)
        before = read_files(installation.folder)

        with pytest.raises(StoreError, match="no space left"):
            installation.apply(KEYS[0])

        assert read_files(installation.folder) == before
        assert list((installation.data / "sync" / "backups").iterdir()) == []
