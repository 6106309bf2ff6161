"""The pages outside Streamlit: nothing that somebody typed becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

import dashboard
from dashboard.auth.account_routes import Device, PasskeySection
from dashboard.auth.context import SignInOptions
from dashboard.auth.pages import Note, render
from dashboard.i18n import LOCALES

TEMPLATES = Path(dashboard.__file__).parent / "templates"
HOSTILE = '"><i data-x="\'">&'
OPTIONS = SignInOptions(provider=HOSTILE, remember_days=30, proxy_user=HOSTILE)
DEVICES = [Device(HOSTILE, HOSTILE, (HOSTILE,), is_this) for is_this in (True, False)]

VALUES: dict[str, dict[str, Any]] = {
    "account.html": {
        "name": HOSTILE,
        "role": HOSTILE,
        "method_label": HOSTILE,
        "has_password": True,
        "devices": DEVICES,
        "remember_days": 30,
        "passkeys": PasskeySection(rows=DEVICES, must_confirm=False, may_remove=True, options=HOSTILE),
    },
    "confirm.html": {
        "name": HOSTILE,
        "next_address": HOSTILE,
        "passkey": HOSTILE,
        "may_use_password": True,
        "provider": HOSTILE,
        "method": "PROVIDER",
        "must_confirm": True,
        "minutes": 15,
    },
    "hand-off.html": {"example": HOSTILE, "max_number": 20, "code_over": HOSTILE},
    "link-refused.html": {},
    "link.html": {"next_address": HOSTILE},
    "message.html": {"title": HOSTILE, "back": (HOSTILE, HOSTILE)},
    "no-user.html": {"options": OPTIONS, "at_provider": HOSTILE},
    "password.html": {"user": HOSTILE, "name": HOSTILE, "next_address": HOSTILE},
    "runbooks.html": {
        "title": HOSTILE,
        "languages": [(HOSTILE, HOSTILE)],
        "introduction": "",
        "sections": [{"id": HOSTILE, "heading": HOSTILE, "html": ""}],
    },
    "second-factor.html": {
        "is_new": False,
        "options": HOSTILE,
        "pending": HOSTILE,
        "next_address": HOSTILE,
        "remembered": True,
    },
    "sign-in.html": {
        "options": OPTIONS,
        "name": HOSTILE,
        "next_address": HOSTILE,
        "at_provider": HOSTILE,
        "passkey": HOSTILE,
        "remember_ticked": True,
    },
    "sign-out.html": {"name": HOSTILE},
}


class Markup(HTMLParser):
    """The names of a page's elements and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", VALUES)
def test_value_is_text_wherever_it_stands(template: str, locale: str) -> None:
    values = {"note": Note(HOSTILE), "token": HOSTILE} | VALUES[template]

    page = Markup()
    page.feed(render(template, locale, **values))

    assert "i" not in page.tags
    assert "data-x" not in page.attributes


def test_every_template_is_among_them() -> None:
    parts = {"base.html", "macros.html"}

    assert {path.name for path in TEMPLATES.iterdir()} == VALUES.keys() | parts


def test_only_the_texts_of_runbooks_are_markup_already() -> None:
    sources = {path.name: path.read_text() for path in TEMPLATES.iterdir()}

    assert {name for name, source in sources.items() if "safe" in source} == {"runbooks.html"}
    assert {name for name, source in sources.items() if "autoescape" in source} == set()


def test_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("sign-out.html", "en", note=None, token="")
