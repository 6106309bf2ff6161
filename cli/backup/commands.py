"""`wppconnect-ops backup` and `wppconnect-ops restore`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from cli.backup.encryption import (
    Lock,
    Opener,
    check_seal,
    opened,
    read_secret_file,
    write_encrypted,
)
from cli.backup.errors import BackupError, BackupProblem, file_error
from cli.backup.load import inspect, load
from cli.backup.parts import read_parts
from cli.backup.save import private_file, save
from cli.backup.streams import Fill
from cli.environment import read_environment
from core.exceptions import ConfigurationError
from core.settings.environment import load_environment

FAILED = 1
MISCONFIGURED = 2
STREAM = "-"


def backup(
    environ: Mapping[str, str],
    *,
    file: str,
    recipients: Sequence[str],
    recipients_file: Path | None,
    passphrase_file: Path | None,
    also: Sequence[str],
) -> int:
    """Write everything worth keeping into one file; returns the exit code."""
    if file == STREAM and sys.__stdout__ is None:
        return _complain("backup", "standard output is closed; name a file", MISCONFIGURED)
    try:
        parts = read_parts(_data_folder(environ), list(also))
        lock = _lock(recipients, recipients_file, passphrase_file)
        for part in parts:
            if not part.folder.is_dir():
                raise BackupError(BackupProblem.NO_FOLDER, folder=part.folder)
        count = 0

        def fill(out: IO[bytes]) -> None:
            nonlocal count
            count = save(out, parts)

        if file == STREAM:
            write_encrypted(sys.stdout.buffer, fill, lock)
        else:
            _write_file(Path(file), fill, lock)
    except ConfigurationError as error:
        return _complain("backup", "; ".join(error.problems), MISCONFIGURED)
    except BackupError as error:
        return _complain("backup", str(error), FAILED)
    except BrokenPipeError:
        raise  # who reads it has gone
    except OSError as error:
        path = error.filename or ("standard output" if file == STREAM else file)
        return _complain("backup", str(file_error(error, path, BackupProblem.NOT_WRITABLE)), FAILED)
    note = "; it is not encrypted and holds secrets: keep it private" if lock.is_open else ""
    names = ", ".join(part.name for part in parts)
    sys.stderr.write(f"wppconnect-ops backup: {count} files of {names}{note}\n")
    return 0


def restore(
    environ: Mapping[str, str],
    *,
    file: str,
    identity_file: Path | None,
    passphrase_file: Path | None,
    overwrite: bool,
    check: bool,
    also: Sequence[str],
) -> int:
    """Put a backup in place, wholly or not at all, or only check it; returns the exit code."""
    try:
        parts = read_parts(_data_folder(environ), list(also))
        opener = Opener(
            read_secret_file(identity_file, "--identity-file") if identity_file else "",
            read_secret_file(passphrase_file, "--passphrase-file") if passphrase_file else "",
        )
        with sys.stdin.buffer if file == STREAM else Path(file).open("rb") as source:
            if check:
                return _check(source, opener)
            with opened(source, opener) as content:
                manifest = load(content, parts, overwrite=overwrite)
    except ConfigurationError as error:
        return _complain("restore", "; ".join(error.problems), MISCONFIGURED)
    except BackupError as error:
        return _complain("restore", str(error), FAILED)
    except OSError as error:
        return _complain("restore", str(file_error(error, error.filename or file)), FAILED)
    said = f"{len(manifest['files'])} files of {', '.join(manifest['parts'])}, saved {manifest['created']}"
    sys.stderr.write(f"wppconnect-ops restore: {said}\n")
    return 0


def _data_folder(environ: Mapping[str, str]) -> Path:
    told = read_environment(environ, Path.cwd())
    only_the_folder = {name: text for name, text in told.items() if name == "WPPCONNECT_DATA_DIR"}
    return load_environment(only_the_folder).data_dir.expanduser().absolute()


def _lock(recipients: Sequence[str], recipients_file: Path | None, passphrase_file: Path | None) -> Lock:
    keys = list(recipients)
    if recipients_file:
        lines = read_secret_file(recipients_file, "--recipients-file").splitlines()
        keys += [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    passphrase = read_secret_file(passphrase_file, "--passphrase-file") if passphrase_file else ""
    if keys and passphrase:
        raise BackupError(BackupProblem.KEY_AND_PASSPHRASE)
    return Lock(tuple(keys), passphrase)


def _write_file(path: Path, fill: Fill, lock: Lock) -> None:
    """Write beside the name, open what was written, and rename: what failed does not look like a backup."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with private_file(unfinished) as out:
            write_encrypted(out, fill, lock)
            out.flush()
            os.fsync(out.fileno())
        try:
            with unfinished.open("rb") as source:
                if lock.recipients:
                    check_seal(source)  # only who has the secret key can open it
                else:
                    _inspect(source, Opener(passphrase=lock.passphrase))
        except BackupError as error:
            raise BackupError(BackupProblem.NOT_WHAT_WAS_WRITTEN, reason=error) from None
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _check(source: IO[bytes], opener: Opener) -> int:
    """Read all of a backup; without the secret key of an encrypted one as far as that goes."""
    try:
        manifest = _inspect(source, opener)
    except BackupError as error:
        if error.problem not in (BackupProblem.NEEDS_KEY, BackupProblem.NEEDS_PASSPHRASE):
            raise
        sys.stderr.write(f"wppconnect-ops restore: nothing is missing or damaged; {error} to open it\n")
        return 0
    sys.stderr.write(
        f"wppconnect-ops restore: {len(manifest['files'])} files of {', '.join(manifest['parts'])}, "
        f"saved {manifest['created']}, can be restored\n"
    )
    return 0


def _inspect(source: IO[bytes], opener: Opener) -> dict[str, Any]:
    with opened(source, opener) as content:
        return inspect(content)


def _complain(command: str, problem: str, code: int) -> int:
    sys.stderr.write(f"wppconnect-ops {command}: {problem}\n")
    return code
