"""Log lines that somebody else wrote a part of, on a terminal."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from core.logs import JsonFormatter, RedactedRecord, TextFormatter

HOSTILE = "\x1b[2J\x9b1A\x00\x7f\x0b\x85\u2028\u202e\u2066"
"""Clears a terminal, moves up a line, turns what follows around."""


def record() -> logging.LogRecord:
    """A record with the text as a value and in its traceback."""
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        failure = sys.exc_info()
    return RedactedRecord("core", logging.INFO, "f.py", 1, "probe failed said=%s", (HOSTILE,), failure)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()], ids=["text", "json"])
def test_logged_text_commands_no_terminal(formatter: logging.Formatter) -> None:
    written = formatter.format(record())

    assert [sign for sign in HOSTILE if sign in written] == ["[", "2", "J", "1", "A"]


def test_json_holds_the_text_as_it_was() -> None:
    assert json.loads(JsonFormatter().format(record()))["said"] == HOSTILE
