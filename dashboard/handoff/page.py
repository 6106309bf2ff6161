"""The page of a hand-off link: it reveals nothing until its user requests the code.

Chat programs open links to preview them, so opening the page must not use the link up.
"""

from __future__ import annotations

from html import escape

from dashboard.auth.elements import page, paragraph
from dashboard.auth.sub_path import published
from dashboard.i18n import Translate
from dashboard.text.phone import LONGEST
from dashboard.words import CODE_STILL_WAITED_FOR

PATH = "/hand-off"
ASSETS = f"{PATH}/assets"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'"
)
_OR = ' class="or"'


def handoff_page(locale: str, translate: Translate, *, example: str) -> str:
    """Return the page, which its script fills with the state of the session.

    `example` is a phone number of the user's country.
    """
    _ = translate
    assets = published(ASSETS)
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<link rel="stylesheet" href="{assets}/hand-off.css">\n'
        f'<script src="{assets}/hand-off.js" defer></script>\n'
    )
    no_script = _("This page needs JavaScript.")
    body = [
        _note("gone", _("This link cannot be used any more. Ask whoever sent it for a new one.")),
        _note("slow", _("Too many tries. Wait a minute, then try again.")),
        _note("lost", _("No answer just now. This page goes on trying.")),
        *_start(_),
        *_live(_, example),
        f"<noscript>{paragraph(no_script)}</noscript>",
    ]
    return page(locale, _("Link a phone"), body, head=head)


def _start(_: Translate) -> list[str]:
    return [
        '<section id="start" hidden>',
        paragraph(_("You were asked to link a phone to a WhatsApp session.")),
        paragraph(_("Is this another device than the phone? Then the phone scans a code off this screen.")),
        _button("show", _("Show the QR code")),
        paragraph(_("Is this the phone? Then get a code that you type in WhatsApp."), attributes=_OR),
        _button("type", _("Get a code to type"), look="quiet"),
        "</section>",
    ]


def _live(_: Translate, example: str) -> list[str]:
    code = _("QR code for the phone")
    good_for = _("This code is good for {seconds} s more")
    scanned = _("Scanned? WhatsApp may be loading the chats. If not, a new code follows.")
    enter = _("Enter it within {seconds} s")
    entered = _(CODE_STILL_WAITED_FOR)
    whose = _("The code is for {number}.")
    return [
        '<section id="live" hidden>',
        '<p id="about" class="hint" hidden></p>',
        '<div id="told"><p id="text" role="status"></p><p id="detail"></p></div>',
        f'<div id="frame" hidden><img id="qr" alt="{escape(code)}"></div>',
        '<p id="code" role="img" hidden></p>',
        f'<p id="seconds" hidden data-qr="{escape(good_for)}" data-qr-over="{escape(scanned)}" '
        f'data-code="{escape(enter)}" data-code-over="{escape(entered)}"></p>',
        '<progress id="bar" aria-hidden="true" hidden></progress>',
        f'<p id="whose" hidden data-text="{escape(whose)}"></p>',
        '<ol id="steps" hidden></ol>',
        *_number_form(_, example),
        _button("again", _("Show the QR code"), hidden=True),
        _button("by-number", _("Get a code to type"), look="quiet", hidden=True),
        '<p id="left" class="hint"></p>',
        "</section>",
    ]


def _number_form(_: Translate, example: str) -> list[str]:
    label, hint = _("Phone number with country code"), _("The number of the WhatsApp account to be linked.")
    get = _("Get a code to type")
    no_number = _(
        "There is no code to type now: the gateway makes one only before any other. Use the QR code."
    )
    return [
        '<form id="number" novalidate hidden>',
        f'<label for="phone">{escape(label)}</label>',
        f'<input id="phone" type="tel" autocomplete="tel" maxlength="{LONGEST}" required '
        f'placeholder="{escape(example)}" aria-describedby="phone-hint problem">',
        f'<p class="hint" id="phone-hint">{escape(hint)}</p>',
        '<div id="problem" class="note bad" role="alert" hidden></div>',
        f"<button>{escape(get)}</button>",
        _button("instead", _("Show a QR code instead"), look="quiet"),
        "</form>",
        f'<p id="no-number" role="status" hidden>{escape(no_number)}</p>',
    ]


def _button(name: str, text: str, *, look: str = "", hidden: bool = False) -> str:
    style, state = (f' class="{look}"' if look else ""), (" hidden" if hidden else "")
    return f'<button type="button" id="{name}"{style}{state}>{escape(text)}</button>'


def _note(name: str, text: str) -> str:
    return f'<div id="{name}" class="note bad" role="alert" hidden>{escape(text)}</div>'
