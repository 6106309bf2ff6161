"""The processes that `wppconnect-ops run` starts: what to call, and how to see that they are up."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Service:
    """One child process."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    health_urls: tuple[str, ...]
    """Each of them has to answer 200 before the service counts as started."""
    hands_over_link: bool = False
    """What it prints on stdout is for the person at the terminal: never shown as a log line."""
    stops_last: bool = False
    """Ended after the others: they would report its absence as an outage."""


def program(entry: str) -> tuple[str, ...]:
    """Return the command for one of our programs, given as "module:function".

    -P keeps the working directory off the import path: a folder named `core` there is not ours.
    """
    return (sys.executable, "-P", "-m", "cli.child", entry)
