"""Private files: modes, replacing in one step, and words for what a disk can do to us."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Generator
from pathlib import Path

import pytest
from full_disk import disk_that_takes

from core.disk import disk_error, make_private_directory, read_stamp, read_stamped, replace_file
from core.exceptions import StoreError


@contextlib.contextmanager
def umask(mask: int) -> Generator[None]:
    previous = os.umask(mask)
    try:
        yield
    finally:
        os.umask(previous)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o277, 0o777], ids=oct)
def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "data" / "store" / "settings.json"

    with umask(mask):
        make_private_directory(path.parent)
        replace_file(path, b"{}", durable=True)

    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700
    assert mode_of(path.parent.parent) == 0o700


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)

    make_private_directory(shared)

    assert mode_of(shared) == 0o755


def test_a_file_where_a_folder_is_needed_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")

    with pytest.raises(StoreError, match=r"data/store.*move it away.*WPPCONNECT_DATA_DIR"):
        make_private_directory(tmp_path / "data" / "store")


def test_a_full_disk_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    replace_file(path, b"old", durable=True)

    with (
        disk_that_takes(100),
        pytest.raises(StoreError, match=r"cannot write .*settings\.json: file too large"),
    ):
        replace_file(path, b"x" * 1000, durable=True)

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_cleared(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    (tmp_path / "settings.json.tmp").write_bytes(b"half of a")

    replace_file(path, b"whole", durable=False)

    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "settings.json.tmp").symlink_to(victim)

    replace_file(tmp_path / "settings.json", b"ours", durable=False)

    assert victim.read_bytes() == b"mine"


def test_a_new_version_is_dated_later_than_the_one_it_replaces_whatever_the_clock_says(
    tmp_path: Path,
) -> None:
    path = tmp_path / "settings.json"
    replace_file(path, b"old", durable=False)
    in_the_future_ns = 4_000_000_000 * 10**9
    os.utime(path, ns=(in_the_future_ns, in_the_future_ns))

    replace_file(path, b"new", durable=False)

    stamp = read_stamp(path)
    assert stamp
    assert stamp.modified_ns == in_the_future_ns + 1


def test_a_missing_file_has_neither_stamp_nor_content(tmp_path: Path) -> None:
    assert read_stamp(tmp_path / "none") is None
    assert read_stamped(tmp_path / "none") is None


def test_a_folder_in_place_of_a_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot read .*a folder stands where a file is needed"):
        read_stamped(tmp_path)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param(errno.ENOSPC, "no space left on device; free space on that disk", id="full disk"),
        pytest.param(errno.EACCES, "permission denied; let the account that runs", id="not permitted"),
        pytest.param(errno.EROFS, "read-only file system; mount the file system writable", id="read-only"),
        pytest.param(errno.EIO, "input/output error; check that disk", id="broken disk"),
    ],
)
def test_every_disk_error_names_the_file_the_reason_and_the_remedy(code: int, words: str) -> None:
    error = disk_error("write", Path("/data/store/settings.json"), OSError(code, "x"))

    assert str(error).startswith(f"cannot write /data/store/settings.json: {words}")
