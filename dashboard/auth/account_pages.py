"""The account page as plain HTML: password, devices, sign-out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard.auth.elements import (
    Note,
    button,
    form,
    hidden,
    link,
    note_box,
    page,
    paragraph,
    subtitle,
    text_field,
    unseen,
)
from dashboard.auth.link_pages import new_password_fields
from dashboard.auth.pages import USER_NAME_RULES, Frame
from dashboard.auth.passwords import MAX_LENGTH

ACCOUNT = "/account"


@dataclass(frozen=True)
class Device:
    """One sign-in of the user, formatted for the page."""

    key: str
    name: str
    lines: tuple[str, ...]
    is_this: bool


@dataclass(frozen=True)
class AccountView:
    """The content of the account page."""

    name: str
    role: str
    has_password: bool
    method_label: str
    devices: Sequence[Device]
    remember_days: int
    """0: the device is remembered already, or remembering is not offered."""


def account_page(frame: Frame, view: AccountView, *, note: Note | None = None) -> str:
    """Return the account page."""
    _ = frame.translate
    body = [
        note_box(note),
        paragraph(
            _("You are signed in as {name}, with the role {role}.").format(name=view.name, role=view.role)
        ),
        paragraph(view.method_label),
        _devices(frame, view),
        _password(frame, view) if view.has_password else "",
        link("/", _("Back to the sessions")),
    ]
    return page(frame.locale, _("My account"), body, wide=True)


def _devices(frame: Frame, view: AccountView) -> str:
    _ = frame.translate
    items, mark = [], escape(_("this device"))
    for device in view.devices:
        here = f' <span class="here">{mark}</span>' if device.is_this else ""
        lines = "".join(f"<div>{escape(line)}</div>" for line in device.lines)
        end = form(
            f"{ACCOUNT}/sign-out",
            frame.form_token,
            hidden("device", device.key),
            button(_("Sign out"), look="small", spoken=_("Sign out {device}").format(device=device.name)),
        )
        items.append(
            f'<li><div><strong>{escape(device.name)}</strong>{here}<div class="hint">{lines}</div></div>'
            f"{'' if device.is_this else end}</li>"
        )
    remember = _("Remember this device for {days} days").format(days=view.remember_days)
    parts = [
        subtitle(_("Where you are signed in")),
        f'<ul class="devices">{"".join(items)}</ul>',
        form(f"{ACCOUNT}/remember", frame.form_token, button(remember, look="quiet"))
        if view.remember_days
        else "",
        form(
            "/sign-out",
            frame.form_token,
            button(_("Sign out"), name="where", value="here", look="quiet"),
            button(_("Sign out on all devices"), name="where", value="everywhere", look="quiet"),
        ),
    ]
    return "\n".join(parts)


def _password(frame: Frame, view: AccountView) -> str:
    _ = frame.translate
    rules = f'autocomplete="current-password" maxlength="{MAX_LENGTH}"'
    return subtitle(_("Change your password")) + form(
        f"{ACCOUNT}/password",
        frame.form_token,
        unseen(text_field("name", _("Name"), rules=USER_NAME_RULES, value=view.name)),
        text_field("current", _("Present password"), rules=rules, kind="password"),
        new_password_fields(_),
        paragraph(_("All your other devices are signed out then."), attributes=' class="hint"'),
        button(_("Change the password")),
    )
