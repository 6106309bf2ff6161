"""Why a backup or a restoration did not happen, by id, and the sentence for each."""

from __future__ import annotations

import errno
from enum import StrEnum

from core.exceptions import WppconnectError

NO_ROOM_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BackupProblem(StrEnum):
    """One id for each cause, so that no two causes share a sentence."""

    OTHER_KEY = "other_key"
    OTHER_PASSPHRASE = "other_passphrase"  # noqa: S105 - an id
    DAMAGED = "damaged"
    CUT_OFF = "cut_off"
    NEWER_RELEASE = "newer_release"
    NO_ROOM = "no_room"
    TOO_SLOW = "too_slow"
    OLD_UNREADABLE = "old_unreadable"
    NEEDS_KEY = "needs_key"
    NEEDS_PASSPHRASE = "needs_passphrase"  # noqa: S105 - an id
    NEEDS_EITHER = "needs_either"
    NOT_A_BACKUP = "not_a_backup"
    NOT_OURS = "not_ours"
    NOT_WHAT_WAS_WRITTEN = "not_what_was_written"
    IN_USE = "in_use"
    NOT_EMPTY = "not_empty"
    UNPLACED_PARTS = "unplaced_parts"
    NO_FOLDER = "no_folder"
    NOT_READABLE = "not_readable"
    NOT_WRITABLE = "not_writable"
    STORE_BUSY = "store_busy"
    BECAME_SHORTER = "became_shorter"
    BAD_ALSO = "bad_also"
    ALSO_TWICE = "also_twice"
    BAD_RECIPIENT = "bad_recipient"
    BAD_IDENTITY = "bad_identity"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - an id
    SECRET_EMPTY = "secret_empty"  # noqa: S105 - an id
    KEY_AND_PASSPHRASE = "key_and_passphrase"  # noqa: S105 - an id


P = BackupProblem
SENTENCES = {
    P.OTHER_KEY: "it was encrypted for another key than the one in --identity-file",
    P.OTHER_PASSPHRASE: "it was encrypted by another passphrase",
    P.DAMAGED: "it is damaged: something in it is not as it was written; take another copy of it",
    P.CUT_OFF: "it was cut off: its end is missing; copy it again",
    P.NEWER_RELEASE: "it was written by a newer release ({product}); install that one first",
    P.NO_ROOM: "no room: {path}: {reason}; nothing was changed. Free space there, or raise the quota",
    P.TOO_SLOW: "this machine is too slow, or too busy, for it: the release that wrote it fitted the work of "
    "trying a passphrase to a faster one. Try again while nothing else runs, or on a faster machine",
    P.OLD_UNREADABLE: "it cannot be decrypted: an older release wrote it, whose files do not show whether "
    "the key or passphrase is another, or the file is damaged or was cut off",
    P.NEEDS_KEY: "it is encrypted for a key: give --identity-file",
    P.NEEDS_PASSPHRASE: "it is encrypted by a passphrase: give --passphrase-file",
    P.NEEDS_EITHER: "it is encrypted: give --identity-file or --passphrase-file",
    P.NOT_A_BACKUP: "it does not begin as a backup does: it is another file, or damaged at its start",
    P.NOT_OURS: "it was not written by this product: {what}",
    P.NOT_WHAT_WAS_WRITTEN: "what was written could not be opened again ({reason}); check that disk",
    P.IN_USE: "a program works with {folder} ({lock} is held); stop exporter and page first",
    P.NOT_EMPTY: "{folder} holds something already; restore elsewhere, or say --overwrite",
    P.UNPLACED_PARTS: "it also holds {parts}: say where to, with --also NAME=FOLDER",
    P.NO_FOLDER: "{folder} is no folder; there is nothing to back up",
    P.NOT_READABLE: "{path} cannot be read ({reason})",
    P.NOT_WRITABLE: "{path} cannot be written ({reason}); nothing was changed",
    P.STORE_BUSY: "{reason}",
    P.BECAME_SHORTER: "{path} became shorter while it was read; stop who writes it and try again",
    P.BAD_ALSO: "--also: write NAME=FOLDER, with small letters in NAME, instead of {text}",
    P.ALSO_TWICE: "--also: {name} is named twice; give each folder a name of its own",
    P.BAD_RECIPIENT: "--recipient: must be an age public key (age1...) or an ssh-ed25519 or ssh-rsa key",
    P.BAD_IDENTITY: "--identity-file: holds no age secret key (AGE-SECRET-KEY-...) and no SSH private key",
    P.SECRET_UNREADABLE: "{option}: {path} cannot be read ({reason})",
    P.SECRET_EMPTY: "{option}: {path} is empty",
    P.KEY_AND_PASSPHRASE: "give recipients or a passphrase, not both",
}


class BackupError(WppconnectError):
    """What prevented it, by id; nothing was changed."""

    def __init__(self, problem: BackupProblem, **arguments: object) -> None:
        super().__init__(SENTENCES[problem].format(**arguments))
        self.problem = problem


def file_error(error: OSError, path: object, otherwise: BackupProblem = P.NOT_READABLE) -> BackupError:
    """Turn an error of the file system into ours: no room is one of its own."""
    problem = P.NO_ROOM if error.errno in NO_ROOM_ERRORS else otherwise
    return BackupError(problem, path=path, reason=error.strerror or type(error).__name__)
