"""Sentences that core wrote in English, told in the reader's language by the template that they fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from dashboard.i18n import Translate

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def retell(_: Translate, text: str, templates: Sequence[str]) -> str:
    """Translate a sentence; one that fits no template stays English."""
    for template in templates:
        found = _pattern(template).fullmatch(text)
        if found:
            return _(template).format(**found.groupdict())
    return text


def fits(text: str, templates: Sequence[str]) -> bool:
    """Tell whether a sentence can be translated."""
    return any(_pattern(template).fullmatch(text) for template in templates)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Make of "{file} is not there" a pattern that finds the file again.

    Only `{words}`, which somebody else said, may hold what joins two sentences.
    """
    parts = _PLACEHOLDER.split(template)
    whatever = {part: "." if part == "words" else "(?:(?!; ).)" for part in parts[1::2]}
    found = [
        f"(?P<{part}>{whatever[part]}+?)" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    ]
    return re.compile("".join(found), re.DOTALL)
