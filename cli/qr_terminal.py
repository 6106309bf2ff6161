"""Draw a QR code with half-block characters: two modules above each other in one character."""

from __future__ import annotations

import segno

from cli.screen import wrap

QUIET_ZONES = (4, 2)
"""White modules around the code: the standard's, and what scanners still take when the window is small."""
BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"
"""Said outright: on a dark terminal the code would be inverted, and not every phone reads that."""
PLAIN = "\x1b[0m"
HALVES = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def draw_qr(payload: str, *, columns: int, rows: int) -> list[str]:
    """Return the code's lines; when it does not fit into the window, what would and what else helps."""
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
