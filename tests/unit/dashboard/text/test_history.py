"""Lines of the history in words."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from typing import Any

import pytest

from core.models import HistoryEntry
from core.uptime.verdict_log import TRANSITION
from dashboard.formatting import LocaleFormatter
from dashboard.text import history as history_text
from dashboard.words import HISTORY_KINDS
from tests.meta.source import modules, tree_of

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def told(kind: str, locale: str = "en", **data: Any) -> str:
    entry = HistoryEntry(at=NOW, kind=kind, server="main", session="sales", data=data)
    return history_text.line(LocaleFormatter(NOW, locale=locale), entry)


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        (
            "transition",
            {"from": "connected", "to": "disconnected", "reason": "code_expired"},
            "Disconnected: A code was shown, and no phone was linked in time.",
        ),
        ("transition", {"from": "starting", "to": "connected", "reason": "none"}, "Connected"),
        ("transition", {"from": "paused", "to": "unknown", "reason": "none"}, "Checks resumed"),
        ("transition", {"from": "connected", "to": "bewitched", "reason": "magic"}, "bewitched: magic"),
        (
            "operation",
            {"operation": "close", "outcome": "closed", "ok": True},
            "Close: The session was closed.",
        ),
        ("pause", {"event": "paused", "until": "2026-11-23T16:30:00+00:00"}, "Paused until 16:30"),
        ("pause", {"event": "paused", "until": None, "reason": "new SIM"}, "Paused: new SIM"),
        ("pause", {"event": "resumed"}, "Resumed"),
        (
            "transition",
            {
                "from": "connected",
                "to": "connected",
                "reason": "none",
                "maintenance_until": "2026-11-23T16:30:00+00:00",
            },
            "Maintenance started",
        ),
        ("transition", {"from": "disconnected", "to": "disconnected"}, "Maintenance ended"),
        (
            "transition",
            {
                "from": "connected",
                "to": "starting",
                "reason": "none",
                "maintenance_until": "2026-11-23T16:30:00+00:00",
            },
            "Starting: During maintenance.",
        ),
        (
            "maintenance",
            {
                "event": "planned",
                "targets": "main, other/sales",
                "since": "2026-11-23T15:30:00+00:00",
                "until": "2026-11-24T01:00:00+00:00",
                "reason": "new SIM",
            },
            "Maintenance planned: main, other/sales; 15:30 – 24 Nov, 01:00; new SIM",
        ),
        (
            "maintenance",
            {"event": "ended", "weekdays": "0,6", "at": "02:00", "minutes": 90, "zone": "Europe/Lisbon"},
            "Maintenance ended early: Weekly: Mon, Sun at 02:00 for 1 h 30 min (Europe/Lisbon)",
        ),
        ("maintenance", {"event": "deleted"}, "Maintenance window deleted"),
        (
            "settings",
            {"fields": "interval_seconds, servers.main.url"},
            "Settings changed: Interval; main, Address",
        ),
        (
            "monitoring",
            {"event": "started", "holder": "wppconnect-exporter[7]", "last_heartbeat": None},
            "Checks taken over by the exporter",
        ),
        (
            "monitoring",
            {"event": "started", "holder": "x[7]", "last_heartbeat": "2026-11-23T13:00:00+00:00"},
            "Checks taken over by x: Not checked for 1 h",
        ),
        (
            "monitoring",
            {"event": "started", "holder": "x[7]", "last_heartbeat": "2026-11-23T13:59:59.600+00:00"},
            "Checks taken over by x",
        ),
        ("monitoring", {"event": "danced"}, "Monitoring: event: danced"),
        ("sign_in", {"outcome": "failed", "address": "203.0.113.7"}, "Sign-in failed: 203.0.113.7"),
        ("user", {"change": "role", "user": "rui", "role": "operator"}, "Role changed: rui, operator"),
        ("of_tomorrow", {"a": 1, "b": None, "c": ""}, "of_tomorrow: a: 1"),
    ],
)
def test_a_line_is_told_in_words(kind: str, data: dict[str, Any], words: str) -> None:
    assert told(kind, **data).startswith(words)


def test_a_line_is_told_in_the_readers_language() -> None:
    assert told("pause", "pt_PT", event="paused", until="2026-11-23T16:30:00+00:00") == "Em pausa até 16:30"


@pytest.mark.parametrize(
    ("kind", "data", "tone"),
    [
        ("transition", {"to": "connected"}, "good"),
        ("transition", {"to": "disconnected"}, "bad"),
        ("transition", {"to": "disconnected", "maintenance_until": "2026-11-23T16:30:00+00:00"}, ""),
        ("operation", {"operation": "pair", "outcome": "connected", "ok": True}, "good"),
        ("operation", {"operation": "pair", "outcome": "code_expired", "ok": False}, "bad"),
        ("settings", {"fields": "interval_seconds"}, ""),
    ],
)
def test_good_and_bad_news_are_told_apart(kind: str, data: dict[str, Any], tone: str) -> None:
    entry = HistoryEntry(at=NOW, kind=kind, data=data)

    assert history_text.tell(LocaleFormatter(NOW), entry).tone == tone


def test_every_kind_of_line_that_is_written_has_a_name() -> None:
    written = {
        keyword.value.value
        for path in modules()
        for call in ast.walk(tree_of(path))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "HistoryEntry"
        for keyword in call.keywords
        if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant)
    }

    assert {"operation", "sign_in"} <= written
    assert written | {TRANSITION} <= set(HISTORY_KINDS)
