"""The terminal's second screen: what is drawn there is gone afterwards, and not in its scroll-back."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

ENTER = "\x1b[?1049h\x1b[?25l"
LEAVE = "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def wrap(text: str, columns: int) -> list[str]:
    """Break a text between words, where the terminal would break it inside one."""
    lines = textwrap.wrap(text, max(columns, 1), break_long_words=False, break_on_hyphens=False)
    return lines or [""]


class Screen:
    """Shows one frame after the other while it is open."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._shown: Sequence[str] = ()

    def __enter__(self) -> Self:
        self._write(ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write(LEAVE)

    @property
    def size(self) -> os.terminal_size:
        """Columns and rows; a window may change them at any time."""
        try:
            return os.get_terminal_size(self._out.fileno())
        except OSError:
            return os.terminal_size((80, 24))

    def show(self, lines: Sequence[str]) -> None:
        """Draw a frame over the one before; nothing is written while nothing changes."""
        if lines != self._shown:
            self._shown = list(lines)
            body = "".join(f"{line}{REST_OF_LINE}\n" for line in lines)
            self._write(HOME + body + REST_OF_SCREEN)

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
