"""The readers of an env file: Docker Compose, python-dotenv and a shell themselves, and systemd's rules."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml
from dotenv import dotenv_values

from tests.support.compose import compose_program

SYSTEMD_GENERATOR = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"
"""A program of systemd's that reads files with the parser of EnvironmentFile= and prints what they set."""


class RefusedError(Exception):
    """A reader refuses the whole file."""


def readings(folder: Path, text: str) -> dict[str, dict[str, str] | None]:
    """Return what each reader of our own `.env` gets from it, by the reader's name; None where it refuses."""
    try:
        compose = as_compose_reads(folder, [text])[0]
    except RefusedError:
        compose = None
    return {"compose": compose, "dotenv": as_dotenv_reads(text), "systemd": as_systemd_reads(text)}


def as_compose_reads(folder: Path, texts: Sequence[str]) -> list[dict[str, str]]:
    """Return what each file sets; one call for all, so RefusedError when any of them is refused."""
    services = {}
    for place, text in enumerate(texts):
        (folder / f"{place}.env").write_bytes(text.encode())
        services[f"s{place}"] = {"image": "x", "env_file": [f"{place}.env"]}
    (folder / "compose.yml").write_text(yaml.safe_dump({"services": services}))
    command = [str(compose_program()), "--project-name", "test", "-f", "compose.yml", "config"]
    done = subprocess.run(
        [*command, "--format", "json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RefusedError(done.stderr.decode())
    found = json.loads(done.stdout)["services"]
    return [_set(found[f"s{place}"].get("environment") or {}) for place in range(len(texts))]


def as_dotenv_reads(text: str) -> dict[str, str]:
    """Return what python-dotenv gets from a file with this text, nothing interpolated."""
    stream = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")  # as it opens a file
    return {
        key: value
        for key, value in dotenv_values(stream=stream, interpolate=False).items()
        if value is not None
    }


def as_shell_reads(folder: Path, text: str) -> dict[str, str]:
    """Return what a shell exports after reading the file; it finds no programs to start."""
    (folder / "sh.env").write_bytes(text.encode())
    script = "set -a; . ./sh.env; exec /usr/bin/env -0"
    done = subprocess.run(
        ["/bin/sh", "-c", script], cwd=folder, env={"PATH": "/nowhere"}, capture_output=True, check=False
    )
    if done.returncode or done.stderr:
        raise RefusedError(done.stderr.decode())
    pairs = (entry.partition("=") for entry in done.stdout.decode().split("\0") if entry)
    return {key: value for key, _, value in pairs if key not in ("PATH", "PWD", "OLDPWD", "_")}


def as_systemd_reads(text: str, *, with_empty: bool = True) -> dict[str, str]:
    """Return what EnvironmentFile= sets, by the rules of systemd's parser; nothing is interpolated.

    | where            | sign                | what happens                                         |
    |------------------|---------------------|------------------------------------------------------|
    | before a name    | blank, line end     | skipped                                              |
    |                  | # ;                 | a comment until the line's end                       |
    | in a comment     | backslash           | takes the next sign into it (not since version 254)  |
    | in a name        | line end            | the line is dropped                                  |
    |                  | =                   | the name ends; blanks behind it are cut off          |
    | before a value   | blank               | skipped                                              |
    |                  | ' "                 | quotes begin; behind them it is here again           |
    | in a value       | line end            | ends it; blanks behind it are cut off                |
    |                  | backslash           | the next sign is taken as it is, a line end dropped  |
    | in double quotes | backslash           | before " ` $ or itself it is dropped, else kept      |
    """
    pairs = _SystemdParser(text).pairs()
    is_name = re.compile(r"[A-Za-z_]\w*", re.ASCII)
    return {name: value for name, value in pairs if is_name.fullmatch(name) and (value or with_empty)}


def as_systemd_prints(folder: Path, text: str) -> dict[str, str]:
    """Return what a program of systemd's reads from the file; it knows no empty values, and interpolates.

    So the text holds no `$`.
    """
    of_the_system = _of_the_system(folder)
    (folder / "environment.d" / "test.conf").write_bytes(text.encode())
    return {name: value for name, value in _printed(folder).items() if name not in of_the_system}


@cache
def _of_the_system(folder: Path) -> Mapping[str, str]:
    configured = folder / "environment.d"
    configured.mkdir()
    (configured / "test.conf").write_text("")
    return _printed(folder)


def _printed(folder: Path) -> dict[str, str]:
    environment = {"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    done = subprocess.run([SYSTEMD_GENERATOR], env=environment, capture_output=True, check=True)
    pairs = (line.partition("=") for line in done.stdout.decode().split("\n") if line)
    return {name: _unescaped(value) for name, _, value in pairs}


def _unescaped(value: str) -> str:
    named = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
    if not value.startswith('"'):
        return value
    return re.sub(
        r"\\([0-7]{3}|.)",
        lambda one: chr(int(one[1], 8)) if len(one[1]) == 3 else named.get(one[1], one[1]),
        value[1:-1],
    )


def _set(variables: Mapping[str, object]) -> dict[str, str]:
    # A last line without "=" and line end sets a variable without a name.
    return {
        name: str(value).replace("$$", "$") for name, value in variables.items() if name and value is not None
    }


class _SystemdParser:
    """The table above as a machine: a method for each place, which takes a sign and returns the next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.name = self.value = ""
        self.kept = 0
        self.found: list[tuple[str, str]] = []

    def pairs(self) -> list[tuple[str, str]]:
        """Return names and values in order."""
        state: Callable[[str], object] = self._before_name
        for sign in self.text:
            state = state(sign)  # type: ignore[assignment]
        if state not in (self._before_name, self._comment, self._comment_escaped, self._in_name):
            self._end()  # within quotes, too
        return self.found

    def _before_name(self, sign: str) -> object:
        if sign in "#;":
            return self._comment
        if sign in " \t\r\n":
            return self._before_name
        self.name = sign
        return self._in_name

    def _comment(self, sign: str) -> object:
        if sign == "\\":
            return self._comment_escaped
        return self._before_name if sign in "\r\n" else self._comment

    def _comment_escaped(self, _sign: str) -> object:
        return self._comment

    def _in_name(self, sign: str) -> object:
        if sign in "\r\n":
            return self._before_name
        if sign == "=":
            self.name, self.value, self.kept = self.name.rstrip(" \t\r\n"), "", 0
            return self._before_value
        self.name += sign
        return self._in_name

    def _before_value(self, sign: str) -> object:
        match sign:
            case "\r" | "\n":
                return self._end()
            case "'":
                return self._in_single
            case '"':
                return self._in_double
            case "\\":
                return self._escape
            case " " | "\t":
                return self._before_value
        return self._in_value(sign)

    def _in_value(self, sign: str) -> object:
        if sign in "\r\n":
            return self._end()
        if sign == "\\":
            return self._escape
        self._take(sign, keep=sign not in " \t")
        return self._in_value

    def _escape(self, sign: str) -> object:
        if sign not in "\r\n":
            self._take(sign)
        return self._in_value

    def _in_single(self, sign: str) -> object:
        if sign == "'":
            return self._before_value
        self._take(sign)
        return self._in_single

    def _in_double(self, sign: str) -> object:
        if sign == '"':
            return self._before_value
        if sign == "\\":
            return self._in_double_escaped
        self._take(sign)
        return self._in_double

    def _in_double_escaped(self, sign: str) -> object:
        if sign != "\n":
            self._take(sign if sign in '"\\`$' else f"\\{sign}")
        return self._in_double

    def _take(self, sign: str, *, keep: bool = True) -> None:
        self.value += sign
        if keep:
            self.kept = len(self.value)

    def _end(self) -> object:
        self.found.append((self.name, self.value[: self.kept]))
        return self._before_name
