"""The page that a hand-off's link opens: it tells nothing before its reader asks for the code.

Programs that preview links in chats open it, too, so opening it must not use the link up.
"""

from __future__ import annotations

from html import escape

from dashboard.auth.elements import page, paragraph
from dashboard.i18n import Translate

PATH = "/hand-off"
ASSETS = f"{PATH}/assets"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'"
)
_HEAD = (
    f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    f'<link rel="stylesheet" href="{ASSETS}/hand-off.css">\n'
    f'<script src="{ASSETS}/hand-off.js" defer></script>\n'
)


def handoff_page(locale: str, translate: Translate) -> str:
    """Return the page; its script fills in what the server tells of the one session."""
    _ = translate
    show, again, code = _("Show the code"), _("Show a new code"), _("QR code for the phone")
    no_script = _("This page needs JavaScript.")
    body = [
        '<section id="start">',
        paragraph(_("You were asked to link a phone to a WhatsApp session.")),
        paragraph(
            _("Open this page on a computer or another phone, and have the phone ready: it scans the code.")
        ),
        f'<button type="button" id="show">{escape(show)}</button>',
        "</section>",
        '<section id="live" hidden>',
        '<p id="told" role="status"></p>',
        f'<div id="frame" hidden><img id="qr" alt="{escape(code)}"></div>',
        '<p id="code" hidden></p>',
        '<p id="how" hidden></p>',
        f'<button type="button" id="again" hidden>{escape(again)}</button>',
        '<p id="left" class="hint"></p>',
        "</section>",
        _note("gone", _("This link cannot be used any more. Ask whoever sent it for a new one.")),
        _note("slow", _("Too many tries. Wait a minute, then open the link again.")),
        _note("lost", _("No answer just now. This page goes on trying.")),
        f"<noscript>{paragraph(no_script)}</noscript>",
    ]
    return page(locale, _("Link a phone"), body, head=_HEAD)


def _note(name: str, text: str) -> str:
    return f'<div id="{name}" class="note bad" role="alert" hidden>{escape(text)}</div>'
