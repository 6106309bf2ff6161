"""What is being done to containers stands on disk, for our account alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.containers.blueprint import Blueprint
from core.containers.journal import Journal, Move, Page, Phase
from core.exceptions import ContainerError

MOVE = Move(
    name="app", old_id="0123456789abcdef", old=Blueprint(body={"Env": ["K=secret"]}, networks={"net": {}})
)


def test_page_is_read_as_it_was_written_and_cleared(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sync" / "containers.json")
    page = Page(phase=Phase.WORKING, moves=(MOVE,), touched=("app",))

    journal.write(page)

    assert Journal(tmp_path / "sync" / "containers.json").read() == page
    assert (tmp_path / "sync" / "containers.json").stat().st_mode & 0o777 == 0o600
    assert "secret" not in repr(page)
    journal.clear()
    journal.clear()
    assert journal.read() is None


def test_names_meanwhile_cannot_be_mistaken(tmp_path: Path) -> None:
    assert MOVE.old_name == "app.wppconnect-ops-old"
    assert MOVE.new_name == "app.wppconnect-ops-new"
    assert MOVE.compose_name == "0123456789ab_app"


def test_unreadable_page_is_told_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "containers.json").write_text("{")

    with pytest.raises(ContainerError, match="look at the containers that are named in it, then delete it"):
        Journal(tmp_path / "containers.json").read()


def test_disk_that_takes_nothing_is_told_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ContainerError, match="a file stands where a folder is needed"):
        Journal(tmp_path / "file" / "containers.json").write(Page(phase=Phase.WORKING, moves=(MOVE,)))
