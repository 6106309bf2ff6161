import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.serving.stopping import StopSignals

ROOT = Path(__file__).parents[4]
SERVER = """
import signal, sys, time
from dashboard.serving.stopping import StopSignals

stop = StopSignals()
presses = []
with stop.handled():
    # As uvicorn does: its own handlers while it serves, the old ones back, the signal raised once more.
    before = signal.signal(signal.SIGTERM, lambda *_: presses.append(1))
    stop.wrap_servers_handlers()
    print("ready", flush=True)
    while len(presses) < {presses}:
        time.sleep(0.01)
    signal.signal(signal.SIGTERM, before)
    signal.raise_signal(signal.SIGTERM)
    print("presses", len(presses), flush=True)
    stop.finish()
    print("not reached", flush=True)
"""


def run(program: str) -> subprocess.Popen[str]:
    """Start a program and wait until it says that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_server_that_stops_at_once_ends_with_zero() -> None:
    process = run(SERVER.format(presses=1))

    process.terminate()
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert output == "presses 1\n"


def test_server_that_waits_is_told_to_wait_no_longer() -> None:
    process = run(SERVER.format(presses=2))

    process.terminate()
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert output == "presses 2\n"


def test_server_that_never_stops_is_ended_with_zero() -> None:
    process = run(SERVER.format(presses=99))

    process.terminate()
    process.communicate(timeout=60)

    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_handlers_of_before_are_back_afterwards(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    with StopSignals().handled():
        inside = signal.getsignal(number)

    assert inside != before
    assert signal.getsignal(number) == before
