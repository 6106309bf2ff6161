"""Search everything that the suite logs, prints and serves for the secrets that it really used.

Whoever runs a gateway hands over its values with `keep_secret`, and texts that people can read with
`inspect`; every log record of the test process is looked at too. A find fails the run. Where several
processes run the suite (pytest-xdist), each hands what it kept to the one that reports: a secret of one may
stand in a text of another.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

SHORTEST = 8
"""A value shorter than a pairing code would be found by chance."""

_HANDED_OVER = "leaks"

_secrets: dict[str, str] = {}
_texts: list[tuple[str, str]] = []


class _Recorder(logging.Handler):
    """Keeps what any handler could have written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, with its traceback."""
        self.lines.add(self.format(record))


_recorder = _Recorder()


def keep_secret(kind: str, values: Iterable[str | None]) -> None:
    """Remember values that must be found nowhere; `kind` names them in a report instead of the value."""
    _secrets.update({value: kind for value in values if value and len(value) >= SHORTEST})


def inspect(place: str, text: str) -> None:
    """Hand over a text that somebody may read: a log file, a page, an exposition."""
    _texts.append((place, text))


def inspect_files(directory: Path, pattern: str) -> None:
    """Hand over files, by their names under a directory."""
    for path in sorted(directory.rglob(pattern)):
        inspect(path.name, path.read_text(errors="replace"))


def finds() -> list[str]:
    """Say where which kind of secret was found."""
    texts = [*_texts, ("log records of the tests", "\n".join(_recorder.lines))]
    found = {
        f"{kind} in {place}" for place, text in texts for secret, kind in _secrets.items() if secret in text
    }
    return sorted(found)


def pytest_configure() -> None:
    """Listen to every logger of this process."""
    logging.getLogger().addHandler(_recorder)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of pytest-xdist kept; one that crashed hands over nothing."""
    secrets, texts, lines = getattr(node, "workeroutput", {}).get(_HANDED_OVER, ({}, [], []))
    _secrets.update(secrets)
    _texts.extend((place, text) for place, text in texts)
    _recorder.lines.update(lines)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that is green but leaked; as one of several processes hand over what was kept."""
    handed_over = getattr(session.config, "workeroutput", None)
    if handed_over is not None:
        handed_over[_HANDED_OVER] = (_secrets, _texts, sorted(_recorder.lines))
    elif finds() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was searched, and what was found."""
    searched = sum(len(text) for _place, text in _texts) + sum(map(len, _recorder.lines))
    terminalreporter.write_line(
        f"leaks: {len(_secrets)} secrets searched for in {searched} characters, {len(finds())} found"
    )
    for find in finds():
        terminalreporter.write_line(f"  LEAK: {find}")
