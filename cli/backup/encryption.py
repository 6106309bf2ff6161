"""Encrypt and decrypt with age, for recipients (public keys) or by a passphrase, as a stream.

An encrypted backup is a line with the format and the kind of lock, an age file, and the seal (`streams.py`).
Older releases wrote only the age file, which is still read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

import pyrage  # type: ignore[import-untyped]

from cli.backup.errors import BackupError, BackupProblem
from cli.backup.streams import Fill, Output, Readable, Seal, SealedReader, SealingWriter, filled

FORMAT = 2
MARK = b"wppconnect-ops-backup/"
AGE = b"age-encryption.org/"
GZIP = b"\x1f\x8b\x08"
LONGEST_LINE = 200
BY_KEY = "key"
BY_PASSPHRASE = "passphrase"  # noqa: S105 - the name of a kind
TOO_MUCH_WORK = "Excessive work"
"""The beginning of the message: pyrage has one exception for everything that prevents decryption."""
SEEN_IN_THE_CONTENT = (
    BackupProblem.CUT_OFF,
    BackupProblem.NEWER_RELEASE,
    BackupProblem.NOT_OURS,
    BackupProblem.UNPLACED_PARTS,
)
"""Problems that damage may cause before the seal is compared."""


@dataclass(frozen=True)
class Lock:
    """How a backup is encrypted. Without recipients and passphrase it is not."""

    recipients: tuple[str, ...] = ()
    passphrase: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the backup is not encrypted."""
        return not self.recipients and not self.passphrase


@dataclass(frozen=True)
class Opener:
    """The secret keys and the passphrase to open a backup."""

    identities: str = ""
    passphrase: str = ""


def write_encrypted(out: IO[bytes], fill: Fill, lock: Lock) -> None:
    """Encrypt the content that `fill` writes, to `out`. Raise BackupError for an invalid recipient."""
    target = Output(out)
    sealed = SealingWriter(target)
    if lock.is_open:
        fill(sealed)  # type: ignore[arg-type]
    else:
        line, keys = _first_line(lock)
        sealed.write(line)
        with filled(fill) as source, target.errors():
            pyrage.encrypt_io(source, sealed, keys)
    sealed.finish()


@contextmanager
def opened(source: IO[bytes], opener: Opener) -> Iterator[Readable]:
    """Open the content of a backup, encrypted or not. Raise BackupError with the reason if that fails.

    Errors of the code that reads the content are mapped, too: damage may show as any of them.
    """
    start = _read_start(source)
    sealed = SealedReader(start, source)
    try:
        if start.startswith(GZIP):
            yield _Plain(sealed)
        elif start.startswith(AGE):
            with filled(_old_decryption(sealed, opener)) as content:
                yield content
        else:
            with filled(_decryption(sealed, opener)) as content:
                yield content
    except BackupError as error:
        if error.problem in SEEN_IN_THE_CONTENT and sealed.read_to_end() is Seal.BROKEN:
            raise BackupError(BackupProblem.DAMAGED) from None
        raise


def check_seal(source: IO[bytes]) -> None:
    """Read a backup without opening it. Raise BackupError if it differs from what was written."""
    _require_whole(SealedReader(_read_start(source), source).read_to_end())


def read_secret_file(path: Path, option: str) -> str:
    """Return the passphrase or keys of a file. Raise BackupError with the reason if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "no text")
        raise BackupError(BackupProblem.SECRET_UNREADABLE, option=option, path=path, reason=reason) from None
    if not text:
        raise BackupError(BackupProblem.SECRET_EMPTY, option=option, path=path)
    return text


def _first_line(lock: Lock) -> tuple[bytes, list[object]]:
    if not lock.passphrase:
        return MARK + f"{FORMAT} {BY_KEY}\n".encode(), [_recipient(text) for text in lock.recipients]
    salt = secrets.token_bytes(SALT_BYTES)
    identity = pyrage.x25519.Identity.from_str(age_secret_key(lock.passphrase, salt))
    text = base64.b64encode(salt).decode()
    return MARK + f"{FORMAT} {BY_PASSPHRASE} {text}\n".encode(), [identity.to_public()]


def _read_start(source: IO[bytes]) -> bytes:
    """Return the first bytes. Raise BackupError if they are not those of a backup."""
    start = b""
    while len(start) < len(MARK) and (chunk := source.read(len(MARK) - len(start))):
        start += chunk
    marks = (GZIP, AGE, MARK)
    if any(start.startswith(mark) for mark in marks):
        return start
    if any(mark.startswith(start) for mark in marks):
        raise BackupError(BackupProblem.CUT_OFF)
    raise BackupError(BackupProblem.NOT_A_BACKUP)


def _decryption(sealed: SealedReader, opener: Opener) -> Fill:
    """Read the first line and return the function that decrypts the rest. Raise BackupError."""
    words = sealed.read_line(LONGEST_LINE).decode(errors="replace").split(" ")
    number = words[0].removeprefix(MARK.decode())
    if number.isdecimal() and int(number) > FORMAT:
        _refuse(sealed, BackupProblem.NEWER_RELEASE, product=f"format {number}")
    match words[1:]:
        case [kind] if kind == BY_KEY:
            if not opener.identities:
                _refuse(sealed, BackupProblem.NEEDS_KEY)
            keys, other = _identities(opener.identities), BackupProblem.OTHER_KEY
        case [kind, salt] if kind == BY_PASSPHRASE:
            if not opener.passphrase:
                _refuse(sealed, BackupProblem.NEEDS_PASSPHRASE)
            keys = _identities(age_secret_key(opener.passphrase, _salt(sealed, salt)))
            other = BackupProblem.OTHER_PASSPHRASE
        case _:
            _refuse(sealed, BackupProblem.DAMAGED)

    def decrypt(out: IO[bytes]) -> None:
        target = Output(out)
        try:
            with target.errors():
                pyrage.decrypt_io(sealed, target, keys)
        except pyrage.DecryptError:
            # Raised for a damaged header, too. Only for an undamaged file does it mean another key.
            _refuse(sealed, other)
        except OSError as error:
            if error.errno is not None:
                raise
            _refuse(sealed, BackupProblem.DAMAGED)
        _require_whole(sealed.read_to_end())

    return decrypt


def _refuse(sealed: SealedReader, problem: BackupProblem, **arguments: object) -> NoReturn:
    """Raise BackupError with the problem, or with the damage of the file, which would explain it."""
    _require_whole(sealed.read_to_end())
    raise BackupError(problem, **arguments)


def _require_whole(seal: Seal) -> None:
    if seal is Seal.MISSING:
        raise BackupError(BackupProblem.CUT_OFF)
    if seal is Seal.BROKEN:
        raise BackupError(BackupProblem.DAMAGED)


def _salt(sealed: SealedReader, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        _refuse(sealed, BackupProblem.DAMAGED)


def _old_decryption(source: Readable, opener: Opener) -> Fill:
    """Return the function that decrypts an age file without a seal; with a passphrase wholly in memory."""
    if not opener.identities and not opener.passphrase:
        raise BackupError(BackupProblem.NEEDS_EITHER)

    def decrypt(out: IO[bytes]) -> None:
        target = Output(out)
        try:
            if opener.passphrase:
                out.write(pyrage.passphrase.decrypt(source.read(), opener.passphrase))
            else:
                with target.errors():
                    pyrage.decrypt_io(source, target, _identities(opener.identities))
        except pyrage.DecryptError as error:
            is_slow = str(error).startswith(TOO_MUCH_WORK)
            raise BackupError(BackupProblem.TOO_SLOW if is_slow else BackupProblem.OLD_UNREADABLE) from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise BackupError(BackupProblem.OLD_UNREADABLE) from None

    return decrypt


class _Plain:
    """Content that is not encrypted. The seal is compared at its end; older releases wrote none."""

    def __init__(self, sealed: SealedReader) -> None:
        self._sealed = sealed

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        content = self._sealed.read(size)
        if not content and self._sealed.seal is Seal.BROKEN:
            raise BackupError(BackupProblem.DAMAGED)
        return content


def _recipient(text: str) -> object:
    try:
        return (
            pyrage.ssh.Recipient.from_str(text)
            if text.startswith("ssh-")
            else pyrage.x25519.Recipient.from_str(text)
        )
    except pyrage.RecipientError:
        raise BackupError(BackupProblem.BAD_RECIPIENT) from None


def _identities(text: str) -> list[object]:
    try:
        if "PRIVATE KEY-----" in text:
            return [pyrage.ssh.Identity.from_buffer(text.encode() + b"\n")]
        lines = [line.strip() for line in text.splitlines()]
        return [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError:
        raise BackupError(BackupProblem.BAD_IDENTITY) from None


SALT_BYTES = 16
# OWASP's first choice for scrypt: 128 MiB, about a second. Other values need another format number.
COST, BLOCK_SIZE, PARALLEL = 1 << 17, 8, 1
MOST_MEMORY = 1 << 28
KEY_BYTES = 32
_PREFIX = "age-secret-key-"
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def age_secret_key(passphrase: str, salt: bytes) -> str:
    """Return the X25519 identity, AGE-SECRET-KEY-1..., of passphrase and salt, the same on every machine.

    age's own passphrase files contain a work factor measured on the writing machine, and age compares it with
    a limit measured on the reading machine: a busy one refuses a valid file.
    """
    key = hashlib.scrypt(
        passphrase.encode(),
        salt=salt,
        n=COST,
        r=BLOCK_SIZE,
        p=PARALLEL,
        maxmem=MOST_MEMORY,
        dklen=KEY_BYTES,
    )
    return bech32(_PREFIX, key).upper()


def bech32(prefix: str, content: bytes) -> str:
    """Return the BIP 173 encoding without its length limit, as age does."""
    bits = int.from_bytes(content, "big") << (-len(content) * 8 % 5)
    count = (len(content) * 8 + 4) // 5
    values = [bits >> 5 * (count - 1 - place) & 31 for place in range(count)]
    expanded = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix]
    remainder = _polymod([*expanded, *values, 0, 0, 0, 0, 0, 0]) ^ 1
    checksum = [remainder >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(_ALPHABET[value] for value in values + checksum)


def _polymod(values: list[int]) -> int:
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            remainder ^= generator if top >> place & 1 else 0
    return remainder
