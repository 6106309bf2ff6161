"""References such as `${NAME:-default}`, replaced as Compose does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

REFERENCE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)"
    # A default may contain references, two levels deep.
    r"(?:(?P<how>:?[-?+])(?P<rest>(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*))?\})"
)


def interpolate(value: str, names: Mapping[str, str]) -> str:
    """Return the value with references replaced as Compose does; an unset name is empty."""

    def replaced(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        name, how, rest = found["bare"] or found["name"], found["how"] or "", found["rest"] or ""
        present = names.get(name)
        is_there = bool(present) if how.startswith(":") else present is not None
        if how.endswith("+"):
            return interpolate(rest, names) if is_there else ""
        if how.endswith("-") and not is_there:
            return interpolate(rest, names)
        return present or ""

    return REFERENCE.sub(replaced, value)


def required_names(value: str, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the names that a value requires (`${NAME:?why}`) and that are unset: Compose refuses it."""
    for found in REFERENCE.finditer(value):
        how, name = found["how"] or "", found["name"]
        is_there = bool(names.get(name)) if how.startswith(":") else name in names
        if how.endswith("?") and not is_there:
            yield name
        yield from required_names(found["rest"] or "", names) if how.endswith("-") and not is_there else ()
