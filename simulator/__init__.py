"""A faithful fake of WPPConnect Server as seen over HTTP, for tests and for the demo.

It imports no other package of this project, so that a wrong assumption in `core` is not repeated here.
Comments name the section of the HTTP contract that describes a peculiarity.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.client import Simulator
    from simulator.timeline import ManualClock
    from simulator.times import Times

__all__ = ["ManualClock", "Simulator", "Times"]

_HOMES = {"Simulator": "simulator.client", "ManualClock": "simulator.timeline", "Times": "simulator.times"}


def __getattr__(name: str) -> Any:
    # Imported lazily, so that the command's --help does not load the web framework.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
