"""The values that `core.tokens.shared` keeps in the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


class Origin(StrEnum):
    """Who made a token."""

    MINTED = "minted"
    GENERATED = "generated"


@dataclass(frozen=True)
class Pause:
    """Do not ask again before `until`; each refusal in a row doubles it."""

    until: float
    seconds: float

    def left_seconds(self, now: float) -> float:
        """Tell how long it still lasts; a clock that was set back ends it."""
        left = self.until - now
        return left if 0 < left <= self.seconds else 0.0

    @staticmethod
    def after(before: Pause | None, now: float) -> Pause:
        """Begin the pause after one more refusal; after a long quiet it begins anew."""
        in_a_row = before is not None and now - before.until < LONGEST_PAUSE_SECONDS
        doubled = before.seconds * 2 if before is not None and in_a_row else FIRST_PAUSE_SECONDS
        seconds = min(doubled, LONGEST_PAUSE_SECONDS)
        return Pause(until=now + seconds, seconds=seconds)

    @classmethod
    def parse(cls, stored: dict[str, float] | None) -> Pause | None:
        """Read it back from the store."""
        return cls(**stored) if stored else None


@dataclass(frozen=True)
class SessionEntry:
    """One session's token and what happened to those before it."""

    token: str | None = field(default=None, repr=False)
    origin: Origin = Origin.MINTED
    """Of the token, or of the last one when it was dropped."""
    replaces_minted: bool = False
    """Generated because a minted one was refused; when this one is accepted, minting is no use here."""
    dropped_at: float = 0.0
    pause: Pause | None = None

    @classmethod
    def parse(cls, stored: dict[str, Any]) -> SessionEntry:
        """Read it back from the store."""
        return cls(**stored | {"origin": Origin(stored["origin"]), "pause": Pause.parse(stored["pause"])})


@dataclass(frozen=True)
class ServerEntry:
    """What holds for all sessions of a gateway."""

    refusal: Pause | None = None
    """The gateway said that the secret key is wrong."""
    accepted_at: float = 0.0
    """When it accepted the secret after a refusal: that refusal explains the tokens dropped before."""
    prefers_generated: bool = False
    """It refused a minted token and accepted one of its own."""

    @classmethod
    def parse(cls, stored: dict[str, Any]) -> ServerEntry:
        """Read it back from the store."""
        return cls(**stored | {"refusal": Pause.parse(stored["refusal"])})
