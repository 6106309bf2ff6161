"""Draw a QR code as SVG in a data URI.

Never through `st.image` or a media URL: those are served to anybody and live longer than the code. Not as an
`<svg>` element either: Streamlit's `st.html` lets only HTML elements through.
"""

from __future__ import annotations

import base64
from functools import lru_cache

import segno

QUIET_ZONE = 4
"""White modules around the code; scanners need them, above all on a dark page."""


@lru_cache(maxsize=16)
def qr_data_uri(payload: str) -> str:
    """Return the code as the source of an `<img>`, black on white whatever the page's theme."""
    return "data:image/svg+xml;base64," + base64.b64encode(qr_svg(payload).encode()).decode()


def qr_svg(payload: str) -> str:
    """Return the code as an SVG document.

    Error correction is the lowest level, as on WhatsApp's own page: fewer and larger modules are easier
    to scan from a screen than redundancy.
    """
    code = segno.make_qr(payload, error="l", boost_error=False)
    size = code.symbol_size(border=QUIET_ZONE)[0]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#ffffff"/>'
        f'<path fill="#000000" d="{"".join(_runs(code))}"/></svg>'
    )


def _runs(code: segno.QRCode) -> list[str]:
    """Write each horizontal run of dark modules as one rectangle."""
    rectangles = []
    for y, row in enumerate(code.matrix_iter(border=QUIET_ZONE)):
        start: int | None = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                rectangles.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
                start = None
    return rectangles
