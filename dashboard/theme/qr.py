"""Draw a QR code as SVG in a data URI.

Not through `st.image` or a media URL: those are served without a login and outlive the code. Not as an
`<svg>` element: Streamlit's `st.html` removes elements other than HTML.
"""

from __future__ import annotations

import base64
from functools import lru_cache

import segno

QUIET_ZONE = 4
"""Width of the white border in modules; scanners need it, above all on a dark page."""


@lru_cache(maxsize=16)
def qr_data_uri(payload: str) -> str:
    """Return the code as the `src` of an `<img>`, black on white in every theme."""
    return "data:image/svg+xml;base64," + base64.b64encode(qr_svg(payload).encode()).decode()


def qr_svg(payload: str) -> str:
    """Return the code as an SVG document.

    Error correction is level L, as on WhatsApp's own page: on a screen, fewer and larger modules help a
    scanner more than redundancy.
    """
    code = segno.make_qr(payload, error="l", boost_error=False)
    size = code.symbol_size(border=QUIET_ZONE)[0]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#ffffff"/>'
        f'<path fill="#000000" d="{"".join(_runs(code))}"/></svg>'
    )


def _runs(code: segno.QRCode) -> list[str]:
    """Return an SVG path rectangle for each horizontal run of dark modules."""
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
