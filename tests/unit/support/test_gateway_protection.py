"""A run that endangers a gateway fails, and says where."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from simulator import Simulator, request_log
from simulator.request_log import LoggedRequest
from tests.meta.source import ROOT
from tests.plugins.gateway_protection import DANGEROUS, Protection
from tests.support.waiting import until

TESTS = """
import urllib.request
import pytest
from simulator import Simulator

@pytest.mark.parametrize("route", ["healthz", pytest.param("metrics", marks={marks})])
def test_asks(route):
    with Simulator() as gateway:
        urllib.request.urlopen(f"{{gateway.url}}/{{route}}", timeout=60).close()
"""


@pytest.mark.parametrize(
    ("agent", "route", "finds"),
    [
        ("wppconnect-exporter", "/api/{session}/status-session", 0),
        ("Prometheus/2", "/metrics", 1),
        ("wppconnect-dashboard", "/unhealthy", 1),
        ("wppconnect-dashboard", "/api/{secretkey}/start-all", 1),
        ("wppconnect-dashboard", "/api/{session}/{secretkey}/clear-session-data", 1),
        ("wppconnect-dashboard", "/api/{secretkey}/restore-sessions", 1),
    ],
)
def test_which_routes_endanger_a_gateway(agent: str, route: str, finds: int) -> None:
    protection = Protection()

    protection.observe(LoggedRequest(0.0, agent, "GET", route, None), [])

    assert len(protection.finds()) == finds


def test_dangerous_routes_are_routes_of_the_simulator() -> None:
    source = (ROOT / "simulator" / "routes.py").read_text()

    assert [one for one in DANGEROUS if f'/{one}"' not in source] == []


@pytest.mark.endangers_gateway("five calls at once, which none of our programs sends")
def test_calls_in_flight_are_counted_for_each_process() -> None:
    protection = Protection()
    with ExitStack() as stack, Simulator(paired=["sales"]) as gateway:
        gateway.set_fault("hang")
        request_log.observers.append(protection.observe)
        stack.callback(request_log.observers.remove, protection.observe)
        port = int(gateway.url.rpartition(":")[2])
        stack.enter_context(other_process(port, calls=4))
        until(lambda: gateway.requests()["in_flight"] == 4, what="four calls of another process")
        for agent in ("wppconnect-exporter", "wppconnect-dashboard") * 4:
            stack.enter_context(call(port, agent))
        until(lambda: gateway.requests()["in_flight"] == 12, what="eight calls of this process")
        assert protection.finds() == []

        stack.enter_context(call(port, "wppconnect-exporter"))
        until(protection.finds, what="a find")

    (find,) = protection.finds()
    assert find.startswith("wppconnect-exporter had more than 4 calls in flight")


def call(port: int, agent: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), 60)
    client.sendall(f"GET /healthz HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\n\r\n".encode())
    return client


@contextmanager
def other_process(port: int, calls: int) -> Iterator[None]:
    with ExitStack() as stack:
        clients = [stack.enter_context(call(port, "wppconnect-exporter")) for _ in range(calls)]
        with subprocess.Popen(
            ["sleep", "infinity"], pass_fds=[client.fileno() for client in clients]
        ) as holder:
            stack.close()
            yield
            holder.kill()


@pytest.mark.parametrize(
    ("marks", "code", "summary"),
    [
        ("[]", 1, "sent GET /metrics (1 times, first in test_it.py::test_asks[metrics])"),
        ("pytest.mark.endangers_gateway", 0, "0 finds"),
    ],
    ids=["unmarked", "marked"],
)
def test_run_that_endangers_a_gateway_fails(tmp_path: Path, marks: str, code: int, summary: str) -> None:
    (tmp_path / "test_it.py").write_text(TESTS.format(marks=marks))
    (tmp_path / "pytest.ini").touch()
    command = [sys.executable, "-m", "pytest", "-p", "tests.plugins.gateway_protection", "-p", "no:randomly"]

    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )

    assert (done.returncode, summary in done.stdout) == (code, True), done.stdout + done.stderr
