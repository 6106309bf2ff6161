"""Estimate the strength of a secret key, to choose the bcrypt cost of tokens minted from it."""

from __future__ import annotations

import math
import re

STRONG_BITS = 128
"""From here on the secret cannot be guessed from a leaked token, however cheap a single guess is."""

CHEAP_COST = 4
USUAL_COST = 10
"""The gateway's own cost; a request with such a token takes it 58 ms of CPU, with a cheap one under 4 ms."""

WORD_BITS = 12.0
"""Entropy of a word of any length: a choice among about four thousand."""

FEW_CHARACTERS = 8

_WORD = re.compile(r"[A-Za-z][a-z]{3,}|[A-Z]{5,}")
_HEXADECIMAL = re.compile(r"[0-9a-f]*|[0-9A-F]*")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CLASSES = ((re.compile(r"[a-z]"), 26), (re.compile(r"[A-Z]"), 26), (re.compile(r"[0-9]"), 10))
_OTHERS = 32


def strength_bits(secret: str) -> float:
    """Return a conservative estimate: characters count by their alphabet, words and repeats once.

    The public default THISISMYSECURETOKEN is one word, so it counts next to nothing.
    """
    if _UUID.fullmatch(secret):
        return 122.0
    secret = secret[: _period(secret)]
    per_character = _bits_per_character(secret)
    words = _WORD.findall(secret)
    letters_in_words = sum(map(len, words))
    # A random text contains a word or two by chance, but these seldom make up a third of it.
    if letters_in_words * 3 <= len(secret) or _HEXADECIMAL.fullmatch(secret):
        return len(secret) * per_character
    return (len(secret) - letters_in_words) * per_character + len(words) * WORD_BITS


def minting_cost(secret: str) -> int:
    """Return the bcrypt cost of minted tokens: a cheap hash is safe only with a strong secret."""
    return CHEAP_COST if strength_bits(secret) >= STRONG_BITS else USUAL_COST


def _bits_per_character(secret: str) -> float:
    alphabet = sum(size for pattern, size in _CLASSES if pattern.search(secret))
    if alphabet > 10 and _HEXADECIMAL.fullmatch(secret):
        alphabet = 16
    if re.search(r"[^A-Za-z0-9]", secret):
        alphabet += _OTHERS
    met = len(set(secret))
    # A few repeated characters are not a random choice from their alphabet.
    return math.log2(max(1, met if met < FEW_CHARACTERS else alphabet))


def _period(text: str) -> int:
    return (text + text).find(text, 1) if text else 0
