"""`wppconnect-ops backup` and `wppconnect-ops restore`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from cli.backup.encryption import Fill, Lock, decrypted, read_secret_file, write_encrypted
from cli.backup.errors import BackupError
from cli.backup.load import load
from cli.backup.parts import read_parts
from cli.backup.save import private_file, save
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
    try:
        parts = read_parts(_data_folder(environ), list(also))
        lock = _lock(recipients, recipients_file, passphrase_file)
        for part in parts:
            if not part.folder.is_dir():
                raise BackupError(f"{part.folder} is no folder; there is nothing to back up")
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
    except (BackupError, OSError) as error:
        return _complain("backup", str(error), FAILED)
    note = "; it is not encrypted and holds secrets: keep it private" if lock.is_open else ""
    sys.stderr.write(
        f"wppconnect-ops backup: {count} files of {', '.join(part.name for part in parts)}{note}\n"
    )
    return 0


def restore(
    environ: Mapping[str, str],
    *,
    file: str,
    identity_file: Path | None,
    passphrase_file: Path | None,
    overwrite: bool,
    also: Sequence[str],
) -> int:
    """Put a backup in place, wholly or not at all; returns the exit code."""
    try:
        parts = read_parts(_data_folder(environ), list(also))
        identities = read_secret_file(identity_file, "--identity-file") if identity_file else ""
        passphrase = read_secret_file(passphrase_file, "--passphrase-file") if passphrase_file else ""
        with (
            sys.stdin.buffer if file == STREAM else Path(file).open("rb") as source,
            decrypted(source, identities=identities, passphrase=passphrase) as content,
        ):
            manifest = load(content, parts, overwrite=overwrite)
            while content.read(1 << 20):
                pass  # padding; whoever writes it must not find the pipe closed
    except ConfigurationError as error:
        return _complain("restore", "; ".join(error.problems), MISCONFIGURED)
    except (BackupError, OSError) as error:
        return _complain("restore", str(error), FAILED)
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
        raise BackupError("give recipients or a passphrase, not both")
    return Lock(tuple(keys), passphrase)


def _write_file(path: Path, fill: Fill, lock: Lock) -> None:
    """Write beside the name and rename: a backup that failed does not look like one."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with private_file(unfinished) as out:
            write_encrypted(out, fill, lock)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _complain(command: str, problem: str, code: int) -> int:
    sys.stderr.write(f"wppconnect-ops {command}: {problem}\n")
    return code
