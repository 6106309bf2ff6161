"""One request to a gateway: its time budget, size limit, repetition and errors. The home of `requests`."""

from core.transport.answer import Answer
from core.transport.call_limiter import CallLimiter, CallSlot
from core.transport.transport import Transport

__all__ = ["Answer", "CallLimiter", "CallSlot", "Transport"]
