"""Connection limits and accept loop that both servers use to withstand a flood of connections."""

from core.serving.limits import ConnectionLimits
from core.serving.listening import ServingLoop
from core.serving.protocol import LimitedProtocol

__all__ = ["ConnectionLimits", "LimitedProtocol", "ServingLoop"]
