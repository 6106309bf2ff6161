"""The expositions as Prometheus's own linter sees them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from exporter.exposition import Exposition, Format
from exporter.own_metrics import OwnMetrics

PROMTOOL = shutil.which("promtool") or "promtool"

pytestmark = [
    pytest.mark.prometheus,
    pytest.mark.skipif(shutil.which("promtool") is None, reason="needs the Debian package prometheus"),
]


def check(exposition: bytes) -> tuple[int, str]:
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=exposition, capture_output=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("name", ["healthy", "down", "paused", "unauthorized", "many", "stale"])
def test_promtool_finds_nothing_in_a_golden_file(golden, name):
    assert check(golden(name).encode()) == (0, "")


def test_promtool_finds_nothing_in_an_exposition_with_process_metrics(scenario, noon, timeouts):
    body = Exposition(OwnMetrics("1.2.3")).body(scenario("many"), noon, timeouts, Format.TEXT)

    assert b"process_resident_memory_bytes" in body
    assert check(body) == (0, "")


def test_promtool_finds_nothing_when_no_gateway_is_configured(make_snapshot, new_exposition, noon, timeouts):
    assert check(new_exposition().body(make_snapshot(), noon, timeouts, Format.TEXT)) == (0, "")


def test_promtool_complains_of_a_bad_exposition():
    code, complaint = check(b"# TYPE wppconnect_things counter\nwppconnect_things 1\n")

    assert code != 0
    assert "_total" in complaint
