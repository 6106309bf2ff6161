"""How long a gateway, or a proxy before it, wants to be left alone: the header Retry-After."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

USUAL_SECONDS = 10.0
"""Where the header is missing, or says nothing that can be used."""
LONGEST_SECONDS = 60.0
"""An honest limit passes within a minute; a longer one must not blind the monitoring for an hour."""


def retry_after_seconds(header: str | None, now: datetime) -> float:
    """Read the header, which is a number of seconds or an HTTP date."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        # Cut first: a number may have thousands of digits.
        return min(float(text[:6]), LONGEST_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return USUAL_SECONDS
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_SECONDS)
