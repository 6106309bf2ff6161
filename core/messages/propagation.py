"""Bringing keys into files and containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "compose_cannot": "Compose cannot be asked: {reason}",
    "compose_refuses": "Compose does not take the files: {reason}",
    "file_wins": (
        "line {line} of {file} sets {key} for {service} and wins; list that file as a target too, or "
        "remove the line"
    ),
    "follows_other": (
        "line {line} takes the value from {name}, which does not hold it; list {other} as a target "
        "too, or write the value there"
    ),
    "follows_unproven": (
        "line {line} takes the value from {name}, and it cannot be said what that is: {reason}; list "
        "that one as a target too"
    ),
    "next_up": "Needs no new value, but its file changes: the next `up` recreates it.",
    "no_compose": "Docker Compose 2 is not installed beside the sync",
    "no_project": "no Compose project reads {file}; name its files with compose_files",
    "no_scratch_copy": "no copy of the project can be made ({reason})",
    "not_alone": (
        "line {line} sets {key}, but Compose reads another value from this file; tidy the lines around it"
    ),
    "not_asked": "Compose was not asked",
    "not_here": (
        "{file} is not there, so what the preset lists for it is passed over; name it under not_here "
        "in the sync file where that is right"
    ),
    "not_reached": (
        "Compose gives {service} another {key}: its project is made of {files}; list the file that sets it"
    ),
    "override_wins": (
        "an override file wins: line {line} of {file} sets {key} for {service}; list that file as a "
        "target too, or remove the line"
    ),
}
