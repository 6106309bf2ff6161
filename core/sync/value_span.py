"""Where a value stands in a text, and how it is written there: shared by env files and compose files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core.messages import Message

ALPHABET = re.compile(r"[A-Za-z0-9._$-]+")
"""Of these characters Compose, python-dotenv and a shell read the same, if they stand in single quotes."""

FOLLOWING = re.compile(
    r"\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?])(?P<rest>[^{}]*))?\})"
)


class Style(StrEnum):
    """The quotes in which a value stands."""

    PLAIN = ""
    SINGLE = "'"
    DOUBLE = '"'
    FIXED = "fixed"
    """No quotes, and none may be put around it: it is a part of a larger text."""
    SHELL = "shell"
    """Likewise, and a shell reads that text."""
    BLOCK = "block"
    """Written in a way in which it cannot be replaced."""


class FileProblemError(Exception):
    """A file cannot be edited; `why` says where and what to do, without repeating any of it."""

    def __init__(self, why: Message) -> None:
        super().__init__(why)
        self.why = why


class NotParseableError(FileProblemError):
    """The file cannot be understood."""


class RefusedError(FileProblemError):
    """The value cannot be replaced safely."""


@dataclass(frozen=True)
class ValueSpan:
    """One value in a text: `text[start:end]`, its quotes included."""

    start: int
    end: int
    value: str = field(repr=False)
    """Unquoted, dollar signs as they stand."""
    style: Style
    line: int
    services: tuple[str, ...] = ()
    """The compose services that it reaches."""
    is_absent: bool = False
    """A key without value: Compose takes it from its own environment or from `.env`."""


@dataclass(frozen=True)
class Follows:
    """A value that is taken from another name."""

    name: str
    default: str | None = field(default=None, repr=False)


def splice(text: str, replacements: Sequence[tuple[ValueSpan, str]]) -> str:
    """Replace the raw texts at the places; every other character stays."""
    for place, raw in sorted(replacements, key=lambda one: one[0].start, reverse=True):
        text = text[: place.start] + raw + text[place.end :]
    return text


def followed(value: str) -> Follows | None:
    """Return the name that a value as written takes over wholly, as in `${AUTHENTICATION_API_KEY}`."""
    found = FOLLOWING.fullmatch(value)
    if found is None:
        return None
    takes_default = found["how"] in ("-", ":-")
    return Follows(found["bare"] or found["name"], found["rest"] if takes_default else None)
