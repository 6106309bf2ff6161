"""A faithful fake of WPPConnect Server as seen over HTTP, for tests and for the demo.

It imports nothing of ours: a wrong belief in `core` must not be repeated on this side. Comments name the
section of the HTTP contract in which an oddity is described.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.client import Simulator
    from simulator.timeline import ManualClock
    from simulator.times import Times

__all__ = ["ManualClock", "Simulator", "Times"]

_HOMES = {"Simulator": "simulator.client", "ManualClock": "simulator.timeline", "Times": "simulator.times"}


def __getattr__(name: str) -> Any:
    # Lazily, so that the command's --help does not wait for the web framework.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
