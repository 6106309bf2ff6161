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
from core.sync.value_span import ConfigText, NotParseableError, RefusedError, Style, ValueSpan

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


class EnvSpan(ValueSpan):
    """One value of an env file."""

    def is_exactly(self, value: str) -> bool:
        """Return whether every reader gets exactly this value from here."""
        return self.value == value and (self.style is Style.SINGLE or "$" not in value)

    def encode(self, value: str) -> str:
        """Return the value as it has to stand here; raises RefusedError."""
        if self.style is Style.PLAIN and not _PLAIN.fullmatch(self.value):
            raise RefusedError(Message.of("files.several_words", line=self.line))
        # Without quotes and in double quotes Compose and a shell would take a dollar sign for a variable.
        quote = Style.SINGLE if "$" in value else self.style
        return f"{quote}{value}{quote}"

    @property
    def literal(self) -> str:
        """The value as readers get it."""
        return self.value

    @property
    def follows(self) -> str | None:
        """The name whose value is taken over wholly; raises RefusedError."""
        if self.style is Style.SINGLE:
            return None
        name = self.referenced()
        if not name and "${" in self.value:
            raise RefusedError(Message.of("files.mixture", line=self.line))
        return name


class EnvFile(ConfigText):
    """The values of one env file and where they stand."""

    def __init__(self, text: str, key: str = "", readers: frozenset[Reader] = READERS) -> None:
        """Read the text; raises NotParseableError where readers take it differently.

        That is a line of the key, or one that reaches others; without a key only the latter counts.
        """
        super().__init__(text)
        self._key = key
        # A backslash at the end of a comment goes on for systemd alone.
        found = [one for one in read_env_lines(text) if one.key or Form.BACKSLASH_AT_END not in one.forms]
        for number, form in disagreements(
            found, readers, concerns=lambda one: bool(key) and one in ("", key)
        ):
            if form in REFUSED_FORMS:
                raise NotParseableError(Message.of(REFUSED_FORMS[form], line=number))
        self.values = [
            EnvSpan(one.key, one.start, one.end, one.value, Style(one.quote), one.number)
            for one in found
            if one.key and Form.BARE_NAME not in one.forms
        ]
        """Every value, from top to bottom."""

    def spans(self, key: str, service: str = "") -> Sequence[EnvSpan]:  # noqa: ARG002
        """Return where the key gets its value; the last one counts for every reader."""
        return [one for one in self.values if one.key == key]

    def require_only(self, changed: ConfigText, spans: Sequence[ValueSpan], value: str) -> None:
        """Raise RefusedError unless python-dotenv finds exactly this key changed."""
        if _as_dotenv_reads(changed.text) != _as_dotenv_reads(self.text) | {spans[0].key: value}:
            raise RefusedError(Message.of("files.more_changed"))

    def _again(self, text: str) -> EnvFile:
        return EnvFile(text, self._key)


def _as_dotenv_reads(text: str) -> dict[str, str | None]:
    return dict(dotenv_values(stream=io.StringIO(text.removeprefix("\ufeff")), interpolate=False))
