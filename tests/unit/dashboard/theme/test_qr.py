"""The drawing of QR codes."""

from __future__ import annotations

import base64
import re

import zxingcpp
from PIL import Image, ImageDraw

from dashboard.theme.qr import QUIET_ZONE, qr_data_uri, qr_svg

PAYLOAD = "2@" + "Ab3/x+Yz=" * 24 + ",keyone=,keytwo=,keythree="
PIXELS = 6


def painted(svg: str) -> Image.Image:
    """Paint the rectangles of the drawing as a browser does."""
    size = int(re.findall(r'viewBox="0 0 (\d+)', svg)[0])
    image = Image.new("L", (size * PIXELS, size * PIXELS), 255)
    draw = ImageDraw.Draw(image)
    for x, y, width in ((int(a), int(b), int(c)) for a, b, c in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg)):
        draw.rectangle((x * PIXELS, y * PIXELS, (x + width) * PIXELS - 1, (y + 1) * PIXELS - 1), fill=0)
    return image


def test_the_drawing_is_decoded_to_the_payload() -> None:
    decoded = zxingcpp.read_barcode(painted(qr_svg(PAYLOAD)))

    assert decoded is not None
    assert decoded.text == PAYLOAD


def test_the_quiet_zone_is_white_whatever_the_theme() -> None:
    svg = qr_svg(PAYLOAD)
    image = painted(svg)
    side = QUIET_ZONE * PIXELS

    assert 'fill="#ffffff"' in svg
    assert image.crop((0, 0, image.width, side)).getextrema() == (255, 255)
    assert image.crop((0, 0, side, image.height)).getextrema() == (255, 255)


def test_the_data_uri_holds_the_drawing_and_not_the_payload_in_clear() -> None:
    uri = qr_data_uri(PAYLOAD)

    assert base64.b64decode(uri.removeprefix("data:image/svg+xml;base64,")).decode() == qr_svg(PAYLOAD)
    assert PAYLOAD not in uri
