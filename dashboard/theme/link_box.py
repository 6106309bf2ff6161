"""A box with a link to pass on: text, share button and copy buttons."""

from __future__ import annotations

from html import escape

from dashboard.i18n import gettext as _


def link_box(address: str, message: str, *, name: str = "link", copies_message: bool = False) -> str:
    """Return the box as HTML. Sharing includes `message`; `copies_message` adds a button that copies both.

    `page.js` scrolls the box named "link" into view.
    """
    share = escape(_("Share"))
    done, target = escape(_("Copied"), quote=True), escape(address, quote=True)
    words, whole = escape(message, quote=True), escape(f"{message}\n{address}", quote=True)
    copied = [(whole, _("Copy message"))] if copies_message else []
    copied.append((target, _("Copy link")))
    buttons = "".join(
        f'<button type="button" data-ops-copy="{text}" data-ops-done="{done}">{escape(label)}</button>'
        for text, label in copied
    )
    return (
        f'<code class="ops-link" data-ops="{name}">{target}</code><div class="ops-buttons">'
        f'<button type="button" class="ops-first" data-ops-share-text="{words}" '
        f'data-ops-share-url="{target}">{share}</button>{buttons}</div>'
    )
