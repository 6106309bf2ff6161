"""An apply that is killed at any step is finished or undone by the next start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.exceptions import SyncError
from core.sync.backups import Backups
from core.sync.folders import temporary_of
from core.sync.transaction import ChangePhase, Journal, JournalEntry
from tests.support.killed_sync import NEW_KEY, OLD_KEY
from tests.support.sync import API_KEY, LEGUAS_FILES, MOMENT, install, read_files

ROOT = Path(__file__).parents[2]


def test_file_torn_while_it_was_written_in_place_is_brought_back(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep(OLD_KEY)
    before = read_files(installation.folder)
    edits = installation.sync.draft(fresh={API_KEY: SecretStr(NEW_KEY)}).edits
    backups = Backups(installation.data / "sync" / "backups")
    backup = backups.make(edits, (), commands=(), kind="apply", actor="ana", at=MOMENT)
    torn = installation.folder / "docker-compose.yml"
    torn.write_bytes(edits[-1].after[:40] + before["docker-compose.yml"][40:60])
    Journal(installation.data / "sync").write(
        JournalEntry(backup=backup.id, phase=ChangePhase.WRITING, in_place=str(torn))
    )

    done = installation.sync.recover(installation.steps.append)

    assert done is not None
    assert done.code == "undone"
    assert read_files(installation.folder) == before


def test_file_that_somebody_else_changed_before_the_next_start_is_left_alone(tmp_path: Path) -> None:
    installation = install(tmp_path)
    edits = installation.sync.draft(fresh={API_KEY: SecretStr(NEW_KEY)}).edits
    backups = Backups(installation.data / "sync" / "backups")
    backup = backups.make(edits, (), commands=(), kind="apply", actor="ana", at=MOMENT)
    Journal(installation.data / "sync").write(JournalEntry(backup=backup.id, phase=ChangePhase.WRITING))
    (installation.folder / ".env").write_bytes(b"SOMEBODY=else\n")

    done = installation.sync.recover(installation.steps.append)

    assert done is not None
    assert "was changed by someone else" in str(done.notes[0])
    assert (installation.folder / ".env").read_bytes() == b"SOMEBODY=else\n"
    assert installation.sync.recover(installation.steps.append) is None


def test_file_that_cannot_be_put_back_keeps_no_other_from_it(tmp_path: Path) -> None:
    installation = install(tmp_path)
    before = read_files(installation.folder)
    edits = installation.sync.draft(fresh={API_KEY: SecretStr(NEW_KEY)}).edits
    backups = Backups(installation.data / "sync" / "backups")
    backup = backups.make(edits, (), commands=(), kind="apply", actor="ana", at=MOMENT)
    Journal(installation.data / "sync").write(JournalEntry(backup=backup.id, phase=ChangePhase.WRITING))
    for edit in edits:
        edit.found.path.write_bytes(edit.after)
    # The last one that was written is the first that is put back.
    last = edits[-1].found.path
    in_the_way = temporary_of(last)
    in_the_way.mkdir()

    with pytest.raises(SyncError, match="not everything could be put back"):
        installation.sync.recover(installation.steps.append)

    after = read_files(installation.folder)
    assert {name for name in before if after[name] != before[name]} == {last.name}
    in_the_way.rmdir()
    done = installation.sync.recover(installation.steps.append)
    assert done is not None
    assert done.code == "undone"
    assert read_files(installation.folder) == before


def test_unreadable_journal_is_not_guessed_at(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep(OLD_KEY)
    journal = installation.data / "sync" / "journal.json"
    journal.parent.mkdir(parents=True)
    journal.write_text("{half")

    with pytest.raises(SyncError, match=r"journal\.json cannot be read"):
        installation.apply(NEW_KEY)

    assert read_files(installation.folder)[".env"] == LEGUAS_FILES[".env"].encode()


@pytest.mark.parametrize("way", ["renaming", "in_place"])
def test_apply_killed_at_any_step_leaves_everything_old_or_everything_new(tmp_path: Path, way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killed_sync", tmp_path, way],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    links = {"hard-link"} if way == "in_place" else set()
    assert [one["killed"] for one in found] == [True] * (len(found) - 1) + [False]
    assert len(found) > 20
    for one in found:
        assert set(one["holding"]) == set(LEGUAS_FILES) | links
        assert set(map(tuple, one["holding"].values())) == {(one["in_force"],)}
        assert (one["journal"], one["is_settled"]) == (False, True)
    assert {one["in_force"] for one in found} == {OLD_KEY, NEW_KEY}
