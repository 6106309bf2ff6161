"""What the sync says, in the reader's language."""

from __future__ import annotations

from pathlib import Path

from core.exceptions import ContainerError
from core.messages import Message, as_sentence, render
from core.sync.agent import kinds_of
from core.sync.progress import StepEvent
from core.sync.targets import Receives
from dashboard.i18n import translator
from tests.support.sync import install, target

PORTUGUESE = translator("pt_PT")


def test_what_is_wrong_with_a_file_is_told_in_the_readers_language(tmp_path: Path) -> None:
    installation = install(tmp_path, {".env": "A=1\nB='x\n"}, target(".env"))
    installation.keep("value-1")

    why = installation.sync.draft().plan.targets[0].why

    assert why is not None
    assert render(why, PORTUGUESE) == "a linha 2 abre aspas que nada fecha"


def test_messages_inside_a_message_are_translated_too() -> None:
    ended = Message.of("containers.ended", code=3)
    words = Message.of("containers.last_words", words="no key; bye")

    told = render(Message.joined([ended, words]), PORTUGUESE)

    assert told == ("o novo contentor terminou logo, com o código de saída 3; última saída: no key; bye")


def test_an_engine_that_does_not_answer_is_told_as_a_sentence() -> None:
    error = ContainerError(
        Message.of("containers.engine_silent", host="unix:///x.sock", reason="Connection refused")
    )

    told = as_sentence(error.explanation, PORTUGUESE)

    assert told.startswith("O Docker Engine em unix:///x.sock não responde (Connection refused);")
    assert told.endswith("socket.")


def test_messages_are_stored_with_those_inside_them_and_english_of_an_earlier_release_is_read() -> None:
    note = Message.joined([Message.of("containers.gone"), Message.of("containers.not_new")])
    event = StepEvent(step="write", note=note)

    assert StepEvent.model_validate_json(event.model_dump_json()) == event
    assert str(StepEvent.model_validate({"step": "write", "note": "it failed"}).note) == "it failed"
    assert StepEvent.model_validate({"step": "write", "note": ""}).note is None


def test_kinds_of_secrets_are_named(tmp_path: Path) -> None:
    (only,) = kinds_of(install(tmp_path).settings)

    assert render(only.message) == "API key"
    assert render(Receives.parse("secret_key of main").message, PORTUGUESE) == "chave secreta de main"
