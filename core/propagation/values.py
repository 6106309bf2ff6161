"""The secrets that targets receive: which one each kind means now, and whether it can be written at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from core.messages import Message
from core.propagation.places import ALPHABET
from core.propagation.targets import Receives

WRITABLE = "only letters, digits, '.', '_', '-' and '$' are read alike by Compose, python-dotenv and a shell"

Fresh = dict[Receives, SecretStr]
"""New values that are not in force yet."""


@dataclass(frozen=True)
class Values:
    """What each kind of secret is, or why it is none."""

    known: Mapping[Receives, SecretStr] = field(default_factory=dict)
    problems: Mapping[Receives, Message] = field(default_factory=dict)

    def text(self, receives: Receives) -> str | None:
        """Return the value in clear; None when there is none."""
        value = self.known.get(receives)
        return value.get_secret_value() if value else None

    def problem(self, receives: Receives) -> Message | None:
        """Say why there is none."""
        return self.problems.get(receives)


def checked(known: Mapping[Receives, SecretStr], problems: Mapping[Receives, Message]) -> Values:
    """Sort out the values that cannot be written; `problems` says why others are missing."""
    good: dict[Receives, SecretStr] = {}
    bad = dict(problems)
    for receives, value in known.items():
        if ALPHABET.fullmatch(value.get_secret_value()):
            good[receives] = value
        else:
            bad[receives] = Message.of("propagation.other_characters", name=receives.words)
    return Values(good, bad)
