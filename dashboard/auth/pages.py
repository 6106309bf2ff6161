"""The sign-in pages as plain HTML: they work before anybody is signed in and without Streamlit."""

from __future__ import annotations

from dataclasses import dataclass

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
)
from dashboard.auth.passwords import LONGEST, SHORTEST
from dashboard.i18n import Translate

NEW_PASSWORD_RULES = f'autocomplete="new-password" minlength="{SHORTEST}" maxlength="{LONGEST}"'
USER_NAME_RULES = 'autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64"'


@dataclass(frozen=True)
class Frame:
    """What all pages share: the reader's language and the form's token."""

    locale: str
    translate: Translate
    form_token: str


def sign_in_page(frame: Frame, *, next_address: str, name: str = "", note: Note | None = None) -> str:
    """Ask for name and password."""
    _ = frame.translate
    focus_name, focus_password = ("", " autofocus") if name else (" autofocus", "")
    rules = f'autocomplete="current-password" maxlength="{LONGEST}"{focus_password}'
    body = [
        note_box(note),
        form(
            "/sign-in",
            frame.form_token,
            hidden("next", next_address),
            text_field("name", _("Name"), rules=USER_NAME_RULES + focus_name, value=name),
            text_field("password", _("Password"), rules=rules, kind="password"),
            button(_("Sign in")),
        ),
        f'<script src="{ASSETS}/keep-fragment.js" defer></script>',
    ]
    return page(frame.locale, _("Sign in"), body)


def no_user_page(frame: Frame) -> str:
    """Tell where the first sign-in link is to be found."""
    _ = frame.translate
    body = [
        paragraph(_("Nobody has set a password here yet.")),
        paragraph(
            _("At its start the page makes a link for the first sign-in, in its terminal or in this file:"),
            code="first-sign-in-link",
        ),
        paragraph(
            _("The file is in the data folder. Open the link to become the administrator."),
            _("It is valid for 24 hours; a restart makes a new one."),
        ),
    ]
    return page(frame.locale, _("First sign-in"), body)


def exchange_page(frame: Frame, *, next_address: str) -> str:
    """Hand the token from the address's fragment over by POST."""
    _ = frame.translate
    incomplete = _("This link is incomplete. Copy the whole line, including what follows #.")
    no_script = Note(_("This page needs JavaScript. Switch it on and open the link again."))
    body = [
        paragraph(_("One moment..."), attributes=' id="waiting"'),
        paragraph(incomplete, attributes=' id="incomplete" hidden'),
        f"<noscript>{note_box(no_script)}</noscript>",
        form(
            "/sign-in/first",
            frame.form_token,
            hidden("next", next_address),
            hidden("token", ""),
            attributes=' id="exchange" autocomplete="off"',
        ),
        f'<script src="{ASSETS}/first-sign-in.js" defer></script>',
    ]
    return page(frame.locale, _("First sign-in"), body)


def link_refused_page(frame: Frame) -> str:
    """Say that the first sign-in link is of no use any more."""
    _ = frame.translate
    body = [
        note_box(Note(_("This link has been used or is no longer valid."))),
        paragraph(
            _("It works once, for 24 hours."),
            _("While nobody has set a password, each restart makes a new link."),
        ),
        link("/sign-in", _("Go to the sign-in")),
    ]
    return page(frame.locale, _("First sign-in"), body)


def set_password_page(frame: Frame, *, next_address: str, name: str, note: Note | None = None) -> str:
    """Ask the first administrator for a name and a password."""
    _ = frame.translate
    body = [
        paragraph(_("You are the first here: choose your name and password as administrator.")),
        note_box(note),
        form(
            "/sign-in/password",
            frame.form_token,
            hidden("next", next_address),
            text_field("name", _("Name"), rules=USER_NAME_RULES, value=name),
            text_field(
                "password",
                _("New password"),
                rules=f"{NEW_PASSWORD_RULES} autofocus",
                kind="password",
                hint=_("At least 12 characters. Several words make a good one."),
            ),
            text_field("repeated", _("New password again"), rules=NEW_PASSWORD_RULES, kind="password"),
            button(_("Set password and sign in")),
        ),
    ]
    return page(frame.locale, _("First sign-in"), body)


def sign_out_page(frame: Frame, *, name: str) -> str:
    """Ask whether to sign out here or everywhere."""
    _ = frame.translate
    body = [
        paragraph(_("You are signed in as"), strong=name),
        form(
            "/sign-out",
            frame.form_token,
            button(_("Sign out"), name="where", value="here"),
            button(_("Sign out on all devices"), name="where", value="everywhere", look="quiet"),
        ),
        link("/", _("Stay signed in")),
    ]
    return page(frame.locale, _("Sign out"), body)
