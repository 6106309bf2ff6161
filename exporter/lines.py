"""The exposition's grammar: headers, label pairs, numbers, lines, in both text formats."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Format(StrEnum):
    """The two text formats by their content type; their sample lines are alike."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Family(NamedTuple):
    """One metric family with its sample lines."""

    name: str
    kind: str
    help: str
    lines: str


def number(value: float) -> str:
    """Write a value; a whole one without a decimal point."""
    if math.isfinite(value):
        return str(int(value)) if value == int(value) else repr(float(value))
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")


def label_pairs(names: Iterable[str], values: Iterable[str]) -> str:
    """Write labels without the braces."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))


def sample_line(name: str, labels: str, value: float) -> str:
    """Write one sample; `labels` is what `label_pairs` wrote."""
    return f"{name}{{{labels}}} {number(value)}\n" if labels else f"{name} {number(value)}\n"


def family_text(family: Family, form: Format) -> str:
    """Write a family with its header."""
    name = family.name
    if form is Format.OPENMETRICS and family.kind == "counter":
        # OpenMetrics names the counter without the suffix that its samples bear.
        name = name.removesuffix("_total")
    text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {family.kind}\n{family.lines}"


def end_text(form: Format) -> str:
    """Write what closes the exposition."""
    return "# EOF\n" if form is Format.OPENMETRICS else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
