"""What both servers need under a flood: which connections they keep, and how they accept them."""

from core.serving.limits import ConnectionLimits
from core.serving.listening import ServingLoop
from core.serving.protocol import LimitedProtocol

__all__ = ["ConnectionLimits", "LimitedProtocol", "ServingLoop"]
