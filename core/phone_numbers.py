"""Mask phone numbers: the last digits suffice for the phone's owner to recognise it."""

from __future__ import annotations

MASK = "\N{HORIZONTAL ELLIPSIS}\N{WORD JOINER}"
"""No line ends between it and the digits."""


def last_digits(number: str | None) -> str:
    """Return the masked number with its last four digits; a masked one unchanged, "" for None."""
    if not number:
        return ""
    return number if is_masked(number) else f"{MASK}{number[-4:]}"


def is_masked(number: str) -> bool:
    """Return whether a number is masked."""
    return number.startswith(MASK)
