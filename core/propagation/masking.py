"""Show what will change in a file without showing what anybody could use.

Context lines hold other secrets of the installation: a value is shown only where it is known to be none.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

MASK = "•••"
OLD = "‹present value›"
NEW = "‹new value›"

_ASSIGNMENT = re.compile(r"^(?P<head>\s*(?:export\s+)?(?P<key>[\w.-]+)\s*=)")
_PAIR = re.compile(r"^(?P<head>\s*(?:-\s+)?[\"']?(?P<key>[\w./<-]+)[\"']?\s*:)(?P<value>(?:\s.*)?)$")
_ITEM = re.compile(r"^(?P<head>\s*-\s+[\"']?(?:(?:[A-Z_][A-Z0-9_]*|--[A-Za-z-]+)=)?)")
_INDENT = re.compile(r"\s*")
_STRUCTURE = re.compile(r"\s*(?:[&*][\w-]+)?\s*")
"""What may stand behind a key that holds other keys."""
_HARMLESS = re.compile(
    "image|container_name|restart|hostname|depends_on|env_file|build|context|dockerfile|version|"
    "services|service|volumes|networks|ports|expose|profiles|extends"
)
"""Compose's own words whose value is no secret."""


def masked_diff(before: str, after: str, name: str, *, keys: Collection[str] | None) -> str:
    """Return a unified diff in which each changed value is named and every other one is hidden.

    `keys` are those of an env file; None: it is a compose file.
    """
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm=""
    )
    return "\n".join(line if line.startswith(("---", "+++", "@@")) else _masked(line, keys) for line in lines)


def _masked(line: str, keys: Collection[str] | None) -> str:
    sign, text = line[:1], line[1:]
    word = {"-": OLD, "+": NEW}.get(sign, MASK)
    if not text.strip():
        return line
    if text.lstrip().startswith("#"):
        masked = f"{_indent(text)}# {MASK}"
    else:
        masked = _masked_pair(text, word) if keys is None else _masked_assignment(text, word, keys)
    return sign + masked


def _masked_assignment(text: str, word: str, keys: Collection[str]) -> str:
    found = _ASSIGNMENT.match(text)
    # A line of a key in PEM form may end in "=": only what was read as a name is shown.
    return f"{found['head']}{word}" if found and found["key"] in keys else MASK


def _masked_pair(text: str, word: str) -> str:
    if found := _PAIR.match(text):
        is_harmless = bool(_HARMLESS.fullmatch(found["key"])) and word == MASK and "@" not in found["value"]
        if is_harmless or _STRUCTURE.fullmatch(found["value"]):
            return text
        return f"{found['head']} {word}"
    found = _ITEM.match(text)
    return f"{found['head'] if found else _indent(text)}{word}"


def _indent(text: str) -> str:
    found = _INDENT.match(text)
    return found[0] if found else ""
