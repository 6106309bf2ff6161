"""The words by which people know their devices, from what a browser says of itself."""

from __future__ import annotations

BROWSERS = (
    # The order matters: most browsers also claim to be the ones further down.
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


def device_words(user_agent: str) -> str:
    """Return "Chrome, Android"; "" for a program that is none of the usual browsers.

    Names only, which need no translation. Of what the browser sends nothing else is kept.
    """
    found = [_first(user_agent, BROWSERS), _first(user_agent, SYSTEMS)]
    return ", ".join(word for word in found if word)


def _first(text: str, known: tuple[tuple[str, str], ...]) -> str:
    return next((word for sign, word in known if sign in text), "")
