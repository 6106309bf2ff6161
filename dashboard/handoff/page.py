"""The page of a hand-off link: it reveals nothing until its user requests the code.

Chat programs open links to preview them, so opening the page must not use the link up.
"""

from __future__ import annotations

from dashboard.auth.pages import render
from dashboard.i18n import translator
from dashboard.text.phone import LONGEST
from dashboard.words import CODE_STILL_WAITED_FOR

PATH = "/hand-off"
ASSETS = f"{PATH}/assets"


def handoff_page(locale: str, *, example: str) -> str:
    """Return the page, which its script fills with the state of the session.

    `example` is a phone number of the user's country.
    """
    return render(
        "hand-off.html",
        locale,
        example=example,
        max_number=LONGEST,
        code_over=translator(locale)(CODE_STILL_WAITED_FOR),
    )
