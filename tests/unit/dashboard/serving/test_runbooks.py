"""The runbooks as the page shows them, in every language."""

from __future__ import annotations

import re

import pytest
from asgi_browser import Browser
from starlette.applications import Starlette

from dashboard.i18n import LOCALES
from dashboard.serving.runbooks import LANGUAGES, TEXTS, document, runbook_routes, runbooks_page
from tests.support.monitoring import alerts

ALERTS = [alert["alert"] for alert in alerts()]
PAGES = {"/", "/settings"}
"""Where a runbook may lead; each is a page of ours."""
HREF = re.compile(r'<a[^>]* href="([^"]+)"')

each_locale = pytest.mark.parametrize("locale", LOCALES)


@pytest.fixture
def browser() -> Browser:
    return Browser(Starlette(routes=runbook_routes()))


def ids(html: str) -> list[str]:
    return re.findall(r' id="([^"]+)"', html)


def test_every_language_of_the_page_has_its_runbooks() -> None:
    assert {path.stem for path in TEXTS.iterdir()} == set(LOCALES) == set(LANGUAGES)


@each_locale
def test_every_alert_has_its_section_in_the_order_of_the_first_language(locale: str) -> None:
    sections = re.findall(r"^## (.+)$", (TEXTS / f"{locale}.md").read_text(), re.MULTILINE)

    assert set(sections) == set(ALERTS)
    assert sections == re.findall(r"^## (.+)$", (TEXTS / "en.md").read_text(), re.MULTILINE)


@each_locale
def test_link_of_every_alert_finds_its_section(locale: str) -> None:
    found = ids(runbooks_page(locale))

    assert len(found) == len(set(found))
    assert {alert["annotations"]["runbook_url"].partition("#")[2] for alert in alerts()} == set(found)


@each_locale
def test_every_link_leads_to_a_section_a_language_or_a_page_of_ours(locale: str) -> None:
    html = runbooks_page(locale)
    links = HREF.findall(html)

    assert {link[1:] for link in links if link.startswith("#")} == set(ids(html))
    assert {link for link in links if not link.startswith("#")} == PAGES | {
        "?lang=en",
        "?lang=pt-PT",
        "?lang=pt-BR",
    }


@each_locale
def test_translation_takes_the_same_steps_and_names_the_same_things(locale: str) -> None:
    translated, english = (TEXTS / f"{locale}.md").read_text(), (TEXTS / "en.md").read_text()

    for pattern in (r"^\d\. ", r"`[^`]+`", r"\]\([^)]+\)"):
        steps = sorted(re.findall(pattern, translated, re.MULTILINE))
        assert steps == sorted(re.findall(pattern, english, re.MULTILINE))


@pytest.mark.parametrize(
    ("query", "header", "tag"),
    [
        ("", "pt-BR,pt;q=0.9", "pt-BR"),
        ("", "pt", "pt-PT"),
        ("", "", "en"),
        ("?lang=pt-PT", "en", "pt-PT"),
        ("?lang=pt_BR", "en", "pt-BR"),
        ("?lang=en", "pt-BR", "en"),
        ("?lang=%3Cscript%3E", "pt", "en"),
    ],
)
def test_language_is_the_browsers_unless_another_one_is_asked_for(
    browser: Browser, query: str, header: str, tag: str
) -> None:
    answer = browser.get(f"/runbooks{query}", accept_language=header)

    assert answer.status == 200
    assert f'<html lang="{tag}">' in answer.text
    assert f'lang="{tag}" data-keep-fragment aria-current="true"' in answer.text
    assert "<script>" not in answer.text


def test_markup_in_a_text_stays_text() -> None:
    html = document("# A <b>title</b>\n\n## One & <i>two</i>\n\n<script>x</script>\n", "en")

    assert "&lt;script&gt;x" in html
    assert not re.search(r"<(script>|b>|i>)", html)
