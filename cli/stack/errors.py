"""What stops `make up`, in words for whoever typed it."""

from __future__ import annotations


class StackError(Exception):
    """Everything that has to be mended first, a sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
