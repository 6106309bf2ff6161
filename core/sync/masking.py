"""Show what changes in a file without its values.

Nothing of a line is shown but its key: a value is hidden whatever it is called and wherever it stands.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from core.sync.compose_file import key_ends
from core.sync.env_file import EnvFile
from core.sync.value_span import NotParseableError

MASK = "•••"
OLD = "‹present value›"
NEW = "‹new value›"

_STRUCTURE = re.compile(r"\s*(?:[&*][\w-]+)?\s*")
"""What may stand behind a key that holds other keys."""
CONTEXT_LINES = 3


def masked_diff(before: str, after: str, name: str) -> str:
    """Return a unified diff in which each changed value is named and every other one is hidden."""
    is_compose = name.endswith((".yml", ".yaml"))
    old, new = before.removesuffix("\n").split("\n"), after.removesuffix("\n").split("\n")
    shown_old, shown_new = _shown(before, is_compose=is_compose), _shown(after, is_compose=is_compose)
    lines = [f"--- a/{name}", f"+++ b/{name}"]
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT_LINES):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        lines.append(f"@@ -{i1 + 1},{i2 - i1} +{j1 + 1},{j2 - j1} @@")
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += [" " + _masked(old[at], shown_old.get(at, 0), MASK) for at in range(a, b)]
                continue
            lines += ["-" + _masked(old[at], shown_old.get(at, 0), OLD) for at in range(a, b)]
            lines += ["+" + _masked(new[at], shown_new.get(at, 0), NEW) for at in range(c, d)]
    return "\n".join(lines) if len(lines) > 2 else ""


def _masked(line: str, shown: int, word: str) -> str:
    """Return the part of a line that is shown, and a word for the rest."""
    if not line.strip():
        return ""
    if line.lstrip().startswith("#"):
        return f"{line[: len(line) - len(line.lstrip())]}# {MASK}"
    head = line[:shown].rstrip()
    if not head:
        return f"{line[: len(line) - len(line.lstrip())]}{word}"
    if head.endswith("="):
        return f"{head}{word}"
    return line.rstrip() if _STRUCTURE.fullmatch(line, shown) else f"{head} {word}"


def _shown(text: str, *, is_compose: bool) -> dict[int, int]:
    """Return, by line from 0, how many of its characters are its key; lines that are no key are absent."""
    try:
        return dict(key_ends(text)) if is_compose else _env_keys(text)
    except (NotParseableError, RecursionError):
        return {}


def _env_keys(text: str) -> dict[int, int]:
    begins = [0, *(found.end() for found in re.finditer("\n", text))]
    return {place.line - 1: place.start - begins[place.line - 1] for _, place in EnvFile(text).values}
