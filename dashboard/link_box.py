"""A link that somebody is to be given: to be read, shared and copied."""

from __future__ import annotations

from html import escape

from dashboard.i18n import gettext as _


def link_box(address: str, message: str) -> str:
    """Return the link with its buttons; the message goes along when it is shared."""
    share, copy_link, done = escape(_("Share")), escape(_("Copy the link")), escape(_("Copied"), quote=True)
    target, words = escape(address, quote=True), escape(message, quote=True)
    return (
        f'<code class="ops-link" data-ops="link">{target}</code><div class="ops-buttons">'
        f'<button type="button" class="ops-first" data-ops-share-text="{words}" '
        f'data-ops-share-url="{target}">{share}</button>'
        f'<button type="button" data-ops-copy="{target}" data-ops-done="{done}">{copy_link}</button></div>'
    )
