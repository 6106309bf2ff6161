"""Text can be read by day and by night, whatever stands on whatever.

Browser stories judge each screen in one of the schemes; both have the same variables.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dashboard
from dashboard.theme.theme import ACCENT, STREAMLIT_THEME

LEAST_CONTRAST = 4.5
"""WCAG 2, success criterion 1.4.3, for text of a usual size."""
FOLDER = Path(dashboard.__file__).parent
STYLES = "\n".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.css")))
VARIABLE = re.compile(r"(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)")
VARIABLES = {name: pair for name, *pair in VARIABLE.findall(STYLES)}
SCHEMES = ("light", "dark")
TONES = ("good", "wait", "warn", "bad", "idle")
WHITE = ["#ffffff", "#ffffff"]


def of_streamlit(option: str) -> list[str]:
    """Return an option of Streamlit's theme in both schemes."""
    return [STREAMLIT_THEME[f"theme.{scheme}.{option}"] for scheme in SCHEMES]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


TEXTS = {
    **{name: VARIABLES[f"--ops-{name}"] for name in ("text", "soft", "link", *TONES)},
    **{f"sign-in {name}": VARIABLES[f"--{name}"] for name in ("text", "soft", "link", "bad", "good")},
    **{f"Streamlit's {name}": of_streamlit(name) for name in ("textColor", "linkColor")},
}
GROUNDS = {
    "card": VARIABLES["--ops-card"],
    **{f"sign-in {name}": VARIABLES[f"--{name}"] for name in ("page", "card", "field")},
    **{f"Streamlit's {name}": of_streamlit(name) for name in ("backgroundColor", "secondaryBackgroundColor")},
}
PAIRS = {
    **{f"{text} on {ground}": (TEXTS[text], GROUNDS[ground]) for text in TEXTS for ground in GROUNDS},
    **{f"{tone} on its own": (VARIABLES[f"--ops-{tone}"], VARIABLES[f"--ops-{tone}-bg"]) for tone in TONES},
    **{f"text on {tone}": (VARIABLES["--ops-text"], VARIABLES[f"--ops-{tone}-bg"]) for tone in TONES},
    "sign-in bad on its own": (VARIABLES["--bad"], VARIABLES["--bad-page"]),
    "sign-in good on its own": (VARIABLES["--good"], VARIABLES["--good-page"]),
    "button": (WHITE, [ACCENT, ACCENT]),
    "button under the pointer": (WHITE, VARIABLES["--ops-strong"]),
    "button of the sign-in": (WHITE, VARIABLES["--accent"]),
    "button of the sign-in under the pointer": (WHITE, VARIABLES["--accent-strong"]),
}


def test_text_can_be_read_in_both_schemes() -> None:
    ratios = {
        f"{name}, {scheme}": contrast(one, other)
        for name, (text, ground) in PAIRS.items()
        for scheme, one, other in zip(SCHEMES, text, ground, strict=True)
    }

    assert {name: ratio for name, ratio in ratios.items() if ratio < LEAST_CONTRAST} == {}


def test_contrast_is_counted_as_wcag_counts_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_every_colour_has_a_value_for_each_scheme() -> None:
    of_both = re.sub(r"light-dark\([^)]*\)", "", STYLES)

    literals = set(re.findall(r"([\w-]+): [^;{}]*?(#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^)]*\))", of_both))

    # White on the accent and around a QR code; what holds no text.
    assert literals == {
        ("color", "#ffffff"),
        ("background", ACCENT),
        ("background", "#ffffff"),
        ("border", f"{ACCENT}33"),
        ("border-top-color", "#0f9488"),
        ("box-shadow", "rgb(0 0 0 / .35)"),
    }
