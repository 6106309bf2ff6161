"""What ends an import before anything is reported."""

from __future__ import annotations


class UnusableFileError(Exception):
    """A file of the older installation cannot be read; `args[0]` names the file, the line and the remedy.

    It repeats nothing of the file, which may hold secrets.
    """
