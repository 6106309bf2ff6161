"""Repeat tests in random order, optionally beside busy loops, and print which failed how often.

    repeat_tests.py [--times 10] [--beside 0] [--seed 1] [-- PYTEST ARGUMENTS]

The table contains the seeds to reproduce a failure with. Without arguments for pytest the whole suite is
repeated; `-n 2 tests/unit` makes a run shorter.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"
"""Ends with its parent, even if that is killed."""


def main(arguments: list[str]) -> int:
    """Repeat the tests. Return 1 if any failed."""
    parser = argparse.ArgumentParser(description="Repeat tests in random order and count failures by test.")
    parser.add_argument("--times", type=int, default=10, help="how many runs (10)")
    parser.add_argument("--beside", type=int, default=0, help="how many busy loops run beside them (0)")
    parser.add_argument("--seed", type=int, default=1, help="the first run's order (1)")
    parser.add_argument("pytest", nargs="*", help="what is passed on to pytest, after --")
    chosen = parser.parse_args(arguments)
    failures: dict[str, list[int]] = defaultdict(list)
    with busy_loops(chosen.beside):
        for number in range(chosen.times):
            seed = chosen.seed + number
            began = time.monotonic()
            failed = run_once(seed, chosen.pytest)
            for test in failed:
                failures[test].append(seed)
            print(
                f"run {number + 1} of {chosen.times}, seed {seed}: {len(failed)} failed"
                f" in {time.monotonic() - began:.0f} s",
                flush=True,
            )
    for line in table(failures, chosen.times):
        print(line)
    return int(bool(failures))


def run_once(seed: int, arguments: Sequence[str]) -> list[str]:
    """Run the tests in the order of a seed, and return the names of the failed ones."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--randomly-seed={seed}"]
        done = subprocess.run(  # noqa: S603 - what the caller asks for
            [*command, f"--junitxml={written}", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        failed = failed_tests(written.read_text()) if written.exists() else []
    if done.returncode and not failed:
        return [f"(pytest ended with exit code {done.returncode}: {last_line(done.stdout)})"]
    return failed


def failed_tests(report: str) -> list[str]:
    """Return the tests of a JUnit report that failed, or whose setup or teardown failed."""
    # Trusted input: our own pytest wrote it.
    cases = ElementTree.fromstring(report).iter("testcase")  # noqa: S314
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return sorted({f"{case.get('classname', '').replace('.', '/')}::{case.get('name')}" for case in bad})


def table(failures: Mapping[str, Sequence[int]], times: int) -> Iterator[str]:
    """Return the lines of the table, the most frequent failures first."""
    if not failures:
        yield f"No failure in {times} runs."
        return
    for test, seeds in sorted(failures.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"{len(seeds):>4}/{times}  {test}  seeds {', '.join(map(str, seeds))}"


def last_line(text: str) -> str:
    """Return the last line that is not empty."""
    return (text.strip().splitlines() or ["nothing was printed"])[-1]


@contextmanager
def busy_loops(number: int) -> Iterator[list[int]]:
    """Keep processors busy until the block ends; yields the process ids."""
    command = [sys.executable, "-c", BUSY, str(os.getpid())]
    loops = [subprocess.Popen(command) for _ in range(number)]  # noqa: S603
    try:
        yield [loop.pid for loop in loops]
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
