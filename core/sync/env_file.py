"""Env files, read in the one way in which Compose, python-dotenv and a shell agree, and edited in place.

Where the three would cut a file differently into values, it is refused rather than guessed.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from dotenv import dotenv_values

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

_KEY = re.compile(r"(?:export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)(?P<equals>[ \t]*=[ \t]*)")
_INDENT = re.compile(r"[ \t]*")
_BLANK_OR_COMMENT = re.compile(r"[ \t]*(?:#[^\n]*)?")
_SINGLE = re.compile(r"'(?P<text>[^']*)'")
_DOUBLE = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"', re.DOTALL)
_COMMENT = re.compile(r"[ \t]+#.*")
_PLAIN = re.compile(r"[^\s;&|<>()`'\"\\#]*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class EnvFile:
    """The values of one env file and where they stand."""

    def __init__(self, text: str) -> None:
        """Read the text; raises NotParseableError."""
        self.text = text
        self._places: dict[str, list[ValueSpan]] = {}
        self.order: list[tuple[str, ValueSpan]] = []
        """Every value with its key, from top to bottom."""
        self._line_ends = [found.start() for found in re.finditer("\n", text)]
        self._read()

    @property
    def all_places(self) -> Mapping[str, Sequence[ValueSpan]]:
        """Where every key gets its values."""
        return self._places

    def places(self, key: str) -> tuple[ValueSpan, ...]:
        """Return where the key gets its value; the last one counts for every reader."""
        return tuple(self._places.get(key, ()))

    def _read(self) -> None:
        text, at = self.text, 1 if self.text.startswith("\ufeff") else 0
        if re.search(r"\r(?!\n)", text):
            raise NotParseableError(Message.of("files.line_ends"))
        while at < len(text):
            at = self._read_statement(at)

    def _read_statement(self, at: int) -> int:
        """Read one statement and return where the next one begins."""
        text = self.text
        indented = _INDENT.match(text, at)
        begin = indented.end() if indented else at
        end = self._line_end(begin)
        line = text[begin:end].rstrip("\r")
        if _BLANK_OR_COMMENT.fullmatch(line):
            return end + 1
        found = _KEY.match(text, begin, end)
        if found is None:
            # A bare name, or a line of a shell script: no value of ours, as long as it opens no quotes.
            if "'" in line or '"' in line or line.endswith("\\"):
                raise NotParseableError(Message.of("files.no_assignment", line=self._line(begin)))
            return end + 1
        start = found.end()
        match text[start : start + 1]:
            case "'":
                return self._read_quoted(found["key"], start, _SINGLE, Style.SINGLE)
            case '"':
                return self._read_quoted(found["key"], start, _DOUBLE, Style.DOUBLE)
        raw = text[start:end].rstrip("\r")
        value = _COMMENT.sub("", raw).rstrip()
        if raw.endswith("\\"):
            raise NotParseableError(Message.of("files.backslash_at_end", line=self._line(begin)))
        self._add(found["key"], ValueSpan(start, start + len(value), value, Style.PLAIN, self._line(begin)))
        return end + 1

    def _read_quoted(self, key: str, start: int, pattern: re.Pattern[str], style: Style) -> int:
        line = self._line(start)
        found = pattern.match(self.text, start)
        if found is None:
            raise NotParseableError(Message.of("files.unclosed_quotes", line=line))
        content = found["text"]
        # python-dotenv and Compose let a backslash escape a single quote, a shell does not; and they do not
        # agree on a backslash before an escaped quote.
        if (style is Style.SINGLE and content.endswith("\\")) or re.search(r'\\\\+"|\\\\$', content):
            raise NotParseableError(Message.of("files.backslash_before_quote", line=line))
        end = self._line_end(found.end())
        rest = self.text[found.end() : end].rstrip("\r")
        if not _BLANK_OR_COMMENT.fullmatch(rest):
            raise NotParseableError(Message.of("files.text_behind_quote", line=line))
        if style is Style.DOUBLE:
            content = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), content)
        self._add(key, ValueSpan(start, found.end(), content, style, line))
        return end + 1

    def _add(self, key: str, place: ValueSpan) -> None:
        self._places.setdefault(key, []).append(place)
        self.order.append((key, place))

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _line(self, at: int) -> int:
        return bisect_left(self._line_ends, at) + 1


def is_exactly(place: ValueSpan, value: str) -> bool:
    """Tell whether every reader gets exactly this value from the place."""
    return place.value == value and (place.style is Style.SINGLE or "$" not in value)


def follows(place: ValueSpan) -> Follows | None:
    """Tell whose value the place takes over; None when it has its own. Raises RefusedError for a mixture."""
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
