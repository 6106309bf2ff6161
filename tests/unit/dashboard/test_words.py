"""The page has words for everything that core can say."""

from __future__ import annotations

from core.models import Reason, Verdict
from core.operation_status import Kind
from core.settings.overlay import DEFAULT
from core.settings.setting import SAVED_ON_THE_PAGE
from dashboard import words
from dashboard.theme import theme


def test_every_verdict_has_words_a_shape_and_a_colour() -> None:
    assert words.LOOKS.keys() == set(Verdict)
    assert {look.shape for look in words.LOOKS.values()} <= theme._SHAPES.keys()


def test_every_code_of_core_has_words() -> None:
    assert words.REASONS.keys() == set(Reason)
    assert {str(kind) for kind in Kind} <= words.OPERATIONS.keys()
    assert {DEFAULT, SAVED_ON_THE_PAGE} == words.ORIGINS.keys()
