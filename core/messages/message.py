"""Message ids with arguments: raised and stored as such, rendered only where they are displayed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from core.logs import redact_secrets
from core.messages.table import JOINED, PLAIN, TEMPLATES

Argument: TypeAlias = "str | int | float | Message"


@dataclass(frozen=True)
class Message:
    """A message id of `TEMPLATES` with the values of its placeholders; `str()` renders it in English.

    Arguments are displayed and stored unchanged, so none may be a secret: a `SecretStr` is rejected, and
    registered secrets, tokens and QR payloads in a text are masked.
    """

    id: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Mask secrets in text arguments; raise TypeError for other argument types."""
        for name, value in self.arguments.items():
            if not isinstance(value, str | int | float | Message):
                raise TypeError(f"{name} of {self.id} is a {type(value).__name__}")
        masked = {
            name: redact_secrets(value) if isinstance(value, str) else value
            for name, value in self.arguments.items()
        }
        object.__setattr__(self, "arguments", masked)

    @classmethod
    def of(cls, message_id: str, **arguments: Argument) -> Message:
        """Return a message: `Message.of("transport.unresolved", host="gateway")`."""
        return cls(message_id, arguments)

    @classmethod
    def plain(cls, text: str) -> Message:
        """Return a message for English text without an id; it is displayed untranslated."""
        return cls(PLAIN, {"text": text})

    @classmethod
    def joined(cls, messages: Iterable[Message]) -> Message:
        """Return one message that joins several, at least one."""
        first, *others = messages
        for one in others:
            first = cls(JOINED, {"first": first, "second": one})
        return first

    @property
    def is_plain(self) -> bool:
        """Whether this is English text without an id, and so without translations."""
        return self.id == PLAIN

    def __str__(self) -> str:
        """Return the English text, for the command line and the log; of an unknown message its id."""
        return render(self) or self.id


def render(message: Message, translate: Callable[[str], str] = str) -> str:
    """Return a message's text; `translate` is gettext's function, with the English template as msgid.

    A message of another release may have an unknown id or placeholder: the result is then "", since an id
    is nothing to show to people, or keeps the placeholder.
    """
    template = TEMPLATES.get(message.id)
    values = {
        name: render(value, translate) if isinstance(value, Message) else value
        for name, value in message.arguments.items()
    }
    if message.id == JOINED and not all(values.values()):
        return "".join(map(str, values.values()))
    return translate(template).format_map(_Values(values)) if template else ""


def as_sentence(message: Message | None, translate: Callable[[str], str] = str) -> str:
    """Return a message's text as a sentence, with a capital letter and a full stop; "" for None."""
    text = render(message, translate) if message else ""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


class _Values(dict[str, str | int | float]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"
