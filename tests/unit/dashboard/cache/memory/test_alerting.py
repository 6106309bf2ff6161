"""What the page knows of Alertmanager while several ask it at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.alertmanager.api import Matcher, Silence
from core.settings.values import AlertmanagerSettings
from dashboard.cache.alerting import Alerting
from tests.support.waiting import until

SALES = ("main", "sales")
SETTINGS = AlertmanagerSettings(url="http://127.0.0.1:9093")
END = datetime(2026, 3, 1, tzinfo=UTC)


class SlowAlertmanager:
    """Takes silences; each answer is as old as its question, and waits for the test."""

    def __init__(self) -> None:
        self.kept: list[Silence] = []
        self.questions: list[threading.Event] = []

    def __call__(self, _settings: AlertmanagerSettings) -> SlowAlertmanager:
        return self

    def close(self) -> None:
        """Nothing to close."""

    def silence(
        self, server: str, session: str, *, author: str, comment: str, since: datetime, until: datetime
    ) -> None:
        matchers = (Matcher("server", server, False, True), Matcher("session", session, False, True))
        self.kept.append(Silence("1", author, comment, since, until, matchers))

    def silences(self) -> tuple[Silence, ...]:
        kept, answer = tuple(self.kept), threading.Event()
        self.questions.append(answer)
        assert answer.wait(60)
        return kept

    def answers(self, number: int) -> None:
        """Let the question of this number be answered."""
        until(lambda: len(self.questions) > number, what=f"question {number}")
        self.questions[number].set()


@pytest.fixture
def alertmanager(monkeypatch: pytest.MonkeyPatch) -> SlowAlertmanager:
    slow = SlowAlertmanager()
    monkeypatch.setattr("dashboard.cache.alerting.Alertmanager", slow)
    return slow


@pytest.fixture
def alerting() -> Iterator[Alerting]:
    running = Alerting(lambda entry: None)
    yield running
    running.stop()


def test_what_was_asked_before_a_wish_is_not_shown_after_it(
    alerting: Alerting, alertmanager: SlowAlertmanager
) -> None:
    alerting.silences(SETTINGS)
    until(lambda: alertmanager.questions, what="the first question")
    alerting.silence(SETTINGS, SALES, author="ana", comment="on it", until=END + timedelta(hours=1))
    until(lambda: alertmanager.kept, what="the silence in Alertmanager")

    alertmanager.answers(0)
    alertmanager.answers(1)
    until(lambda: not alerting.is_busy(SALES), what="the end of the wish")

    shown = alerting.silences(SETTINGS).of(*SALES)
    assert shown is not None
    assert shown.author == "ana"


def test_what_comes_of_a_wish_is_shown_when_it_is_over_and_not_before(
    alerting: Alerting, alertmanager: SlowAlertmanager
) -> None:
    granting = threading.Event()
    silence = alertmanager.silence

    def slowly(*target: str, **rest: object) -> None:
        silence(*target, **rest)  # type: ignore[arg-type]
        granting.wait(60)

    alertmanager.silence = slowly  # type: ignore[method-assign, assignment]
    alerting.silence(SETTINGS, SALES, author="ana", comment="on it", until=END + timedelta(hours=1))
    until(lambda: alertmanager.kept, what="the silence in Alertmanager")
    alerting.silences(SETTINGS)

    alertmanager.answers(0)
    # Asked again only because that answer was not for showing.
    until(lambda: alerting.silences(SETTINGS) and len(alertmanager.questions) > 1, what="the next question")
    assert alerting.is_busy(SALES)
    assert alerting.silences(SETTINGS).of(*SALES) is None

    granting.set()
    alertmanager.answers(1)
    alertmanager.answers(2)
    until(lambda: not alerting.is_busy(SALES), what="the end of the wish")
    assert alerting.silences(SETTINGS).of(*SALES) is not None
