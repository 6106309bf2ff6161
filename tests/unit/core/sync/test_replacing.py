"""A replaced file keeps what it was, and a file that cannot be replaced keeps what it held."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.exceptions import SyncError
from core.sync.folders import ChangedMeanwhileError, digest, replace_content, temporary_of
from tests.support.mounts import mounted_over, read_only, small_disk

OLD, NEW = b"KEY=old\n", b"KEY=a-new-and-longer-value\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to replace."""
    path = tmp_path / "folder" / ".env"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def replace(path: Path) -> list[str]:
    """Replace it; returns whether it had to be done in place."""
    in_place: list[str] = []
    replace_content(path, before=digest(OLD), after=NEW, begin_in_place=lambda: in_place.append("in place"))
    return in_place


def test_file_is_replaced_in_one_step_and_nothing_stays_beside_it(file: Path) -> None:
    inode = file.stat().st_ino

    assert replace(file) == []

    assert file.read_bytes() == NEW
    assert file.stat().st_ino != inode
    assert list(file.parent.iterdir()) == [file]


def test_mode_owner_and_attributes_stay(file: Path) -> None:
    os.chown(file, 1234, 4321)
    file.chmod(0o640)
    os.setxattr(file, "user.origin", b"panel")

    replace(file)

    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 4321, 0o640)
    assert os.getxattr(file, "user.origin") == b"panel"


def test_hard_links_go_on_showing_the_same_file(file: Path) -> None:
    other = file.with_name("other")
    other.hardlink_to(file)

    assert replace(file) == ["in place"]

    assert other.read_bytes() == NEW


def test_shorter_content_leaves_nothing_behind(file: Path) -> None:
    file.with_name("other").hardlink_to(file)

    replace_content(file, before=digest(OLD), after=b"K=\n")

    assert file.read_bytes() == b"K=\n"


def test_file_that_is_mounted_by_itself_is_written_in_place(file: Path, tmp_path: Path) -> None:
    place = tmp_path / "mounted.env"
    place.touch()
    with mounted_over(place, file):
        assert replace(place) == ["in place"]

    assert file.read_bytes() == NEW
    assert not temporary_of(place).exists()


def test_file_changed_meanwhile_is_left_alone(file: Path) -> None:
    file.write_bytes(b"KEY=somebody-else\n")

    with pytest.raises(ChangedMeanwhileError, match=r"\.env was changed by someone else in the meantime"):
        replace(file)

    assert file.read_bytes() == b"KEY=somebody-else\n"


def test_file_replaced_by_a_link_meanwhile_is_left_alone(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(OLD)
    file.unlink()
    file.symlink_to(target)

    with pytest.raises(SyncError):
        replace(file)

    assert target.read_bytes() == OLD


def test_leftover_of_a_killed_process_is_cleared(file: Path) -> None:
    temporary_of(file).write_bytes(b"half a fi")

    replace(file)

    assert list(file.parent.iterdir()) == [file]


def test_read_only_folder_says_what_to_do(file: Path) -> None:
    with read_only(file.parent), pytest.raises(SyncError) as refusal:
        replace(file)

    assert str(refusal.value) == f"cannot write {file}: read-only file system; mount its folder writable"
    assert file.read_bytes() == OLD


@pytest.mark.parametrize("links", [1, 2], ids=["by renaming", "in place"])
def test_full_disk_leaves_the_old_content(tmp_path: Path, links: int) -> None:
    with small_disk(tmp_path, 64) as disk:
        path = disk / ".env"
        path.write_bytes(OLD)
        for number in range(1, links):
            (disk / f"link{number}").hardlink_to(path)
        (disk / "filler").write_bytes(b"x" * (15 - 1) * 4096)

        with pytest.raises(SyncError, match="no space left on device; free space on that disk"):
            replace_content(path, before=digest(OLD), after=b"x" * 20_000)

        assert path.read_bytes() == OLD
        assert not temporary_of(path).exists()
