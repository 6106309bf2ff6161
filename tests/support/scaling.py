"""The shipped files with all their times divided by one factor, and nothing else changed unnamed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

DURATION = re.compile(r"(?<![\w.-])(\d+)(ms|s|m|h|d)\b")
"""As Prometheus and Alertmanager write it; not in `ratio1h`. Seconds written as plain numbers stay."""
MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def scaled(text: str, factor: int) -> str:
    """Divide every duration, wherever it stands, in whole milliseconds."""
    return DURATION.sub(lambda found: _shorter(found[0], factor), text)


def adapted(text: str, factor: int, replacements: Mapping[str, str]) -> str:
    """Divide the durations of a YAML file and replace what is named; fail if anything else differs then.

    Each text to replace has to be there: a file that has changed since would keep its own.
    """
    missing = [old for old in replacements if old not in text]
    assert not missing, f"not in the shipped file any more: {missing}"
    result = scaled(text, factor)
    for old, new in replacements.items():
        text, result = text.replace(old, new), result.replace(old, new)
    assert list(differences(yaml.safe_load(text), yaml.safe_load(result), factor)) == []
    return result


def milliseconds(duration: str) -> int:
    """Read a duration."""
    found = DURATION.fullmatch(duration)
    assert found is not None, duration
    return int(found[1]) * MILLISECONDS[found[2]]


def differences(before: Any, after: Any, factor: int, place: str = "") -> Iterator[str]:
    """Yield what differs otherwise than by the factor, and each duration that does not."""
    if isinstance(before, dict) and isinstance(after, dict) and list(before) == list(after):
        for key in before:
            yield from differences(before[key], after[key], factor, f"{place}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, factor, f"{place}/{number}")
    elif isinstance(before, str) and isinstance(after, str):
        wanted = [_shorter(found[0], factor) for found in DURATION.finditer(before)]
        if DURATION.sub("<time>", before) != DURATION.sub("<time>", after):
            yield f"{place}: {before!r} became {after!r}"
        elif [found[0] for found in DURATION.finditer(after)] != wanted:
            yield f"{place}: a duration of {before!r} is not the {factor}th part"
    elif before != after:
        yield f"{place}: {before!r} became {after!r}"


def _shorter(duration: str, factor: int) -> str:
    return f"{round(milliseconds(duration) / factor)}ms"
