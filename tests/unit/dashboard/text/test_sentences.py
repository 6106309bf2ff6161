"""Sentences of core in the reader's language."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

import core
from core.exceptions import EngineUnreachableError
from core.messages import render
from core.sync.agent import kinds_of
from core.sync.assessor import sentence as as_sentence
from core.sync.targets import ReceivedKind
from dashboard.i18n import translator
from dashboard.text.sync import kind, sentence
from dashboard.text.sync_sentences import TEMPLATES, retell
from tests.support.sync import API_KEY, install, target

SOURCES = [path for folder in ("sync",) for path in (Path(core.__file__).parent / folder).glob("*.py")] + [
    Path(core.__file__).parent / name for name in ("env_forms.py", "messages/files.py")
]
PORTUGUESE = translator("pt_PT")


@functools.cache
def constants() -> str:
    """Return every text that stands in core's two packages, joined as Python joins it."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def clauses(template: str) -> list[str]:
    """Return the parts of a template between placeholders and punctuation that are worth looking for."""
    parts = re.split(r"\{\w+\}|[;:.,]|and ", template)
    return [part.strip() for part in parts if len(part.strip()) > 8]


@pytest.mark.parametrize("template", TEMPLATES)
def test_template_is_something_that_core_says(template: str) -> None:
    said = constants()

    assert clauses(template)
    assert [clause for clause in clauses(template) if clause not in said] == []


def test_what_is_wrong_with_a_file_is_told_in_the_readers_language(tmp_path: Path) -> None:
    installation = install(tmp_path, {".env": "A=1\nB='x\n"}, target(".env"))
    installation.keep("value-1")

    why = installation.sync.draft().plan.targets[0].why

    assert why is not None
    assert render(why, PORTUGUESE) == "a linha 2 abre aspas que nada fecha"


def test_names_and_numbers_stay_in_the_sentence() -> None:
    told = retell(PORTUGUESE, "line 7 opens quotes that nothing closes")

    assert told == "a linha 7 abre aspas que nada fecha"


def test_joined_sentences_are_told_one_by_one() -> None:
    told = sentence(
        PORTUGUESE, "a.env was changed by somebody else and is left alone; compare it with the backup"
    )
    two = sentence(PORTUGUESE, "It runs with these values already.; it has no `services`")

    assert told.startswith("a.env foi alterado por outra pessoa")
    assert two == "Já funciona com estes valores.; não tem `services`"


def test_sentence_that_nobody_foresaw_stays_english() -> None:
    assert sentence(PORTUGUESE, "something new happened") == "something new happened"
    assert sentence(PORTUGUESE, "") == ""


def test_kinds_of_secrets_are_named(tmp_path: Path) -> None:
    (only,) = kinds_of(install(tmp_path).settings)

    assert kind(str, only) == "API key"
    assert kind(str, API_KEY.model_copy(update={"kind": ReceivedKind.SECRET_KEY, "server": "main"})) == (
        "secret key of main"
    )


def test_an_engine_that_does_not_answer_is_told_as_a_sentence_in_the_readers_language() -> None:
    error = EngineUnreachableError(
        "the Docker Engine at unix:///x.sock does not answer (Connection refused); check that it runs and "
        "that this account may use its socket",
        operation="look",
    )

    told = sentence(PORTUGUESE, as_sentence(error))

    assert told.startswith("O Docker Engine em unix:///x.sock não responde (Connection refused);")
    assert told.endswith("socket.")


def test_the_last_words_of_a_new_container_stay_as_they_are() -> None:
    told = sentence(
        PORTUGUESE, "the new container ended at once, with exit code 3; its last words: no key; bye"
    )

    assert (
        told
        == "o novo contentor terminou logo, com o código de saída 3; as suas últimas palavras: no key; bye"
    )
