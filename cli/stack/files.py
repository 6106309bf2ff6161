"""The files that `make up` writes: `.env` once, and `config/`, which the containers read, each time."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from cli.monitoring_kit import Installation, parse_duration, parse_objective, write
from core.env_forms import ALL_READERS
from core.env_lines import disagreements, env_values, read_env_lines

SECRET_KEY = "wppconnect_secret_key"  # noqa: S105 - a file's name
GRAFANA_PASSWORD = "grafana_admin_password"  # noqa: S105 - a file's name
EVOLUTION_DATABASE_PASSWORD = "evolution_database_password"  # noqa: S105 - a file's name


def fresh_secret() -> str:
    """Return a new secret of 128 bits, of letters and digits.

    Bcrypt reads 72 bytes of session name and secret together, so a longer one leaves less room for names; and
    a gateway starts no session at boot if its secret contains '/', '#' or '?'.
    """
    return secrets.token_hex(16)


def read_secret(config: Path, name: str) -> str:
    """Return the secret that an earlier `make up` stored; "" if there is none."""
    try:
        return (config / "secrets" / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def write_secret(config: Path, name: str, value: str) -> None:
    """Write one secret as a file for containers.

    Compose mounts it with its owner and mode on this host, and Grafana, Prometheus and our containers run
    under three different user ids. So the file is readable by all, and `config/`, which only its owner can
    enter, protects it.
    """
    folder = config / "secrets"
    folder.mkdir(exist_ok=True)
    fresh = folder / f".{name}"
    fresh.unlink(missing_ok=True)
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(value)
    fresh.chmod(0o444)
    fresh.replace(folder / name)


def write_config(config: Path, external_url: str, *, grace: str, objective: str) -> None:
    """Write rules, notifications and dashboards with this installation's links; files to edit are kept."""
    seconds = parse_duration(grace) if grace else None
    percent = parse_objective(objective) if objective else None
    runbooks_url = f"{external_url}/runbooks"
    write(Installation(external_url, runbooks_url, seconds, objective_percent=percent), config)
    (config / "alertmanager" / "secrets").mkdir(exist_ok=True)
    for path in config.rglob("*"):
        if not path.is_symlink() and path.suffix != ".env":
            path.chmod(0o755 if path.is_dir() else (path.stat().st_mode & 0o777) | 0o444)


def prepare(config: Path) -> None:
    """Create the folder, or restrict it to its owner again."""
    config.mkdir(mode=0o700, exist_ok=True)
    config.chmod(0o700)


def write_private(path: Path, values: Mapping[str, str], comments: Iterable[str], *, replace: bool) -> None:
    """Write an env file that only its owner can read. FileExistsError if it exists and not `replace`."""
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
    """Return a value in single quotes. Raise ValueError if not every reader would read it literally."""
    line = f"A='{value}'"
    lines = read_env_lines(line)
    if "\n" in value or any(disagreements(lines, ALL_READERS)) or env_values(lines) != {"A": value}:
        raise ValueError(
            "holds a single quote, a line break or backslashes, which not every reader takes alike"
        )
    return f"'{value}'"
