"""Log lines in JSON, for programs that read them."""

from __future__ import annotations

import json
import logging

import pytest

from core.logs import JsonFormatter, RedactedRecord


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        (
            "verdict_changed session=%s error=%s",
            ("sales", "it said: no, try=2"),
            {"event": "verdict_changed", "session": "sales", "error": "it said: no, try=2"},
        ),
        ("tried token=%s tries=%d", ("a-b-c-d-e", 3), {"event": "tried", "token": "***", "tries": "3"}),
        ("named event=%s level=%s", ("other", "x"), {"event": "named"}),
        ("100 %% sure", (), {"event": "100 %% sure"}),
    ],
    ids=["a value with blanks", "a secret by its name", "a name of ours", "no values"],
)
def test_json_line_has_a_member_for_each_value(
    template: str, values: tuple[object, ...], expected: dict[str, str]
) -> None:
    record = RedactedRecord("core", logging.INFO, "f.py", 1, template, values, (None, None, None))

    entry = json.loads(JsonFormatter().format(record))

    assert {name: entry[name] for name in entry if name not in ("at", "level", "logger")} == expected
    assert entry["level"] == "INFO"
