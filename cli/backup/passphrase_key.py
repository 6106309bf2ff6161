"""An age key made from a passphrase, by the same work on every machine.

age's own passphrase files hold a work factor that is measured on the machine that writes, against a limit
that is measured on the machine that reads: a busy one refuses a good file.
"""

from __future__ import annotations

import hashlib

SALT_BYTES = 16
# OWASP's first choice for scrypt: 128 MiB, about a second. Other values need another format number.
COST, BLOCK_SIZE, PARALLEL = 1 << 17, 8, 1
MOST_MEMORY = 1 << 28
KEY_BYTES = 32
_PREFIX = "age-secret-key-"
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def age_secret_key(passphrase: str, salt: bytes) -> str:
    """Return the X25519 identity, AGE-SECRET-KEY-1..., that belongs to passphrase and salt."""
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
    """Encode as BIP 173 does, without its limit of length, as age does."""
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
