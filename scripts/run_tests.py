"""Run all parts of the suite, and report every failure at the end.

    run_tests.py [--fast]

Lanes run in parallel, because tests with a Docker Engine or a browser spend much of their time waiting.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest"]
MEMORY = Path("/dev/shm")  # noqa: S108 - only folders with unique names are created there
LEAST_FREE_BYTES = 2 << 30
BAD_LINE = re.compile(r"^(?:FAILED|ERROR) .+", re.MULTILINE)
TRACEBACKS = re.compile(
    r"^=+ (?:ERRORS|FAILURES) =+\n(.*?)^=+ (?:slowest|short test summary)", re.MULTILINE | re.DOTALL
)
MAX_TRACEBACK_LINES = 120


@dataclass(frozen=True)
class Part:
    """One command of the suite."""

    name: str
    command: Sequence[str]
    temporary: Path | None = None
    """The folder for temporary files; None for the system's default."""


@dataclass(frozen=True)
class Result:
    """The result of a part."""

    name: str
    code: int
    seconds: float
    failures: Sequence[str]
    closing: str = ""
    """The last printed line, which contains pytest's counts."""
    tracebacks: str = ""
    """What pytest prints about failures; its end if it is long."""

    def line(self) -> str:
        """Return the line of the final table."""
        verdict = "ok" if self.code == 0 else f"FAILED (exit code {self.code})"
        return f"{self.name:<8} {self.seconds:>6.0f} s   {verdict:<24} {self.closing}".rstrip()


CHECKS = Part("checks", ["make", "--no-print-directory", "check"])
# A file's tests stay together, in the order of tests/conftest.py: the slowest first.
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
# Each process collects all files of its part, so a part contains no more than it runs.
STORIES = ("tests/browser", "tests/integration")
UNIT_TESTS = ("tests/unit", "tests/meta")
UNIT = Part("unit", [*PYTEST, *UNIT_TESTS])
FAST = Part("unit", [*PYTEST, "--numprocesses", "2", *BY_FILE, *UNIT_TESTS])
# More processes than cores: stories wait for half of their time.
REST = Part("tests", [*PYTEST, "--numprocesses", "4", *BY_FILE, "--durations", "40", *STORIES])
ENGINE = Part("engine", [*PYTEST, "--numprocesses", "2", *BY_FILE, "--durations", "10", "tests/engine"])
STACK = Part("stack", [*PYTEST, "--durations", "10", "tests/stack"])


def main(arguments: list[str]) -> int:
    """Run everything. Return 1 if any part failed."""
    parser = argparse.ArgumentParser(description="Run all parts of the suite, and report every failure.")
    parser.add_argument("--fast", action="store_true", help="checks, unit tests and meta tests only")
    is_fast = parser.parse_args(arguments).fast
    with folder_in_memory() as folder:
        fast, unit, rest = (replace(part, temporary=folder) for part in (FAST, UNIT, REST))
        return report(
            run_lanes([[fast], [CHECKS]] if is_fast else [[rest], [unit], [ENGINE, CHECKS], [STACK]])
        )


@contextmanager
def folder_in_memory(memory: Path = MEMORY, least_free: int = LEAST_FREE_BYTES) -> Iterator[Path | None]:
    """Create a folder for temporary files in memory until the block ends; None if there is no space.

    Thousands of tests call `fsync` and rename files, which is slow on a disk. The images of a Docker Engine
    are too large for memory, so the parts with an engine do not use it.
    """
    if not memory.is_dir() or not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < least_free:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ops-", dir=memory, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def run_lanes(lanes: Sequence[Sequence[Part]]) -> list[Result]:
    """Run lanes in parallel and the parts of a lane in sequence, also after failures.

    The output of the first lane is printed at once, that of the others when the part has ended.
    """
    results: dict[str, Result] = {}
    printing = threading.Lock()

    def run_lane(parts: Sequence[Part], is_first: bool) -> None:
        for part in parts:
            result, printed = run_part(part, echo=sys.stdout if is_first else None)
            results[part.name] = result
            with printing:
                print(f"{'' if is_first else printed}\n--- {result.line()}", flush=True)

    threads = [
        threading.Thread(target=run_lane, args=(parts, number == 0)) for number, parts in enumerate(lanes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[part.name] for parts in lanes for part in parts]


def run_part(part: Part, echo: IO[str] | None = None) -> tuple[Result, str]:
    """Run one part, and return its result and output."""
    began = time.monotonic()
    printed: list[str] = []
    out, err = subprocess.PIPE, subprocess.STDOUT
    environ = os.environ | ({"TMPDIR": str(part.temporary)} if part.temporary else {})
    # Otherwise each process would compile our modules and rewrite the tests' assertions again, which costs
    # 5 s of the processor in each.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with subprocess.Popen(  # noqa: S603 - our own fixed commands
        part.command, cwd=ROOT, stdout=out, stderr=err, env=environ, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            printed.append(line)
            if echo:
                echo.write(line)
                echo.flush()
    text = "".join(printed)
    seconds = time.monotonic() - began
    closing = (text.strip().splitlines() or [""])[-1].strip("= ")
    found = TRACEBACKS.search(text)
    lines = found[1].splitlines()[-MAX_TRACEBACK_LINES:] if found else []
    failures = BAD_LINE.findall(text)
    return Result(part.name, process.returncode, seconds, failures, closing, "\n".join(lines)), text


def report(results: Iterable[Result]) -> int:
    """Print every failure and the table of parts. Return 1 if any part failed.

    Tracebacks are printed again: of a long log, often only the end is kept.
    """
    results = list(results)
    for result in results:
        if result.tracebacks:
            print(f"\n=== tracebacks of {result.name} ===\n{result.tracebacks}")
    failures = [(result.name, line) for result in results for line in result.failures]
    print(f"\n=== {len(failures)} failures ===" if failures else "\n=== all parts ===")
    for name, line in failures:
        print(f"{name}: {line}")
    for result in results:
        print(result.line())
    return int(any(result.code != 0 for result in results))


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
