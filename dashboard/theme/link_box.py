"""A link that somebody is to be given: to be read, shared and copied."""

from __future__ import annotations

from html import escape

from dashboard.i18n import gettext as _


def link_box(address: str, message: str, *, name: str = "link", copies_message: bool = False) -> str:
    """Return the link with its buttons; the message goes along when it is shared, and can be copied with it.

    `page.js` brings the one of the name "link" onto the screen.
    """
    share = escape(_("Share"))
    done, target = escape(_("Copied"), quote=True), escape(address, quote=True)
    words, whole = escape(message, quote=True), escape(f"{message}\n{address}", quote=True)
    copied = [(whole, _("Copy the message"))] if copies_message else []
    copied.append((target, _("Copy the link")))
    buttons = "".join(
        f'<button type="button" data-ops-copy="{text}" data-ops-done="{done}">{escape(label)}</button>'
        for text, label in copied
    )
    return (
        f'<code class="ops-link" data-ops="{name}">{target}</code><div class="ops-buttons">'
        f'<button type="button" class="ops-first" data-ops-share-text="{words}" '
        f'data-ops-share-url="{target}">{share}</button>{buttons}</div>'
    )
