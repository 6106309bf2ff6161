"""An exporter of fifty gateways ends as one of one gateway does, whatever their calls are doing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore
from tests.support.processes import ROOT, Fork
from tests.support.waiting import until

GATEWAYS = 50
SESSIONS = 4
BODY = json.dumps({"uptime": 1.5, "message": "OK", "timestamp": 1767225600000}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


class Gateways:
    """Fifty addresses below one port, each called a gateway."""

    def __init__(self, *, answers: bool) -> None:
        self.url = ""
        self._answers = answers
        self._asked: set[bytes] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Gateways:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(60)

    @property
    def asked(self) -> int:
        """How many of them were asked something."""
        return len(self._asked)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=512)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._end.wait()
        server.close()
        talks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self._asked.add(head.split(b"/")[1])
                if self._answers:
                    writer.write(ANSWER)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def environment(data: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "WPPCONNECT_DATA_DIR": str(data),
        "WPPCONNECT_INTERVAL_SECONDS": "1",
        "EXPORTER_WEB_LISTEN_ADDRESS": "127.0.0.1:0",
    }


def configure(data: Path, url: str) -> None:
    """Save the gateways as the page does; weak secrets make for dear tokens, which many threads wait for."""
    source = SettingsSource(load_environment(environment(data)), FileStore(data / "store"))
    saved = source.saved()
    for number in range(GATEWAYS):
        name = f"g{number}"
        saved = saved.with_server(name, url=f"{url}/{name}", secret_key=f"secret {number}")
        for session in range(SESSIONS):
            saved = saved.with_session(name, f"s{session}")
    source.save(saved, expected_revision=source.current().revision, actor="test")


@pytest.fixture(params=[True, False], ids=["answering", "hanging"])
def gateways(request: pytest.FixtureRequest) -> Iterator[Gateways]:
    with Gateways(answers=request.param) as running:
        yield running


def test_it_ends_with_code_0_and_without_an_abort(gateways: Gateways, data: Path, tmp_path: Path) -> None:
    configure(data, gateways.url)
    exporter = Fork("exporter.cli", tmp_path / "log", environment(data))
    until(lambda: gateways.asked == GATEWAYS, what="a question to every gateway")

    code = exporter.stop()

    said = exporter.printed()
    assert code == 0, said[-2000:]
    assert "FATAL" not in said
    assert "Traceback" not in said
    assert "exporter_stopped" in said
