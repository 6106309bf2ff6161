"""The pages of one-time links as plain HTML."""

from __future__ import annotations

from dashboard.auth import links
from dashboard.auth.elements import (
    ASSETS,
    Note,
    button,
    form,
    hidden,
    link,
    note_box,
    page,
    paragraph,
    text_field,
    unseen,
)
from dashboard.auth.pages import NEW_PASSWORD_RULES, USER_NAME_RULES, Frame
from dashboard.auth.sub_path import published
from dashboard.i18n import Translate


def exchange_page(frame: Frame, *, next_address: str) -> str:
    """Return the page that posts the token from the URL's fragment."""
    _ = frame.translate
    incomplete = _("This link is incomplete. Copy the whole line, including what follows #.")
    no_script = Note(_("This page needs JavaScript. Switch it on and open the link again."))
    body = [
        paragraph(_("One moment..."), attributes=' id="waiting"'),
        paragraph(incomplete, attributes=' id="incomplete" hidden'),
        f"<noscript>{note_box(no_script)}</noscript>",
        form(
            links.PATH,
            frame.form_token,
            hidden("next", next_address),
            hidden("token", ""),
            attributes=' id="exchange" autocomplete="off"',
        ),
        f'<script src="{published(ASSETS)}/link.js" defer></script>',
    ]
    return page(frame.locale, _("Sign in"), body)


def link_refused_page(frame: Frame) -> str:
    """Return the page for an invalid link, which explains how to get a new one."""
    _ = frame.translate
    body = [
        note_box(Note(_("This link has been used or is no longer valid."))),
        paragraph(
            _("It works once and for a limited time. An administrator can make you a new one."),
            _("While nobody has set a password, each restart makes a new link."),
        ),
        link("/sign-in", _("Go to the sign-in")),
    ]
    return page(frame.locale, _("Sign in"), body)


def set_password_page(
    frame: Frame, *, next_address: str, name: str, user: str = "", note: Note | None = None
) -> str:
    """Return the form for a new password; without `user` it asks the first administrator for a name, too."""
    _ = frame.translate
    if user:
        title = _("Set your password")
        told = paragraph(_("You will sign in with this password from now on, as"), strong=user)
        who = unseen(text_field("name", _("Name"), rules=USER_NAME_RULES, value=user))
    else:
        title = _("First sign-in")
        told = paragraph(_("You are the first here: choose your name and password as administrator."))
        who = text_field("name", _("Name"), rules=USER_NAME_RULES, value=name)
    body = [
        told,
        note_box(note),
        form(
            "/sign-in/password",
            frame.form_token,
            hidden("next", next_address),
            who,
            new_password_fields(_, focused=True),
            button(_("Set password and sign in")),
        ),
    ]
    return page(frame.locale, title, body)


def new_password_fields(_: Translate, *, focused: bool = False) -> str:
    """Return the two fields for a new password."""
    rules = NEW_PASSWORD_RULES + (" autofocus" if focused else "")
    hint = _("At least 12 characters. Several words make a good one.")
    first = text_field("password", _("New password"), rules=rules, kind="password", hint=hint)
    again = text_field("repeated", _("New password again"), rules=NEW_PASSWORD_RULES, kind="password")
    return f"{first}\n{again}"
