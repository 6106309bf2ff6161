"""Nothing speaks of a browser where the gateway runs a session without one."""

from __future__ import annotations

import re

import pytest
from page_world import NOW, session

from core.messages.operation import OUTCOMES, STEPS
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import LOCALES
from dashboard.text.diagnosis_words import CAUSES, CHECKS
from dashboard.text.engine import WITHOUT_BROWSER, formatter_for, translate_for
from dashboard.words import REASONS, RESTART_MEANS, START_DOUBTED

TEXTS = [
    *REASONS.values(),
    *STEPS.values(),
    *OUTCOMES.values(),
    *CAUSES.values(),
    *(text for three in CHECKS.values() for text in three),
    START_DOUBTED,
    RESTART_MEANS,
]
BROWSER = re.compile("browser|navegador|userDataDir", re.IGNORECASE)
OF_THE_WHOLE_GATEWAY = {text for text in TEXTS if "userDataDir" in text}
"""What says how a gateway is set up, which runs sessions of both kinds."""


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_of_a_session_without_a_browser_names_one(locale: str) -> None:
    formatter = formatter_for(LocaleFormatter(NOW, locale=locale), session(has_browser=False))

    told = [formatter.translate(text) for text in TEXTS if text and text not in OF_THE_WHOLE_GATEWAY]

    assert [text for text in told if BROWSER.search(text)] == []


def test_the_terminal_names_none_either() -> None:
    translate = translate_for(session(has_browser=False))

    assert [text for text in map(translate, WITHOUT_BROWSER) if BROWSER.search(text)] == []
    assert [translate_for(None)(text) for text in WITHOUT_BROWSER] == list(WITHOUT_BROWSER)


@pytest.mark.parametrize("has_browser", [True, None])
def test_every_other_session_is_told_as_before(has_browser: bool | None) -> None:
    formatter = formatter_for(LocaleFormatter(NOW), session(has_browser=has_browser))

    assert [formatter.translate(text) for text in WITHOUT_BROWSER] == list(WITHOUT_BROWSER)
