"""Readable names of devices, from the User-Agent header."""

from __future__ import annotations

BROWSERS = (
    # The order matters: most browsers also name the ones further down.
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Return browser and system, such as "Chrome, Android"; "" for an unknown program.

    Names only, which need no translation. Nothing else of the header is kept.
    """
    found = [_first(user_agent, BROWSERS), _first(user_agent, SYSTEMS)]
    return ", ".join(word for word in found if word)


def _first(text: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((word for sign, word in known if sign in text), "")
