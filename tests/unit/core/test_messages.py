"""A fact for people travels as an id with arguments, and holds no secret."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, TypeAdapter

from core.exceptions import ConfigurationError, ConnectError, StoreError
from core.logs import register_secret
from core.messages import TEMPLATES, Message, render
from core.models import Frozen

REDIRECTED = Message.of("transport.redirected", status=302)


class Kept(Frozen):
    message: Message | None = None


def test_it_is_english_where_nobody_translates() -> None:
    assert str(REDIRECTED) == TEMPLATES["transport.redirected"].format(status=302)


def test_its_template_is_what_is_translated() -> None:
    assert render(REDIRECTED, lambda text: text.upper().replace("{STATUS}", "{status}")).count("302") == 1


def test_it_comes_back_from_what_is_stored() -> None:
    stored = Kept(message=REDIRECTED).model_dump_json()

    assert Kept.model_validate_json(stored).message == REDIRECTED


@pytest.mark.parametrize(
    ("message", "text"),
    [
        pytest.param(Message.of("transport.of_tomorrow", x=1), "", id="unknown id"),
        pytest.param(
            Message.joined([Message.of("of_tomorrow"), Message.plain("known")]), "known", id="unknown, joined"
        ),
        pytest.param(
            Message.joined([Message.plain("known"), Message.of("of_tomorrow")]), "known", id="joined, unknown"
        ),
        pytest.param(
            Message("transport.redirected"), TEMPLATES["transport.redirected"], id="missing argument"
        ),
        pytest.param(
            Message.of("transport.refused", extra="x"), TEMPLATES["transport.refused"], id="one too many"
        ),
        pytest.param(Message.plain("100 % {of} it"), "100 % {of} it", id="plain text with braces"),
    ],
)
def test_one_of_another_release_is_shown_as_far_as_it_is_known(message: Message, text: str) -> None:
    assert render(message) == text


def test_no_argument_is_a_secret_value() -> None:
    with pytest.raises(TypeError):
        Message.of("transport.redirected", status=SecretStr("s3cret"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("it is registered-s3cret", id="a registered secret"),
        pytest.param("$2b$10$abcdefghijklmnopqrstuv", id="a token"),
        pytest.param("2@abcdefghijklmnop,qrst", id="a QR payload"),
        pytest.param("/api/s3cretkey/show-all-sessions", id="a path with the secret key"),
    ],
)
def test_a_secret_inside_an_argument_is_masked(text: str) -> None:
    register_secret("registered-s3cret")

    made = Message.plain(text)
    stored = TypeAdapter(Message).validate_python({"id": "plain", "arguments": {"text": text}})

    assert text not in repr(made) + str(made)
    assert "***" in str(made)
    assert stored == made


def test_a_session_that_is_named_by_a_number_keeps_its_name() -> None:
    assert str(Message.plain("the session 5511987654321")) == "the session 5511987654321"


def test_an_error_names_its_operation_in_the_log_and_not_on_the_page() -> None:
    error = ConnectError(Message("transport.refused"), operation="read the health", detail="GET /healthz")

    assert error.explanation == Message("transport.refused")
    assert str(error) == f"cannot read the health: {TEMPLATES['transport.refused']} (GET /healthz)"


def test_an_error_with_a_plain_text_stands_for_itself() -> None:
    error = StoreError("the disk is full", operation="write the settings")

    assert str(error) == error.message == str(error.explanation) == "the disk is full"


def test_mistakes_in_the_settings_are_messages_too() -> None:
    error = ConfigurationError([REDIRECTED, "a plain one"])

    assert error.problems == (str(REDIRECTED), "a plain one")
    assert error.explanations == (REDIRECTED, "a plain one")
