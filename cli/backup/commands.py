"""`wppconnect-ops backup` and `wppconnect-ops restore`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cli.backup.encryption import Lock, Opener
    from cli.backup.streams import Fill

STREAM = "-"
PATH = click.Path(path_type=Path)
ALSO = click.option(
    "--also",
    metavar="NAME=FOLDER",
    multiple=True,
    help="An additional folder, such as the gateway's profiles (repeatable).",
)
Environ = Mapping[str, str]


@click.command(epilog="Without a key or passphrase, anyone with the file can read it.")
@click.argument("file", type=click.Path(allow_dash=True))
@click.option(
    "--recipient", metavar="KEY", multiple=True, help="An age (age1...) or SSH public key (repeatable)."
)
@click.option("--recipients-file", metavar="FILE", type=PATH, help="A file with such keys, one per line.")
@click.option(
    "--passphrase-file", metavar="FILE", type=PATH, help="A file with the passphrase to encrypt with."
)
@ALSO
@click.pass_obj
def backup(
    environ: Environ,
    /,
    file: str,
    recipient: Sequence[str],
    recipients_file: Path | None,
    passphrase_file: Path | None,
    also: Sequence[str],
) -> None:
    """Write the data folder (WPPCONNECT_DATA_DIR) to FILE while everything runs; "-" is standard output.

    The backup holds settings, users, tokens and history, all of the same moment.
    """
    from cli.backup.encryption import write_encrypted
    from cli.backup.errors import BackupError, BackupProblem, file_error
    from cli.backup.parts import read_parts
    from cli.backup.save import save
    from core.exceptions import ConfigurationError

    if file == STREAM and sys.__stdout__ is None:
        raise ConfigurationError(["standard output is closed; name a file"])
    parts = read_parts(_data_folder(environ), list(also))
    lock = _lock(recipient, recipients_file, passphrase_file)
    for part in parts:
        if not part.folder.is_dir():
            raise BackupError(BackupProblem.NO_FOLDER, folder=part.folder)
    count = 0

    def fill(out: IO[bytes]) -> None:
        nonlocal count
        count = save(out, parts)

    try:
        if file == STREAM:
            write_encrypted(sys.stdout.buffer, fill, lock)
        else:
            _write_file(Path(file), fill, lock)
    except BrokenPipeError:
        raise  # the reader has ended
    except OSError as error:
        path = error.filename or ("standard output" if file == STREAM else file)
        raise file_error(error, path, BackupProblem.NOT_WRITABLE) from None
    note = "; it is not encrypted and holds secrets: keep it private" if lock.is_open else ""
    names = ", ".join(part.name for part in parts)
    sys.stderr.write(f"wppconnect-ops backup: {count} files of {names}{note}\n")


@click.command(epilog="Exporter and page must not run. Restores everything or changes nothing.")
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--identity-file", metavar="FILE", type=PATH, help="A file with the age or SSH secret key.")
@click.option("--passphrase-file", metavar="FILE", type=PATH, help="A file with the passphrase.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option("--check", is_flag=True, help="Only verify the backup; change nothing.")
@ALSO
@click.pass_obj
def restore(
    environ: Environ,
    /,
    file: str,
    identity_file: Path | None,
    passphrase_file: Path | None,
    overwrite: bool,
    check: bool,
    also: Sequence[str],
) -> None:
    """Unpack the backup FILE, check it, and replace the present state with it; "-" is standard input."""
    from cli.backup.encryption import Opener, opened, read_secret_file
    from cli.backup.errors import file_error
    from cli.backup.load import load
    from cli.backup.parts import read_parts

    parts = read_parts(_data_folder(environ), list(also))
    opener = Opener(
        read_secret_file(identity_file, "--identity-file") if identity_file else "",
        read_secret_file(passphrase_file, "--passphrase-file") if passphrase_file else "",
    )
    try:
        with sys.stdin.buffer if file == STREAM else Path(file).open("rb") as source:
            if check:
                _check(source, opener)
                return
            with opened(source, opener) as content:
                manifest = load(content, parts, overwrite=overwrite)
    except OSError as error:
        raise file_error(error, error.filename or file) from None
    said = f"{len(manifest['files'])} files of {', '.join(manifest['parts'])}, saved {manifest['created']}"
    sys.stderr.write(f"wppconnect-ops restore: {said}\n")


def _data_folder(environ: Environ) -> Path:
    from cli.environment import read_environment
    from core.settings.environment import load_environment

    told = read_environment(environ, Path.cwd())
    only_the_folder = {name: text for name, text in told.items() if name == "WPPCONNECT_DATA_DIR"}
    return load_environment(only_the_folder).data_dir.expanduser().absolute()


def _lock(recipients: Sequence[str], recipients_file: Path | None, passphrase_file: Path | None) -> Lock:
    from cli.backup.encryption import Lock, read_secret_file
    from cli.backup.errors import BackupError, BackupProblem

    keys = list(recipients)
    if recipients_file:
        lines = read_secret_file(recipients_file, "--recipients-file").splitlines()
        keys += [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    passphrase = read_secret_file(passphrase_file, "--passphrase-file") if passphrase_file else ""
    if keys and passphrase:
        raise BackupError(BackupProblem.KEY_AND_PASSPHRASE)
    return Lock(tuple(keys), passphrase)


def _write_file(path: Path, fill: Fill, lock: Lock) -> None:
    """Write to a temporary name, verify the contents, and rename: a failed backup never gets the name."""
    import os

    from cli.backup.encryption import Opener, check_seal, write_encrypted
    from cli.backup.errors import BackupError, BackupProblem
    from cli.backup.save import private_file

    unfinished = path.with_name(f"{path.name}.part")
    try:
        with private_file(unfinished) as out:
            write_encrypted(out, fill, lock)
            out.flush()
            os.fsync(out.fileno())
        try:
            with unfinished.open("rb") as source:
                if lock.recipients:
                    check_seal(source)  # only the holder of the secret key can open it
                else:
                    _inspect(source, Opener(passphrase=lock.passphrase))
        except BackupError as error:
            raise BackupError(BackupProblem.NOT_WHAT_WAS_WRITTEN, reason=error) from None
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _check(source: IO[bytes], opener: Opener) -> None:
    """Read all of a backup. Without the secret key of an encrypted one, compare only its seal."""
    from cli.backup.errors import BackupError, BackupProblem

    try:
        manifest = _inspect(source, opener)
    except BackupError as error:
        if error.problem not in (BackupProblem.NEEDS_KEY, BackupProblem.NEEDS_PASSPHRASE):
            raise
        sys.stderr.write(f"wppconnect-ops restore: nothing is missing or damaged; {error} to open it\n")
        return
    sys.stderr.write(
        f"wppconnect-ops restore: {len(manifest['files'])} files of {', '.join(manifest['parts'])}, "
        f"saved {manifest['created']}, can be restored\n"
    )


def _inspect(source: IO[bytes], opener: Opener) -> dict[str, Any]:
    from cli.backup.encryption import opened
    from cli.backup.load import inspect

    with opened(source, opener) as content:
        return inspect(content)
