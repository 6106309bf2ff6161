"""The HTML elements of the sign-in pages; every text and value is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard.auth.forms import TOKEN_FIELD
from dashboard.auth.sub_path import published
from dashboard.theme.theme import MARK, NAME

ASSETS = "/sign-in/assets"


@dataclass(frozen=True)
class Note:
    """A sentence above the form, which screen readers announce at once."""

    text: str
    is_good: bool = False


def page(locale: str, title: str, body: Sequence[str], *, wide: bool = False, head: str = "") -> str:
    """Return an HTML document; `head` is appended to its head element."""
    look, assets = ' class="wide"' if wide else "", published(ASSETS)
    content = "\n".join(part for part in body if part)
    return f"""<!doctype html>
<html lang="{locale.replace("_", "-")}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · {NAME}</title>
<link rel="icon" href="{assets}/{MARK}" type="image/svg+xml">
<link rel="stylesheet" href="{assets}/sign-in.css">
{head}</head>
<body>
<main{look}>
<header><img src="{assets}/{MARK}" alt="">{NAME}</header>
<h1>{escape(title)}</h1>
{content}
</main>
</body>
</html>
"""


def paragraph(*sentences: str, code: str = "", strong: str = "", attributes: str = "") -> str:
    """Return a paragraph, optionally ending in a file name (`code`) or a user name (`strong`)."""
    end = (f" <code>{escape(code)}</code>" if code else "") + (
        f" <strong>{escape(strong)}</strong>" if strong else ""
    )
    return f"<p{attributes}>{escape(' '.join(sentences))}{end}</p>"


def subtitle(text: str) -> str:
    """Return a second-level heading."""
    return f"<h2>{escape(text)}</h2>\n"


def note_box(note: Note | None) -> str:
    """Return the note's box, or "" for None."""
    if note is None:
        return ""
    look, role = ("good", "status") if note.is_good else ("bad", "alert")
    return f'<div class="note {look}" role="{role}">{escape(note.text)}</div>'


def form(action: str, token: str, *fields: str, attributes: str = "") -> str:
    """Return a form that posts its token."""
    content = "\n".join([hidden(TOKEN_FIELD, token), *fields])
    return f'<form method="post" action="{published(action)}"{attributes}>\n{content}\n</form>'


def hidden(name: str, value: str) -> str:
    """Return a hidden field."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def text_field(
    name: str, label: str, *, rules: str, kind: str = "text", value: str = "", hint: str = ""
) -> str:
    """Return a required field with its label."""
    given = f' value="{escape(value)}"' if value else ""
    described = f' aria-describedby="{name}-hint"' if hint else ""
    field = f'<input id="{name}" name="{name}" type="{kind}" {rules} required{given}{described}>'
    below = f'\n<p class="hint" id="{name}-hint">{escape(hint)}</p>' if hint else ""
    return f'<label for="{name}">{escape(label)}</label>\n{field}{below}'


def checkbox(name: str, label: str) -> str:
    """Return a checkbox with its label."""
    return f'<label class="tick"><input type="checkbox" name="{name}" value="yes">{escape(label)}</label>'


def link_button(address: str, text: str) -> str:
    """Return a link that is styled as a button."""
    return f'<a class="button" href="{escape(published(address))}">{escape(text)}</a>'


def unseen(field: str) -> str:
    """Return an invisible user name field, from which password managers read whose password it is."""
    return f"<div hidden>{field}</div>"


def button(text: str, *, name: str = "", value: str = "", look: str = "", spoken: str = "") -> str:
    """Return a submit button; `spoken` is its label for screen readers, where the text needs context."""
    sent = f' name="{name}" value="{escape(value)}"' if name else ""
    style = f' class="{look}"' if look else ""
    label = f' aria-label="{escape(spoken)}"' if spoken else ""
    return f"<button{style}{sent}{label}>{escape(text)}</button>"


def link(address: str, text: str) -> str:
    """Return the link below a form."""
    return f'<p class="back"><a href="{escape(published(address))}">{escape(text)}</a></p>'
