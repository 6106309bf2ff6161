"""The env files of the stack: `.env` is the administrator's, `config/compose.env` is ours."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
PLAIN = re.compile(r"[^'\n\r]*")


def read_env_file(path: Path) -> dict[str, str]:
    """Read the values of an env file; single quotes are literal, and nothing is interpolated.

    What needs interpolation is nothing that `make up` looks at; Compose reads the file itself, too.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    values = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match and not line.lstrip().startswith("#"):
            values[match[1]] = _unquoted(match[2])
    return values


def write_private(path: Path, values: Mapping[str, str], comments: Iterable[str], *, replace: bool) -> None:
    """Write an env file for its owner alone; FileExistsError where it is not to be replaced."""
    lines = [f"# {comment}".rstrip() for comment in comments]
    lines += [f"{name}={quoted(value)}" for name, value in values.items()]
    fresh = path.with_name(f"{path.name}.tmp") if replace else path
    if replace:
        fresh.unlink(missing_ok=True)
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write("\n".join([*lines, ""]))
    if replace:
        fresh.replace(path)


def quoted(value: str) -> str:
    """Put a value in single quotes, in which Compose, python-dotenv and a shell all read it literally."""
    if not PLAIN.fullmatch(value):
        raise ValueError("holds a single quote or a line break, which no env file can hold for all readers")
    return f"'{value}'"


def _unquoted(text: str) -> str:
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return re.split(r"\s+#", text, maxsplit=1)[0].rstrip()
