"""A fact for people: thrown and stored as an id with arguments, put into words only where it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from core.logs import redact_secrets
from core.messages.table import JOINED, PLAIN, TEMPLATES

Argument: TypeAlias = "str | int | float | Message"


@dataclass(frozen=True)
class Message:
    """A message id of `TEMPLATES` with the values of its placeholders; `str()` is its English.

    Arguments are shown and stored as they are, so none may be a secret: a `SecretStr` is refused, and a
    registered secret, token or QR payload inside a text is masked.
    """

    id: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse or mask what must not be shown; raises TypeError."""
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
        """Make a message: `Message.of("transport.unresolved", host="gateway")`."""
        return cls(message_id, arguments)

    @classmethod
    def plain(cls, text: str) -> Message:
        """Wrap English that has no id of its own yet; it is shown untranslated."""
        return cls(PLAIN, {"text": text})

    @classmethod
    def joined(cls, messages: Iterable[Message]) -> Message:
        """Say several messages one after the other, of which there is at least one."""
        first, *others = messages
        for one in others:
            first = cls(JOINED, {"first": first, "second": one})
        return first

    @property
    def is_plain(self) -> bool:
        """Whether it is English that has no id of its own, and so no translation."""
        return self.id == PLAIN

    def __str__(self) -> str:
        """Return the English, for the command line and the log."""
        return render(self)


def render(message: Message, translate: Callable[[str], str] = str) -> str:
    """Put a message into words; `translate` is gettext's function, and the English template its msgid.

    A message of another release may have an id or a placeholder that this one does not know: the id stands
    for the text then, and the placeholder stays as it is.
    """
    template = TEMPLATES.get(message.id)
    values = {
        name: render(value, translate) if isinstance(value, Message) else value
        for name, value in message.arguments.items()
    }
    return translate(template).format_map(_Values(values)) if template else message.id


def as_sentence(message: Message, translate: Callable[[str], str] = str) -> str:
    """Put a message into words with a capital and a full stop, where it stands by itself."""
    text = render(message, translate)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


class _Values(dict[str, str | int | float]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"
