"""Env files: where a key has its values, and how a new one is written in place.

A file that Compose, python-dotenv and a shell would take differently is refused rather than guessed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from dotenv import dotenv_values

from core.env_forms import COMPOSE, DOTENV, SHELL, Form, Reader
from core.env_lines import disagreements, read_env_lines
from core.messages import Message
from core.sync.value_span import (
    ALPHABET,
    Follows,
    NotParseableError,
    RefusedError,
    Style,
    ValueSpan,
    followed,
    splice,
)

READERS = frozenset({COMPOSE, DOTENV, SHELL})
REFUSED_FORMS = {
    Form.CARRIAGE_RETURN: "files.line_ends",
    Form.CONTROL_CHARACTER: "files.control_character",
    Form.ODD_SPACE: "files.odd_space",
    Form.NOT_AN_ASSIGNMENT: "files.not_an_assignment",
    Form.COLON: "files.colon",
    Form.UNCLOSED_QUOTE: "files.unclosed_quotes",
    Form.TEXT_BEHIND_QUOTE: "files.text_behind_quote",
    Form.BACKSLASH_BEFORE_QUOTE: "files.backslash_before_quote",
    Form.BACKSLASH_AT_END: "files.backslash_at_end",
    Form.COMMENT_AT_QUOTE: "files.comment_at_quote",
    Form.TAB_BEFORE_COMMENT: "files.tab_before_comment",
    Form.QUOTE_INSIDE: "files.quote_inside",
}
"""The other forms end with a new value in single quotes, or are edited as they are."""
_PLAIN = re.compile(r"[^\s;&|<>()`'\"\\#]*")


class EnvFile:
    """The values of one env file and where they stand."""

    def __init__(self, text: str, key: str = "", readers: frozenset[Reader] = READERS) -> None:
        """Read the text; raises NotParseableError where readers take it differently.

        That is a line of the key, or one that reaches others; without a key only the latter counts.
        """
        # A backslash at the end of a comment goes on for systemd alone.
        found = [one for one in read_env_lines(text) if one.key or Form.BACKSLASH_AT_END not in one.forms]
        for number, form in disagreements(
            found, readers, concerns=lambda one: bool(key) and one in ("", key)
        ):
            if form in REFUSED_FORMS:
                raise NotParseableError(Message.of(REFUSED_FORMS[form], line=number))
        self.values = [
            (one.key, ValueSpan(one.start, one.end, one.value, Style(one.quote), one.number))
            for one in found
            if one.key and Form.BARE_NAME not in one.forms
        ]
        """Every value with its key, from top to bottom."""

    def places(self, key: str) -> tuple[ValueSpan, ...]:
        """Return where the key gets its value; the last one counts for every reader."""
        return tuple(place for name, place in self.values if name == key)


def is_exactly(place: ValueSpan, value: str) -> bool:
    """Return whether every reader gets exactly this value from the place."""
    return place.value == value and (place.style is Style.SINGLE or "$" not in value)


def follows(place: ValueSpan) -> Follows | None:
    """Return the name whose value the place takes over; None if it has its own. Raises RefusedError."""
    if place.style is Style.SINGLE:
        return None
    if "${" in place.value and not followed(place.value):
        raise RefusedError(Message.of("files.mixture", line=place.line))
    return followed(place.value)


def encode(place: ValueSpan, value: str) -> str:
    """Write the value as it has to stand at the place, in the quotes that are there if they serve."""
    if not ALPHABET.fullmatch(value):
        raise ValueError("a value outside the alphabet is refused before")
    if place.style is Style.PLAIN and not _PLAIN.fullmatch(place.value):
        raise RefusedError(Message.of("files.several_words", line=place.line))
    if "$" in value:
        # Without quotes and in double quotes Compose and a shell would take it for a variable.
        return f"'{value}'"
    quote = place.style.value
    return f"{quote}{value}{quote}"


def edited(text: str, places: Sequence[ValueSpan], key: str, value: str) -> str:
    """Splice the value in, and prove that exactly this key changed; raises RefusedError otherwise."""
    after = splice(text, [(place, encode(place, value)) for place in places])
    if _as_dotenv_reads(after) != _as_dotenv_reads(text) | {key: value}:
        raise RefusedError(Message.of("files.more_changed"))
    return after


def _as_dotenv_reads(text: str) -> dict[str, str | None]:
    return dict(dotenv_values(stream=io.StringIO(text.removeprefix("\ufeff")), interpolate=False))
