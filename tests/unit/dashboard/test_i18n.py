"""Languages: every text of the page in each of them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import dashboard
from core.messages import TEMPLATES, Message, render
from dashboard.i18n import LOCALES, negotiate, translator
from scripts.texts import places_of_texts

SOURCE = Path(dashboard.__file__).parent
TRANSLATED = [locale for locale in LOCALES if locale != "en"]
PLACEHOLDER = re.compile(r"\{\w+\}")


def texts_in_code() -> set[str]:
    return set(places_of_texts())


def catalogue(locale: str) -> dict[str, str]:
    path = SOURCE / "locale" / locale / "LC_MESSAGES" / "dashboard.po"
    with path.open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file, locale=locale) if entry.id}


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        pytest.param("pt-PT", "pt_PT", id="Portugal"),
        pytest.param("pt-BR", "pt_BR", id="Brazil"),
        pytest.param("pt", "pt_PT", id="Portuguese without a country"),
        pytest.param("pt_AO", "pt_PT", id="Angola"),
        pytest.param("en-US,pt-BR;q=0.9", "en", id="English first"),
        pytest.param("fr-FR, pt-BR;q=0.5, en;q=0.4", "pt_BR", id="the best that we have"),
        pytest.param("pt-BR;q=0, en", "en", id="refused language"),
        pytest.param("de", "en", id="a language that we lack"),
        pytest.param("", "en", id="empty"),
        pytest.param(None, "en", id="missing"),
        pytest.param("pt-BR;q=high,,;", "en", id="garbage"),
    ],
)
def test_the_language_follows_the_browser(header: str | None, locale: str) -> None:
    assert negotiate(header) == locale


@pytest.mark.parametrize("locale", TRANSLATED)
def test_every_text_is_translated(locale: str) -> None:
    translated = {text for text, translation in catalogue(locale).items() if translation}

    assert texts_in_code() - translated == set()


@pytest.mark.parametrize("locale", TRANSLATED)
def test_no_translation_is_left_of_a_text_that_is_gone(locale: str) -> None:
    assert catalogue(locale).keys() - texts_in_code() == set()


@pytest.mark.parametrize("locale", TRANSLATED)
def test_translations_have_the_placeholders_of_their_texts(locale: str) -> None:
    wrong = {
        text
        for text, translation in catalogue(locale).items()
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(translation))
    }

    assert wrong == set()


def test_no_text_hides_in_an_f_string_where_the_extraction_does_not_look() -> None:
    hidden = [
        f"{path.name}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        for formatted in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(formatted, ast.JoinedStr)
        for node in ast.walk(formatted)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_")
    ]

    assert hidden == []


def test_portugal_and_brazil_speak_differently() -> None:
    portugal, brazil = translator("pt_PT"), translator("pt_BR")

    assert (portugal("Password"), brazil("Password")) == ("Palavra-passe", "Senha")
    assert "telemóvel" in portugal("Open WhatsApp on the phone.")
    assert "celular" in brazil("Open WhatsApp on the phone.")


def test_what_is_not_translated_stays_english() -> None:
    assert translator("pt_PT")("no such text") == "no such text"
    assert translator("xx")("Password") == "Password"


def test_what_core_says_is_said_in_the_language_of_the_reader() -> None:
    template = TEMPLATES["transport.redirected"]
    portuguese = translator("pt_PT")

    said = render(Message.of("transport.redirected", status=302), portuguese)

    assert said == portuguese(template).format(status=302)
    assert said != template.format(status=302)


def test_an_empty_text_stays_empty() -> None:
    assert translator("pt_PT")("") == ""
