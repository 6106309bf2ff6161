"""A real Prometheus on loopback, and what it has stored."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import until

Labels = dict[str, str]


class Prometheus:
    """One server, asked over its HTTP API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str, at: float | None = None) -> list[tuple[Labels, float]]:
        """Evaluate an expression; at a moment, or now."""
        result = self._get("query", query=expression, **({} if at is None else {"time": f"{at:.3f}"}))
        if result["resultType"] == "scalar":
            return [({}, float(result["result"][1]))]
        return [(one["metric"], float(one["value"][1])) for one in result["result"]]

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[tuple[Labels, list[tuple[float, float]]]]:
        """Evaluate an expression at each step; returns for each series the moments and values."""
        moments = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        return _series(self._get("query_range", query=expression, **moments))

    def samples(self, selector: str, seconds: int) -> list[tuple[Labels, list[tuple[float, float]]]]:
        """Return the raw samples of the last seconds: labels, and moments with their values."""
        return _series(self._get("query", query=f"{selector}[{seconds}s]"))

    def first(self, selector: str, value: float, *, after: float) -> float:
        """Return the moment of the first sample with this value after a moment, of whatever series."""
        series = (samples for _, samples in self.samples(selector, 600))
        found = [at for samples in series for at, seen in samples if seen == value and at > after]
        assert found, f"{selector} was never {value} after {after}"
        return min(found)

    def alerts(self) -> dict[str, str]:
        """Return the state of each alert that is pending or firing, by name and session."""
        found = self._get("alerts")["alerts"]
        return {
            " ".join(filter(None, (one["labels"]["alertname"], one["labels"].get("session")))): one["state"]
            for one in found
        }

    def _get(self, what: str, **parameters: str) -> Any:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{parameters}: {error.read().decode()}") from None


def create_blocks(lines: Iterable[str], data: Path) -> None:
    """Put samples of the past into a Prometheus's data, while it does not run."""
    text = data.with_suffix(".openmetrics")
    with text.open("w") as file:
        file.writelines(lines)
        file.write("# EOF\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


def _series(answer: Any) -> list[tuple[Labels, list[tuple[float, float]]]]:
    return [
        (one["metric"], [(float(at), float(value)) for at, value in one["values"]])
        for one in answer["result"]
    ]


@contextmanager
def prometheus(configuration: Path, data: Path, *flags: str, address: str) -> Iterator[Prometheus]:
    """Run Prometheus with a configuration file on an address that is free."""
    command = [
        "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address={address}",
        *flags,
    ]
    log = data.with_suffix(".log")
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                with urllib.request.urlopen(f"http://{address}/-/ready", timeout=60) as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        try:
            until(is_ready, what="Prometheus's readiness")
            yield Prometheus(f"http://{address}")
        finally:
            process.terminate()
            process.wait(timeout=60)
