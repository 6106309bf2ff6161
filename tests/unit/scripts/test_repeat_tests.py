"""`make test-repeat` counts failures by test, and its busy loops always end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.repeat_tests import busy_loops, failed_tests, main, table
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]
REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit.test_a" name="test_good"/>
<testcase classname="tests.unit.test_a" name="test_bad[x-1]"><failure message="no"/></testcase>
<testcase classname="tests.unit.test_b" name="test_broken"><failure/></testcase>
<testcase classname="tests.unit.test_b" name="test_broken"><error message="at its end"/></testcase>
<testcase classname="tests.unit.test_b" name="test_left_out"><skipped/></testcase>
</testsuite></testsuites>"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_failures_and_errors_are_read_once_each() -> None:
    assert failed_tests(REPORT) == ["tests/unit/test_a::test_bad[x-1]", "tests/unit/test_b::test_broken"]


def test_the_most_frequent_failure_stands_first() -> None:
    lines = list(table({"b": [2], "a": [3], "c": [1, 4]}, 5))

    assert [line.split() for line in lines] == [
        ["2/5", "c", "seeds", "1,", "4"],
        ["1/5", "a", "seeds", "3"],
        ["1/5", "b", "seeds", "2"],
    ]


def test_no_failure_is_said_in_one_line() -> None:
    assert list(table({}, 5)) == ["No failure in 5 runs."]


def test_a_test_that_fails_now_and_then_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    (tmp_path / "test_now_and_then.py").write_text(
        "from pathlib import Path\n"
        "def test_every_second_time():\n"
        f"    runs = Path({str(runs)!r})\n"
        "    number = len(runs.read_text()) if runs.exists() else 0\n"
        "    runs.write_text('x' * (number + 1))\n"
        "    assert number % 2\n"
    )

    code = main(["--times", "3", "--seed", "7", "--", "-p", "no:cacheprovider", str(tmp_path)])

    assert code == 1
    assert "   2/3  " in (last := capsys.readouterr().out.splitlines()[-1])
    assert last.endswith("test_now_and_then::test_every_second_time  seeds 7, 9")


def test_pytest_that_cannot_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--times", "1", "--", "no-such-folder"]) == 1
    assert "(pytest ended with exit code 4: " in capsys.readouterr().out


def test_busy_loops_end_with_the_block_also_when_it_fails() -> None:
    pids: list[int] = []

    def be_interrupted() -> None:
        with busy_loops(2) as running:
            pids.extend(one for one in running if is_running(one))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        be_interrupted()

    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)


def test_busy_loops_end_when_the_runner_is_killed() -> None:
    program = (
        "import threading\nfrom scripts.repeat_tests import busy_loops\n"
        "with busy_loops(1) as pids:\n    print(*pids, flush=True)\n    threading.Event().wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as runner:
        assert runner.stdout is not None
        (pid,) = map(int, runner.stdout.readline().split())
        runner.send_signal(signal.SIGKILL)

    until(lambda: not is_running(pid), what="the busy loop's end")
