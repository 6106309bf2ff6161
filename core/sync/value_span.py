"""Values in a text: where each stands, what it says, and how a new one is written in its place."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from core.messages import Message
from core.sync.targets import State

ALPHABET = re.compile(r"[A-Za-z0-9._$-]+")
"""Of these characters Compose, python-dotenv and a shell read the same, if they stand in single quotes."""

REFERENCE = re.compile(
    r"\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?])(?P<rest>[^{}]*))?\})"
)


def escaped(text: str) -> str:
    """Write dollar signs as Compose reads them."""
    return text.replace("$", "$$")


def unescaped(text: str) -> str:
    """Read a text in which Compose has each dollar sign twice."""
    return text.replace("$$", "$")


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

    def __init__(self, why: Message, state: State = State.UNREADABLE) -> None:
        super().__init__(why)
        self.why = why
        self.state = state


class NotParseableError(FileProblemError):
    """The file cannot be understood."""

    def __init__(self, why: Message) -> None:
        super().__init__(why, State.NOT_PARSEABLE)


class RefusedError(FileProblemError):
    """The value cannot be replaced safely."""

    def __init__(self, why: Message) -> None:
        super().__init__(why, State.REFUSED)


@dataclass(frozen=True)
class ValueSpan(ABC):
    """One value in a text: `text[start:end]`, its quotes included."""

    key: str
    start: int
    end: int
    value: str = field(repr=False)
    """Unquoted, dollar signs as they stand."""
    style: Style
    line: int
    services: tuple[str, ...] = ()
    """The compose services that it reaches."""

    @abstractmethod
    def is_exactly(self, value: str) -> bool:
        """Return whether every reader gets exactly this value from here."""

    @abstractmethod
    def encode(self, value: str) -> str:
        """Return the value as it has to stand here, in the present quotes if they serve.

        Raises RefusedError.
        """

    @property
    @abstractmethod
    def literal(self) -> str:
        """The value as readers get it, for one that takes over no other name."""

    @property
    @abstractmethod
    def follows(self) -> str | None:
        """The name whose value is taken over wholly, as in `${API_KEY}`; raises RefusedError."""

    def referenced(self) -> str | None:
        """Return the name to which the value as written is a reference, if it is nothing else."""
        found = REFERENCE.fullmatch(self.value)
        return (found["bare"] or found["name"]) if found else None


class ConfigText(ABC):
    """The text of an env file or a compose file."""

    def __init__(self, text: str) -> None:
        self.text = text

    @abstractmethod
    def spans(self, key: str, service: str = "") -> Sequence[ValueSpan]:
        """Return where the key stands, in one service of a compose file or in all of the text."""

    @abstractmethod
    def require_only(self, changed: ConfigText, spans: Sequence[ValueSpan], value: str) -> None:
        """Raise RefusedError unless this text with the value at the spans differs in nothing else."""

    def edited(self, spans: Sequence[ValueSpan], value: str) -> ConfigText:
        """Return the text with the value at the spans and nothing else changed; raises RefusedError."""
        try:
            changed = self._again(self.replaced(spans, value))
            self.require_only(changed, spans, value)
        except NotParseableError as error:
            raise RefusedError(error.why) from None
        return changed

    def replaced(self, spans: Sequence[ValueSpan], value: str) -> str:
        """Return the text with the value at the spans; raises RefusedError."""
        if not ALPHABET.fullmatch(value):
            raise ValueError("a value outside the alphabet is refused before")
        text = self.text
        for span in sorted(spans, key=lambda one: one.start, reverse=True):
            text = text[: span.start] + span.encode(value) + text[span.end :]
        return text

    @abstractmethod
    def _again(self, text: str) -> ConfigText:
        """Read a changed text."""
