"""The page has words for everything that core can say."""

from __future__ import annotations

from pathlib import Path

from core.models import Reason, TokenSource, Verdict
from core.operation_status import OUTCOMES, Kind, Step
from core.settings import environment, fields, overlay, source
from core.settings.overlay import DEFAULT, SAVED_ON_THE_PAGE
from dashboard import words
from dashboard.looks import theme


def test_every_verdict_has_words_a_shape_and_a_colour() -> None:
    assert words.LOOKS.keys() == set(Verdict)
    assert {look.shape for look in words.LOOKS.values()} <= theme._SHAPES.keys()


def test_every_code_of_core_has_words() -> None:
    assert words.REASONS.keys() == set(Reason)
    assert words.TOKEN_SOURCES.keys() == set(TokenSource)
    assert {str(step) for step in Step} <= words.STEPS.keys()
    assert {str(kind) for kind in Kind} <= words.OPERATIONS.keys()
    assert OUTCOMES.keys() <= words.OUTCOMES.keys()
    assert {DEFAULT, SAVED_ON_THE_PAGE} == words.ORIGINS.keys()


def test_the_problems_that_are_translated_are_those_that_core_tells() -> None:
    said = "".join(
        Path(module.__file__ or "").read_text(encoding="utf-8")
        for module in (environment, fields, overlay, source)
    )

    assert [problem for problem in words.PROBLEMS if problem not in said] == []
