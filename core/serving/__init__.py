"""What both servers need under a flood: which connections they keep, and how they accept them."""

from core.serving.limits import ConnectionLimits
from core.serving.listening import ServingLoop

__all__ = ["ConnectionLimits", "ServingLoop"]
