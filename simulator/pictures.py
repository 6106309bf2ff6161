"""QR codes and pairing codes: random contents, and PNG images in two sizes."""

import base64
import functools
import secrets
import string
import struct
import zlib

import segno

_CODE_ALPHABET = "".join(sorted(set(string.digits + string.ascii_uppercase) - set("01IOU")))
_QUIET_ZONE = 4


def new_urlcode() -> str:
    """Return a QR payload in WhatsApp's format: a reference and four keys, 275 characters as recorded."""
    reference = base64.b64encode(secrets.token_bytes(69)).decode()[:91]
    keys = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(4)]
    return f"2@{reference},{','.join(keys)},1"


def new_pairing_code() -> str:
    """Return a pairing code of eight characters."""
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))


@functools.lru_cache(maxsize=512)
def small_png(urlcode: str) -> bytes:
    """Return the PNG of status-session and start-session: four pixels per module, 292 px wide."""
    return _png(urlcode, 4 * (len(_modules(urlcode)) + 2 * _QUIET_ZONE))


@functools.lru_cache(maxsize=512)
def large_png(urlcode: str) -> bytes:
    """Return the PNG of qrcode-session: 500 px wide (section 5)."""
    return _png(urlcode, 500)


def base64_picture(urlcode: str) -> str:
    """Return the small PNG in base64, as in start-session and the webhook: no data-URL prefix (section 6)."""
    return base64.b64encode(small_png(urlcode)).decode()


def data_url(urlcode: str) -> str:
    """Return the small PNG as a data URL, as in status-session."""
    return f"data:image/png;base64,{base64_picture(urlcode)}"


@functools.lru_cache(maxsize=512)
def _modules(urlcode: str) -> tuple[bytes, ...]:
    return tuple(bytes(row) for row in segno.make_qr(urlcode, error="m", boost_error=False).matrix)


def _png(urlcode: str, width: int) -> bytes:
    """Return a PNG of exactly `width`: segno scales by whole modules, and 500 px is not a multiple of 73."""
    modules = _modules(urlcode)
    size = len(modules)
    places = [x * (size + 2 * _QUIET_ZONE) // width - _QUIET_ZONE for x in range(width)]
    blank = b"\xff" * width
    drawn = [bytes(0 if 0 <= x < size and row[x] else 255 for x in places) for row in modules]
    lines = b"".join(b"\0" + (drawn[y] if 0 <= y < size else blank) for y in places)
    header = struct.pack(">IIBBBBB", width, width, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    )
