"""Phone numbers of which only the end is shown: enough for whoever has the phone, and for nobody else."""

from __future__ import annotations

MASK = "\N{HORIZONTAL ELLIPSIS}"


def last_digits(number: str | None) -> str:
    """Return the end of a number, also of one that is masked already; empty without one."""
    if not number:
        return ""
    return number if is_masked(number) else f"{MASK}{number[-4:]}"


def is_masked(number: str) -> bool:
    """Return whether only the end of a number is left."""
    return number.startswith(MASK)
