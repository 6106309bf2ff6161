"""The problems of backup and restore, each with its message."""

from __future__ import annotations

import errno
from enum import StrEnum, unique

from core.exceptions import WppconnectError

NO_ROOM_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@unique
class BackupProblem(StrEnum):
    """Every problem with its message. No two share one."""

    OTHER_KEY = "it was encrypted for another key than the one in --identity-file"
    OTHER_PASSPHRASE = "it was encrypted by another passphrase"
    DAMAGED = "it is damaged: something in it is not as it was written; take another copy of it"
    CUT_OFF = "it was cut off: its end is missing; copy it again"
    NEWER_RELEASE = "it was written by a newer release ({product}); install that one first"
    NO_ROOM = "no room: {path}: {reason}; nothing was changed. Free space there, or raise the quota"
    TOO_SLOW = (
        "this machine is too slow, or too busy, for it: the release that wrote it fitted the work of "
        "trying a passphrase to a faster one. Try again while nothing else runs, or on a faster machine"
    )
    OLD_UNREADABLE = (
        "it cannot be decrypted: an older release wrote it, whose files do not show whether "
        "the key or passphrase is another, or the file is damaged or was cut off"
    )
    NEEDS_KEY = "it is encrypted for a key: give --identity-file"
    NEEDS_PASSPHRASE = "it is encrypted by a passphrase: give --passphrase-file"
    NEEDS_EITHER = "it is encrypted: give --identity-file or --passphrase-file"
    NOT_A_BACKUP = "it does not begin as a backup does: it is another file, or damaged at its start"
    NOT_OURS = "it was not written by this product: {what}"
    NOT_WHAT_WAS_WRITTEN = "what was written could not be opened again ({reason}); check that disk"
    IN_USE = "a program works with {folder} ({lock} is held); stop exporter and page first"
    NOT_EMPTY = "{folder} holds something already; restore elsewhere, or say --overwrite"
    UNPLACED_PARTS = "it also holds {parts}: say where to, with --also NAME=FOLDER"
    IN_DATABASE = (
        "the store of {folder} is in PostgreSQL: save that database by pg_dump, and the folder by other means"
    )
    NO_FOLDER = "{folder} is no folder; there is nothing to back up"
    NOT_READABLE = "{path} cannot be read ({reason})"
    NOT_WRITABLE = "{path} cannot be written ({reason}); nothing was changed"
    STORE_BUSY = "{reason}"
    BECAME_SHORTER = "{path} became shorter while it was read; stop who writes it and try again"
    BAD_ALSO = "--also: write NAME=FOLDER, with small letters in NAME, instead of {text}"
    ALSO_TWICE = "--also: {name} is named twice; give each folder a name of its own"
    BAD_RECIPIENT = "--recipient: must be an age public key (age1...) or an ssh-ed25519 or ssh-rsa key"
    BAD_IDENTITY = "--identity-file: holds no age secret key (AGE-SECRET-KEY-...) and no SSH private key"
    SECRET_UNREADABLE = "{option}: {path} cannot be read ({reason})"
    SECRET_EMPTY = "{option}: {path} is empty"
    KEY_AND_PASSPHRASE = "give recipients or a passphrase, not both"


class BackupError(WppconnectError):
    """A backup or restore failed with `problem`. Nothing was changed."""

    def __init__(self, problem: BackupProblem, **arguments: object) -> None:
        super().__init__(problem.format(**arguments))
        self.problem = problem


def file_error(
    error: OSError, path: object, otherwise: BackupProblem = BackupProblem.NOT_READABLE
) -> BackupError:
    """Return the BackupError of a file system error: NO_ROOM if space is missing, else `otherwise`."""
    problem = BackupProblem.NO_ROOM if error.errno in NO_ROOM_ERRORS else otherwise
    return BackupError(problem, path=path, reason=error.strerror or type(error).__name__)
