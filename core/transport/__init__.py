"""HTTP transport to a gateway: deadline, size limit, retry and errors. The only importer of `requests`."""

from core.transport.answer import Answer
from core.transport.call_limiter import CallLimiter, CallSlot
from core.transport.transport import Transport

__all__ = ["Answer", "CallLimiter", "CallSlot", "Transport"]
