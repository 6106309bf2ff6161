"""Why a backup cannot be opened: each cause under an id of its own, wherever the file was hurt."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pyrage
import pytest

from cli.backup.encryption import Lock, Opener, bech32, opened, write_encrypted
from cli.backup.errors import BackupError, BackupProblem
from cli.backup.load import inspect, load
from cli.backup.parts import read_parts
from cli.backup.save import save
from cli.backup.streams import SEAL_BYTES, SealingWriter
from cli.main import main
from tests.unit.core.full_disk import disk_that_takes

P = BackupProblem
RIGHT, WRONG = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
KEY = Opener(identities=str(RIGHT))
WORDS = Opener(passphrase="correct horse")
OLD = Path(__file__).parents[2] / "data" / "backup" / "by-passphrase-without-seal"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a file that cannot be compressed to nothing."""
    folder = tmp_path_factory.mktemp("backup") / "data"
    (folder / "store").mkdir(parents=True)
    (folder / "store" / "users.json").write_text(json.dumps({"admin": list(range(300))}))
    return folder


@pytest.fixture
def folder(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the commands run, with a file that holds the right passphrase."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(data))
    (tmp_path / "words").write_text("correct horse")
    return tmp_path


def written(data: Path, lock: Lock) -> bytes:
    """Write a backup and return it."""
    out = io.BytesIO()

    def fill(stream: IO[bytes]) -> None:
        save(stream, read_parts(data, []))

    write_encrypted(out, fill, lock)
    return out.getvalue()


@pytest.fixture(scope="module")
def plain(data: Path) -> bytes:
    """A backup that is not encrypted."""
    return written(data, Lock())


@pytest.fixture(scope="module")
def for_a_key(data: Path) -> bytes:
    """A backup for the right key."""
    return written(data, Lock(recipients=(str(RIGHT.to_public()),)))


@pytest.fixture(scope="module")
def by_passphrase(data: Path) -> bytes:
    """A backup by the right passphrase."""
    return written(data, Lock(passphrase=WORDS.passphrase))


def problem_of(backup: bytes, opener: Opener = KEY) -> BackupProblem | None:
    """Read all of it; None when it can be restored."""
    try:
        with opened(io.BytesIO(backup), opener) as content:
            inspect(content)
    except BackupError as error:
        return error.problem
    return None


def flipped(backup: bytes, place: int) -> bytes:
    """Change one byte."""
    return backup[:place] + bytes([backup[place] ^ 0x55]) + backup[place + 1 :]


def test_each_form_can_be_restored(plain: bytes, for_a_key: bytes, by_passphrase: bytes) -> None:
    assert problem_of(plain) is None
    assert problem_of(for_a_key) is None
    assert problem_of(by_passphrase, WORDS) is None


@pytest.mark.parametrize("form", ["plain", "for_a_key"])
def test_a_byte_that_changed_is_damage_wherever_it_is(form: str, request: pytest.FixtureRequest) -> None:
    backup = request.getfixturevalue(form)
    start = len(b"wppconnect-ops-backup/") if form == "for_a_key" else 3

    problems = {problem_of(flipped(backup, place)) for place in range(start, len(backup) - SEAL_BYTES, 5)}

    assert problems == {P.DAMAGED}


@pytest.mark.parametrize("form", ["plain", "for_a_key"])
def test_what_was_cut_off_is_called_that_wherever_it_ends(form: str, request: pytest.FixtureRequest) -> None:
    backup = request.getfixturevalue(form)

    problems = {problem_of(backup[:length]) for length in range(0, len(backup) - SEAL_BYTES, 5)}

    assert problems == {P.CUT_OFF}


@pytest.mark.parametrize("missing", [1, SEAL_BYTES // 2, SEAL_BYTES])
def test_an_encrypted_backup_without_its_end_was_cut_off(for_a_key: bytes, missing: int) -> None:
    assert problem_of(for_a_key[:-missing]) is P.CUT_OFF


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda backup: backup + b"x", id="a byte behind it"),
        pytest.param(lambda backup: backup + b"\n" * 5000, id="line ends behind it"),
        pytest.param(lambda backup: backup + backup, id="twice in one file"),
        pytest.param(lambda backup: backup.replace(b"\n", b"\r\n"), id="sent as text"),
        pytest.param(lambda backup: backup.decode("latin-1").encode(), id="saved as text"),
    ],
)
def test_what_has_become_more_is_damaged_and_not_cut_off(
    change: Callable[[bytes], bytes], for_a_key: bytes
) -> None:
    assert problem_of(change(for_a_key)) is P.DAMAGED


# Each takes the processor half a second; behind the lock and its first line all forms are read alike.
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda backup: backup + b"x", id="a byte behind it"),
        pytest.param(lambda backup: backup.replace(b"\n", b"\r\n"), id="sent as text"),
    ],
)
def test_what_has_become_more_does_not_blame_the_passphrase(
    change: Callable[[bytes], bytes], by_passphrase: bytes
) -> None:
    assert problem_of(change(by_passphrase), WORDS) is P.DAMAGED


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(lambda backup: flipped(backup, 30), P.DAMAGED, id="kind"),
        pytest.param(lambda backup: flipped(backup, 40), P.DAMAGED, id="salt"),
        pytest.param(lambda backup: flipped(backup, 150), P.DAMAGED, id="header of age"),
        pytest.param(lambda backup: flipped(backup, len(backup) // 2), P.DAMAGED, id="content"),
        pytest.param(lambda backup: backup[: len(backup) // 2], P.CUT_OFF, id="half"),
        pytest.param(lambda backup: backup[:45], P.CUT_OFF, id="within its first line"),
    ],
)
def test_a_hurt_backup_by_passphrase_does_not_blame_the_passphrase(
    by_passphrase: bytes, change: Any, problem: BackupProblem
) -> None:
    assert problem_of(change(by_passphrase), WORDS) is problem


@pytest.mark.parametrize(
    ("form", "opener", "problem"),
    [
        pytest.param("for_a_key", Opener(identities=str(WRONG)), P.OTHER_KEY, id="another key"),
        pytest.param("for_a_key", WORDS, P.NEEDS_KEY, id="a passphrase for a key"),
        pytest.param("for_a_key", Opener(), P.NEEDS_KEY, id="no key"),
        pytest.param("for_a_key", Opener(identities="secret"), P.BAD_IDENTITY, id="no key at all"),
        pytest.param("by_passphrase", Opener(passphrase="x"), P.OTHER_PASSPHRASE, id="another passphrase"),
        pytest.param("by_passphrase", KEY, P.NEEDS_PASSPHRASE, id="a key for a passphrase"),
        pytest.param("by_passphrase", Opener(), P.NEEDS_PASSPHRASE, id="no passphrase"),
    ],
)
def test_what_does_not_open_a_whole_backup_is_named(
    form: str, opener: Opener, problem: BackupProblem, request: pytest.FixtureRequest
) -> None:
    assert problem_of(request.getfixturevalue(form), opener) is problem


def contents(table: dict[str, Any], *, with_folder: bool = False) -> bytes:
    """Make an archive by hand."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        if with_folder:
            folder = tarfile.TarInfo("data/new-kind")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
        text = json.dumps(table).encode()
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return out.getvalue()


@pytest.mark.parametrize(
    "backup",
    [
        pytest.param(contents({"format": 2}), id="another table of contents"),
        pytest.param(contents({"format": 1, "store_schema": 99}), id="another store"),
        pytest.param(contents({"format": 2}, with_folder=True), id="another kind of entry"),
    ],
)
def test_what_a_newer_release_wrote_is_called_that(backup: bytes) -> None:
    assert problem_of(backup) is P.NEWER_RELEASE


def test_a_newer_kind_of_lock_is_called_that(for_a_key: bytes) -> None:
    out = io.BytesIO()
    sealed = SealingWriter(out)
    sealed.write(for_a_key[:-SEAL_BYTES].replace(b"backup/2 key", b"backup/3 new kind", 1))
    sealed.finish()

    assert problem_of(out.getvalue()) is P.NEWER_RELEASE


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(b"PK\x03\x04 some other archive", id="another archive"),
        pytest.param(b"#!/bin/sh\necho it is a script", id="a script"),
    ],
)
def test_another_file_is_no_backup(file: bytes) -> None:
    assert problem_of(file) is P.NOT_A_BACKUP


def test_no_room_for_what_is_unpacked_is_called_that(plain: bytes, data: Path, tmp_path: Path) -> None:
    parts = read_parts(tmp_path / "other", [])
    with (
        disk_that_takes(100),
        pytest.raises(BackupError) as raised,
        opened(io.BytesIO(plain), Opener()) as content,
    ):
        load(content, parts, overwrite=False)

    assert raised.value.problem is P.NO_ROOM
    assert not (tmp_path / "other" / "store").exists()


@pytest.mark.parametrize(
    "words", [[], ["--recipient", str(RIGHT.to_public())], ["--passphrase-file", "words"]]
)
def test_no_room_for_the_backup_is_called_that(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with disk_that_takes(100):
        assert main(["backup", "saved", *words]) == 1

    assert capsys.readouterr().err.startswith("wppconnect-ops backup: no room: saved: ")
    assert [path.name for path in folder.glob("saved*")] == []


def test_a_backup_of_an_older_release_is_still_read() -> None:
    old = OLD.read_bytes()

    assert problem_of(old, WORDS) is None
    assert problem_of(old, Opener(passphrase="x")) is P.OLD_UNREADABLE
    assert problem_of(old[:-20], WORDS) is P.OLD_UNREADABLE
    assert problem_of(old, Opener()) is P.NEEDS_EITHER


def test_an_older_backup_that_asks_for_too_much_work_is_not_called_another_passphrase() -> None:
    for_a_faster_machine = re.sub(rb"(-> scrypt \S+ )\d+", rb"\g<1>40", OLD.read_bytes())

    assert problem_of(for_a_faster_machine, WORDS) is P.TOO_SLOW


def test_the_work_for_a_passphrase_is_the_same_on_every_machine(by_passphrase: bytes) -> None:
    first_line = by_passphrase.split(b"\n", 1)[0]

    # Nothing but the salt varies: no measured work factor that another machine could refuse.
    assert re.fullmatch(rb"wppconnect-ops-backup/2 passphrase [A-Za-z0-9+/]{22}==", first_line)
    assert b"-> scrypt" not in by_passphrase


def test_a_key_is_written_as_age_writes_it() -> None:
    # BIP 173's own example of a valid string, and a key that the library reads and writes back.
    assert bech32("abcdef", bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df")) == (
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"
    )
    text = bech32("age-secret-key-", bytes(range(32))).upper()
    assert str(pyrage.x25519.Identity.from_str(text)) == text


@pytest.mark.parametrize(
    ("words", "code", "end"),
    [
        pytest.param([], 0, "nothing is missing or damaged", id="without its key"),
        pytest.param(["--identity-file", "right"], 0, "can be restored", id="with its key"),
        pytest.param(["--identity-file", "wrong"], 1, "another key", id="with another key"),
    ],
)
def test_a_backup_can_be_checked_without_changing_anything(
    words: list[str],
    code: int,
    end: str,
    for_a_key: bytes,
    data: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "right").write_text(str(RIGHT))
    (folder / "wrong").write_text(str(WRONG))
    (folder / "saved").write_bytes(for_a_key)
    before = sorted(data.rglob("*"))

    assert main(["restore", "--check", "saved", *words]) == code

    assert end in capsys.readouterr().err
    assert sorted(data.rglob("*")) == before


@pytest.mark.parametrize(
    "lock", [[], ["--recipient", str(RIGHT.to_public())], ["--passphrase-file", "words"]]
)
def test_a_backup_is_read_again_before_it_is_called_done(
    lock: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Path.open

    def open_on_a_bad_disk(self: Path, mode: str = "r", **options: Any) -> Any:
        if self.name != "saved.part":
            return real(self, mode, **options)
        with real(self, mode) as file:
            content = file.read()
        return io.BytesIO(flipped(content, len(content) // 2))

    monkeypatch.setattr(Path, "open", open_on_a_bad_disk)

    assert main(["backup", "saved", *lock]) == 1

    said = capsys.readouterr().err
    assert said.startswith(
        "wppconnect-ops backup: what was written could not be opened again (it is damaged: "
    )
    assert [path.name for path in folder.glob("saved*")] == []
