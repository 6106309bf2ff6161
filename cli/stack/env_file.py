"""Write the env files of the stack: `.env` once, `config/compose.env` at each `make up`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.env_forms import ALL_READERS
from core.env_lines import disagreements, env_values, read_env_lines


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
    """Put a value in single quotes; raises ValueError where not every reader takes it literally then."""
    line = f"A='{value}'"
    lines = read_env_lines(line)
    if "\n" in value or any(disagreements(lines, ALL_READERS)) or env_values(lines) != {"A": value}:
        raise ValueError(
            "holds a single quote, a line break or backslashes, which not every reader takes alike"
        )
    return f"'{value}'"
