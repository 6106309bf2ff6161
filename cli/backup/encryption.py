"""Encrypt and decrypt with age: for recipients (public keys), or by a passphrase.

With recipients the stream is never held in memory as a whole; by a passphrase it is, as the library knows
no other way.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyrage  # type: ignore[import-untyped]

from cli.backup.errors import BackupError

MAGIC = b"age-encryption.org/"
Fill = Callable[[IO[bytes]], None]


@dataclass(frozen=True)
class Lock:
    """How a backup is encrypted; without anything it is not."""

    recipients: tuple[str, ...] = ()
    passphrase: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether anybody who has the file can read it."""
        return not self.recipients and not self.passphrase


def write_encrypted(out: IO[bytes], fill: Fill, lock: Lock) -> None:
    """Have `fill` write the content, and encrypt it on its way to `out`; BackupError for a bad recipient."""
    if lock.is_open:
        fill(out)
    elif lock.passphrase:
        content = io.BytesIO()
        fill(content)
        out.write(pyrage.passphrase.encrypt(content.getvalue(), lock.passphrase))
    else:
        keys = [_recipient(text) for text in lock.recipients]
        with _filled(fill) as source:
            pyrage.encrypt_io(source, out, keys)


@contextmanager
def decrypted(source: IO[bytes], *, identities: str, passphrase: str) -> Iterator[IO[bytes]]:
    """Give the content of a backup, encrypted or not; raises BackupError when the key does not fit."""
    start = source.read(len(MAGIC))
    whole = _Rejoined(start, source)
    if start != MAGIC:
        yield whole  # type: ignore[misc]
        return
    if not identities and not passphrase:
        raise BackupError("it is encrypted: give --identity-file or --passphrase-file")

    def open_it(out: IO[bytes]) -> None:
        try:
            if passphrase:
                out.write(pyrage.passphrase.decrypt(whole.read(), passphrase))
            else:
                pyrage.decrypt_io(whole, out, _identities(identities))
        except pyrage.DecryptError:
            raise BackupError(
                "it cannot be decrypted: the key or the passphrase is another, or it is damaged"
            ) from None

    with _filled(open_it) as content:
        yield content


def read_secret_file(path: Path, what: str) -> str:
    """Read a passphrase or keys; raises BackupError with the reason."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(
            f"{what}: {path} cannot be read ({getattr(error, 'strerror', 'no text')})"
        ) from None
    if not text:
        raise BackupError(f"{what}: {path} is empty")
    return text


class _Rejoined:
    """A stream whose first bytes were read already."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start = start
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        start, self._start = self._start, b""
        if not start:
            return self._rest.read(size)
        if size < 0:
            return start + self._rest.read()
        self._start = start[size:]
        return start[:size]


@contextmanager
def _filled(fill: Fill) -> Iterator[IO[bytes]]:
    """Run `fill` in a thread and give what it writes as a stream; its error is raised here."""
    read_end, write_end = os.pipe()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(write_end, "wb") as out:
                fill(out)
        except BrokenPipeError:
            return  # the reader has seen enough
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=run, name="backup-stream")
    with os.fdopen(read_end, "rb") as source:
        thread.start()
        try:
            yield source
        except BaseException:
            source.close()
            thread.join()
            # The end of the stream is not what went wrong first.
            if failed:
                raise failed[0] from None
            raise
        source.close()
        thread.join()
    if failed:
        raise failed[0]


def _recipient(text: str) -> object:
    try:
        return (
            pyrage.ssh.Recipient.from_str(text)
            if text.startswith("ssh-")
            else pyrage.x25519.Recipient.from_str(text)
        )
    except pyrage.RecipientError:
        raise BackupError(
            "--recipient: must be an age public key (age1...) or an ssh-ed25519 or ssh-rsa key"
        ) from None


def _identities(text: str) -> list[object]:
    try:
        if "PRIVATE KEY-----" in text:
            return [pyrage.ssh.Identity.from_buffer(text.encode() + b"\n")]
        lines = [line.strip() for line in text.splitlines()]
        return [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError:
        raise BackupError(
            "--identity-file: holds no age secret key (AGE-SECRET-KEY-...) and no SSH private key"
        ) from None
