"""What comes back from a gateway."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from core.exceptions import ResponseError
from core.messages import Message


@dataclass(frozen=True)
class Answer:
    """What the gateway answered, whatever its status; `repr` hides the body, it may hold tokens and codes."""

    status_code: int
    content_type: str
    body: bytes = field(repr=False)
    operation: str = ""
    """What was asked for, as a verb phrase, for the errors that the answer leads to."""
    session: str | None = None
    rate_limit: str = ""
    """The header RateLimit: how many more requests the gateway takes, and for how long that holds."""

    def json(self) -> Any:
        """Parse the body; raises ResponseError for anything but JSON, such as Express's HTML error pages."""
        if "json" in self.content_type.lower():
            try:
                return json.loads(self.body)
            except (ValueError, RecursionError):
                pass  # Raised below, outside this handler: the foreign error holds the whole body.
        raise self.unreadable("it is not JSON")

    def unreadable(self, why: str) -> ResponseError:
        """Make the error for an answer that cannot be used; `why` is for the log."""
        return ResponseError(
            Message.of("gateway.unreadable", status=self.status_code),
            operation=self.operation,
            session=self.session,
            detail=why,
        )
