"""Backups that somebody made by hand: whatever they hold, nothing is changed."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.backup.load import MOST_MANIFEST_BYTES
from cli.main import main
from core.store.schema import SCHEMA_NUMBER

Fill = Callable[[tarfile.TarFile], None]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one file, beside where the backup is."""
    folder = tmp_path / "data"
    (folder / "store").mkdir(parents=True)
    (folder / "store" / "users.json").write_text("{}")
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def manifest(**changes: Any) -> bytes:
    """A table of contents of a backup that holds nothing."""
    usual = {"format": 1, "store_schema": SCHEMA_NUMBER, "parts": ["data"], "owners": {"data": [0, 0]}}
    return json.dumps({**usual, "created": "2026-01-01", "files": {}, **changes}).encode()


def a_file(name: str, content: bytes = b"x") -> Fill:
    """Put a file in."""

    def fill(tar: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))

    return fill


def other(kind: bytes, link: str = "") -> Fill:
    """Put something in that is no file."""

    def fill(tar: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo("data/store/odd")
        entry.type, entry.linkname = kind, link
        tar.addfile(entry)

    return fill


@pytest.mark.parametrize(
    "fills",
    [
        pytest.param([other(tarfile.SYMTYPE, "/etc"), a_file("data/store/odd/x")], id="a symbolic link"),
        pytest.param([a_file("data/a"), other(tarfile.LNKTYPE, "data/a")], id="a hard link"),
        pytest.param([other(tarfile.CHRTYPE)], id="a device"),
        pytest.param([other(tarfile.FIFOTYPE)], id="a pipe"),
        pytest.param([other(tarfile.DIRTYPE)], id="a folder"),
        pytest.param([a_file("data/a"), a_file("data/a")], id="a file twice"),
        pytest.param([a_file("data/a"), a_file("data/a/b")], id="a file as a folder"),
        pytest.param([a_file("data/" + "x" * 300)], id="a long name"),
        pytest.param([a_file("manifest.json", b"[" * 100_000)], id="contents nested without end"),
        pytest.param([a_file("manifest.json", b"[]")], id="contents that are a list"),
        pytest.param([a_file("manifest.json", b" " * (MOST_MANIFEST_BYTES + 1))], id="endless contents"),
        pytest.param([a_file("manifest.json", manifest(created=1))], id="no date"),
        pytest.param([a_file("manifest.json", manifest(parts=[{}]))], id="a part that is no name"),
        pytest.param([a_file("manifest.json", manifest(owners={"data": "me"}))], id="an owner that is none"),
        pytest.param([a_file("manifest.json", manifest(owners={"data": [-5, 1 << 40]}))], id="no account"),
    ],
)
def test_odd_backups_change_nothing(fills: list[Fill], data: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "saved", "w:gz") as tar:
        for fill in fills:
            fill(tar)

    assert main(["restore", "saved", "--overwrite"]) == 1
    files = {path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file()}
    # Its own lock may stay: no process can tell whether another one waits for it.
    assert files - {"locks/restore.lock"} == {"store/users.json"}
    assert [path.name for path in data.iterdir() if path.name.startswith(".")] == []
