"""The response of a gateway."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from core.exceptions import ResponseError
from core.messages import Message


@dataclass(frozen=True)
class Answer:
    """A response with any status; `repr` hides the body, which may hold tokens and pairing codes."""

    status_code: int
    content_type: str
    body: bytes = field(repr=False)
    operation: str = ""
    """The operation as a verb phrase, for errors raised from this response."""
    session: str | None = None
    rate_limit: str = ""
    """The RateLimit header: remaining requests and the time until the limit resets."""

    def json(self) -> Any:
        """Parse the body; raise ResponseError if it is not JSON, such as Express's HTML error pages."""
        if "json" in self.content_type.lower():
            try:
                return json.loads(self.body)
            except (ValueError, RecursionError):
                pass  # Raise outside this handler: the original exception holds the whole body.
        raise self.unreadable("it is not JSON")

    def unreadable(self, why: str) -> ResponseError:
        """Return the error for a response that cannot be used; `why` goes into the log."""
        return ResponseError(
            Message.of("gateway.unreadable", status=self.status_code),
            operation=self.operation,
            session=self.session,
            detail=why,
        )
