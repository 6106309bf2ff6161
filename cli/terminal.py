"""The terminal: text that wraps between words, the alternate screen, QR codes.

The contents of the alternate screen disappear afterwards and do not enter the scroll-back.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

import segno

ENTER = "\x1b[?1049h\x1b[?25l"
LEAVE = "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def wrap(text: str, columns: int) -> list[str]:
    """Return the lines of a text, broken between words."""
    lines = textwrap.wrap(text, max(columns, 1), break_long_words=False, break_on_hyphens=False)
    return lines or [""]


class Screen:
    """The alternate screen, which shows one frame at a time while it is open."""

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
        """Columns and rows, which may change at any time."""
        try:
            return os.get_terminal_size(self._out.fileno())
        except OSError:
            return os.terminal_size((80, 24))

    def show(self, lines: Sequence[str]) -> None:
        """Replace the frame. Writes nothing if it is the same."""
        if lines != self._shown:
            self._shown = list(lines)
            body = "".join(f"{line}{REST_OF_LINE}\n" for line in lines)
            self._write(HOME + body + REST_OF_SCREEN)

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


QUIET_ZONES = (4, 2)
"""White modules around the code: the standard's, and the least that scanners accept, for small windows."""
BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"
"""Explicit colours: on a dark terminal the code would be inverted, which not every phone reads."""
PLAIN = "\x1b[0m"
HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def draw_qr(payload: str, *, columns: int, rows: int) -> list[str]:
    """Return the code's lines; if the window is too small, the required size and the alternatives."""
    # The lowest error correction, as WhatsApp itself uses it: fewer modules, larger on the screen.
    code = segno.make_qr(payload, error="l", boost_error=False)
    size = code.symbol_size(border=QUIET_ZONES[-1])[0]
    for quiet_zone in QUIET_ZONES:
        width = code.symbol_size(border=quiet_zone)[0]
        if width <= columns and (width + 1) // 2 <= rows:
            return _lines(code, quiet_zone)
    return wrap(
        f"The code needs {size} columns and {(size + 1) // 2} rows, and {columns} and {max(rows, 0)} "
        "are free: enlarge the window or make its letters smaller. Or scan the code on the page, "
        "or use --phone NUMBER for a pairing code to type.",
        columns,
    )


def _lines(code: segno.QRCode, quiet_zone: int) -> list[str]:
    matrix = [[1 if dark else 0 for dark in row] for row in code.matrix_iter(border=quiet_zone)]
    if len(matrix) % 2:
        matrix.append([0] * len(matrix[0]))
    return [
        BLACK_ON_WHITE + "".join(HALVES[pair] for pair in zip(upper, lower, strict=True)) + PLAIN
        for upper, lower in zip(matrix[::2], matrix[1::2], strict=True)
    ]
