"""Streamlit's theme options and one style sheet, light and dark, without external resources."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import quote

NAME = "wppconnect ops"

ACCENT = "#0f766e"

STREAMLIT_THEME: dict[str, Any] = {
    "theme.primaryColor": ACCENT,
    "theme.baseRadius": "10px",
    "theme.buttonRadius": "10px",
    "theme.showWidgetBorder": True,
    "theme.linkUnderline": False,
    "theme.headingFontWeights": [650, 650, 600],
    "theme.light.primaryColor": ACCENT,
    "theme.light.backgroundColor": "#f4f7f6",
    "theme.light.secondaryBackgroundColor": "#ffffff",
    "theme.light.textColor": "#10201f",
    "theme.light.linkColor": "#0f766e",
    "theme.light.borderColor": "#cfd9d7",
    "theme.dark.primaryColor": ACCENT,
    "theme.dark.backgroundColor": "#0c1213",
    "theme.dark.secondaryBackgroundColor": "#182123",
    "theme.dark.textColor": "#e7efed",
    "theme.dark.linkColor": "#5eead4",
    "theme.dark.borderColor": "#344446",
}
"""Passed to Streamlit by `dashboard/server.py`. No scheme is forced, so the browser's preference applies."""

MARK = "mark.svg"
STYLES = ("style.css", "overview.css", "phone.css")


def asset(name: str) -> str:
    """Return the path of a packaged asset."""
    return str(files("dashboard") / "assets" / name)


@cache
def style(connection_lost: str) -> str:
    """Return the style sheet, including the text for a lost connection, which only the browser can show."""
    assets = files("dashboard") / "assets"
    rules = "".join((assets / name).read_text(encoding="utf-8") for name in STYLES)
    words = connection_lost.replace("\\", "").replace('"', "")
    return f"<style>\n{_shape_rules()}\n{_mark_rule()}\n{rules.replace('{connection_lost}', words)}</style>"


@cache
def tab_icon(tone: str) -> str:
    """Return the icon of a browser's tab as a data URI: the mark with a dot in the colour of a tone."""
    dot = f'<circle cx="24" cy="24" r="7" fill="{_DOTS[tone]}" stroke="#ffffff" stroke-width="2"/></svg>'
    return f"data:image/svg+xml,{quote(_mark().replace('</svg>', dot))}"


def signed_out(words: str, link: str) -> str:
    """Return the HTML of a tab whose sign-in has ended, with rules that hide Streamlit's connection error.

    The gate closes the tab's websocket right after this is drawn, and Streamlit would cover the text with its
    error. The link reloads the tab's URL, which the gate answers with the sign-in page.
    """
    return (
        "<style>.stApp::before, [data-testid=stDialog], [role=dialog], [role=presentation] "
        "{ display: none !important; }</style>"
        '<div class="ops-signed-out" role="status" style="text-align:center;padding:20vh 1rem 0">'
        f'<p style="font-size:1.3rem;font-weight:650">{escape(words)}</p>'
        '<p><a href="" target="_self" style="display:inline-block;padding:.8rem 1.6rem;border-radius:10px;'
        f'font-weight:600;text-decoration:none;color:#ffffff;background:{ACCENT}">'
        f"{escape(link)}</a></p></div>"
    )


_DOTS = {"good": "#16a34a", "wait": "#2563eb", "warn": "#f59e0b", "bad": "#dc2626", "idle": "#6b7280"}
"""Colours that stand out on the light and the dark tab bar of a browser."""

_SHAPES = {
    "check": '<circle cx="12" cy="12" r="9.5"/><path d="M7.5 12.5l3 3L16.5 9"/>',
    "cross": '<path d="M8 2.5h8l5.5 5.5v8L16 21.5H8L2.5 16V8z"/><path d="M9 9l6 6m0-6l-6 6"/>',
    "warning": '<path d="M12 3l10 18H2z"/><path d="M12 10v5m0 2.7v.3"/>',
    "question": '<circle cx="12" cy="12" r="9.5"/>'
    '<path d="M9.3 9.4a2.8 2.8 0 1 1 4 2.6c-.9.4-1.3 1-1.3 1.9m0 2.6v.3"/>',
    "qr": '<rect x="3" y="3" width="7" height="7"/><rect x="14" y="3" width="7" height="7"/>'
    '<rect x="3" y="14" width="7" height="7"/><path d="M14 14h3v3m4-3v.1M21 21v-3.5M14 21h3"/>',
    "dots": '<circle cx="12" cy="12" r="9.5"/><path d="M7.5 12h.01M12 12h.01M16.5 12h.01" stroke-width="3"/>',
    "lock": '<rect x="4" y="10.5" width="16" height="11" rx="2"/>'
    '<path d="M7.5 10.5V7a4.5 4.5 0 0 1 9 0v3.5M12 15v2.5"/>',
    "cut": '<path d="M2.5 12H8m8 0h5.5M8 8v8m8-8v8M11 5l-.8-2.5M13.5 19l.8 2.5"/>',
    "pause": '<circle cx="12" cy="12" r="9.5"/><path d="M9.7 8.5v7m4.6-7v7"/>',
    "info": '<circle cx="12" cy="12" r="9.5"/><path d="M12 11v5.5m0-9v.3"/>',
}


def _shape_rules() -> str:
    """Return each shape as a CSS mask: `st.html` removes `<svg>`, and a mask takes the colour of the text."""
    rules = []
    for name, drawn in _SHAPES.items():
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="black" '
            f'stroke-width="2.3" stroke-linecap="round" stroke-linejoin="round">{drawn}</svg>'
        )
        rules.append(f".ops-shape-{name} {{ --ops-shape: url('data:image/svg+xml,{quote(svg)}'); }}")
    return "\n".join(rules)


def _mark_rule() -> str:
    return f".ops-mark {{ background-image: url('data:image/svg+xml,{quote(_mark())}'); }}"


def _mark() -> str:
    return (files("dashboard") / "assets" / MARK).read_text(encoding="utf-8")
