"""The sign-in pages as plain HTML, because Streamlit is available to signed-in users only."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from dashboard.auth.elements import (
    ASSETS,
    Note,
    button,
    checkbox,
    form,
    hidden,
    link,
    link_button,
    note_box,
    page,
    paragraph,
    text_field,
)
from dashboard.auth.passwords import MAX_LENGTH, MIN_LENGTH
from dashboard.auth.sub_path import published
from dashboard.i18n import Translate

NEW_PASSWORD_RULES = f'autocomplete="new-password" minlength="{MIN_LENGTH}" maxlength="{MAX_LENGTH}"'
USER_NAME_RULES = 'autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64"'


@dataclass(frozen=True)
class Frame:
    """The locale, the translator and the form token of a page."""

    locale: str
    translate: Translate
    form_token: str


@dataclass(frozen=True)
class SignInOptions:
    """What the sign-in page offers besides name and password."""

    provider: str = ""
    """Display name of the provider; "" without one."""
    remember_days: int = 0
    proxy_user: str = ""
    """The user who has just signed out here, but is still signed in at the proxy in front of the page."""
    leave_provider: bool = False
    """Whether a user has just signed out here, but may still be signed in at the provider."""


def sign_in_page(
    frame: Frame, *, next_address: str, options: SignInOptions, name: str = "", note: Note | None = None
) -> str:
    """Return the sign-in form, with a link to the provider if there is one."""
    _ = frame.translate
    focus_name, focus_password = ("", " autofocus") if name else (" autofocus", "")
    if options.provider:
        focus_name = focus_password = ""
    rules = f'autocomplete="current-password" maxlength="{MAX_LENGTH}"{focus_password}'
    remember = _("Remember this device for {days} days").format(days=options.remember_days)
    body = [
        note_box(note),
        _still_signed_in(frame, options),
        provider_button(frame, options.provider, next_address) if options.provider else "",
        paragraph(_("or with a password that was set here"), attributes=' class="apart"')
        if options.provider
        else "",
        form(
            "/sign-in",
            frame.form_token,
            hidden("next", next_address),
            text_field("name", _("Name"), rules=USER_NAME_RULES + focus_name, value=name),
            text_field("password", _("Password"), rules=rules, kind="password"),
            checkbox("remember", remember) if options.remember_days else "",
            button(_("Sign in"), look="quiet" if options.provider else ""),
        ),
        f'<script src="{published(ASSETS)}/keep-fragment.js" defer></script>',
    ]
    return page(frame.locale, _("Sign in"), body)


def provider_button(frame: Frame, provider: str, next_address: str) -> str:
    """Return the link to the provider's sign-in.

    A link, not a form: a browser checks every redirect of a form against the content security policy.
    """
    _ = frame.translate
    address = "/sign-in/provider" + (f"?next={quote(next_address, safe='')}" if next_address != "/" else "")
    return link_button(address, _("Sign in with {provider}").format(provider=provider))


def no_user_page(frame: Frame, *, options: SignInOptions, next_address: str, note: Note | None = None) -> str:
    """Return the page that explains where to find the first sign-in link."""
    _ = frame.translate
    body = [
        note_box(note),
        provider_button(frame, options.provider, next_address) if options.provider else "",
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


def sign_out_page(frame: Frame, *, name: str) -> str:
    """Return the page that offers to sign out here or everywhere."""
    _ = frame.translate
    body = [
        paragraph(_("You are signed in as"), strong=name),
        form(
            "/sign-out",
            frame.form_token,
            button(_("Sign out"), name="where", value="here"),
            button(_("Sign out on all devices"), name="where", value="everywhere", look="quiet"),
        ),
        link("/account", _("My account")),
        link("/", _("Stay signed in")),
    ]
    return page(frame.locale, _("Sign out"), body)


def problem_page(frame: Frame, text: str, *, again: str = "/sign-in", label: str = "") -> str:
    """Return a page that explains why signing in failed, with a link back."""
    _ = frame.translate
    body = [note_box(Note(text)), link(again, label or _("Go to the sign-in"))]
    return page(frame.locale, _("Sign in"), body)


def _still_signed_in(frame: Frame, options: SignInOptions) -> str:
    _ = frame.translate
    if options.proxy_user:
        return link("/sign-in", _("Sign in again as {name}").format(name=options.proxy_user))
    if options.provider and options.leave_provider:
        text = _("Sign out at {provider}, too").format(provider=options.provider)
        return link("/sign-in/provider/sign-out", text)
    return ""
