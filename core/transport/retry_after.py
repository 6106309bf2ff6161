"""The Retry-After header of a gateway or a proxy in front of it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

USUAL_SECONDS = 10.0
"""Used if the header is missing or invalid."""
LONGEST_SECONDS = 60.0
"""Upper bound: real limits reset within a minute, and a longer value must not stop monitoring for an hour."""


def retry_after_seconds(header: str | None, now: datetime) -> float:
    """Parse the header, a number of seconds or an HTTP date, and return the seconds to wait."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        # Truncate first: the number may have thousands of digits.
        return min(float(text[:6]), LONGEST_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return USUAL_SECONDS
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_SECONDS)
