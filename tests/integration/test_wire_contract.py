"""Replay what was recorded on a real server against the simulator, so that the two cannot drift.

Each file of `data/wire/` is one story: the steps that lead from state to state, and the recorded lines that
are asked on the way. Time is a manual clock: nothing happens between two steps.
"""

import http.client
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from simulator import ManualClock, Simulator, Times
from tests.support.waiting import until

_WIRE = Path(__file__).parents[1] / "data" / "wire"
STORIES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(_WIRE.glob("*.json"))}
RECORDED_LINES = 424

NOT_REPLAYED: dict[int, str] = {}
"""Recorded line -> why it cannot be asked of the simulator."""

_HANG_SECONDS = 0.3
_PATIENCE_SECONDS = 60.0
_BY_CHANCE = ("token", "full", "uptime", "timestamp", "phoneCode", "urlcode")


@pytest.mark.endangers_gateway("replays what a real gateway was asked for when it was recorded")
@pytest.mark.parametrize("name", STORIES)
def test_recorded_story_is_told_alike(name: str) -> None:
    story = STORIES[name]

    with replaying(story) as replay:
        for step, *details in story["steps"]:
            getattr(replay, step)(*details)

        assert sorted(replay.replayed) == sorted(record["line"] for record in story["requests"])
        assert_events_occur(story["events"], replay.simulator.events())


def test_no_recorded_line_is_lost() -> None:
    requests = [record["line"] for story in STORIES.values() for record in story["requests"]]
    events = [record["line"] for story in STORIES.values() for record in story["events"]]

    assert sorted([*requests, *events, *NOT_REPLAYED]) == list(range(1, RECORDED_LINES + 1))


class Replay:
    """The steps of a story, by the names that the story files use."""

    def __init__(self, simulator: Simulator, story: dict[str, Any], pool: ThreadPoolExecutor) -> None:
        self.simulator = simulator
        self.replayed: list[int] = []
        self._records = {record["line"]: record for record in story["requests"]}
        self._session: str = story["session"]
        self._pool = pool

    def __getattr__(self, action: str) -> Callable[[], None]:
        """Anything else is a phone action on the present session."""
        act: Callable[[str], None] = getattr(self.simulator, action)
        return lambda: act(self._session)

    def lines(self, first: int, last: int) -> None:
        """Ask recorded lines one after the other and compare."""
        for line in range(first, last + 1):
            record = self._records[line]
            answer = self._ask(record)
            if record.get("hang"):
                assert_hangs(answer, line)
            elif record["status"] is None:
                assert isinstance(answer.exception(_PATIENCE_SECONDS), ConnectionRefusedError)
            else:
                assert_like_recorded(record, answer.result(_PATIENCE_SECONDS), self.simulator.secret_key)
            self.replayed.append(line)

    def wait(self, line: int) -> None:
        """Ask a recorded line whose answer takes time, and let time pass until it is there."""
        answer = self._ask(self._records[line])
        result = self._pass_time_until_done(answer)
        assert_like_recorded(self._records[line], result, self.simulator.secret_key)
        self.replayed.append(line)

    def cut(self, line: int) -> None:
        """Ask a line that hangs until the process ends: the connection closes without a byte (section 8)."""
        answer = self._ask(self._records[line])
        assert_hangs(answer, line)
        self.simulator.stop_gateway()
        assert isinstance(answer.exception(_PATIENCE_SECONDS), ConnectionError)
        self.replayed.append(line)

    def until(self, status: str) -> None:
        """Let time pass until the gateway says so."""
        for _ in range(1000):
            if self.simulator.state(self._session)["status"] == status:
                return
            self.simulator.advance(0.5)
        pytest.fail(f"{self._session} never became {status}: {self.simulator.state(self._session)}")

    def until_stopped(self) -> None:
        """Wait until the gateway process is gone."""

        def is_gone() -> bool:
            try:
                self._request("GET", "/healthz", {}, None)
            except ConnectionError:
                return True
            return False

        until(is_gone, what="the end of the gateway process")

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.simulator.advance(seconds)

    def use(self, session: str) -> None:
        """Go on with another session."""
        self._session = session

    def send(self, endpoint: str, body: dict[str, Any] | None = None) -> None:
        """Do something on the way that is not compared."""
        headers = {"Authorization": f"Bearer {self.simulator.token(self._session)}"}
        content = None if body is None else json.dumps(body).encode()
        headers |= {} if body is None else {"Content-Type": "application/json"}
        path = f"/api/{quote(self._session, safe='')}/{endpoint}"
        answer = self._pool.submit(self._request, "POST", path, headers, content)
        assert self._pass_time_until_done(answer)[0] == 200

    def send_as(self, session: str, endpoint: str, body: dict[str, Any]) -> None:
        """The same for a session in passing."""
        present, self._session = self._session, session
        self.send(endpoint, body)
        self._session = present

    def enter_code(self) -> None:
        """Type the code that is on the page."""
        self.simulator.enter_code(self._session, str(self.simulator.pairing_code(self._session)))

    def gateway(self, action: str) -> None:
        """Restart, stop or start the gateway process."""
        getattr(self.simulator, f"{action}_gateway")()

    def secret(self, secret_key: str) -> None:
        """Use another secret."""
        self.simulator.change_secret(secret_key)

    def fault(self, kind: str) -> None:
        """Switch a fault of the present session on."""
        self.simulator.set_fault(kind, session=self._session)

    def clear_faults(self) -> None:
        """Switch the faults off."""
        self.simulator.clear_faults()

    def _pass_time_until_done(self, answer: "Future[Answer]") -> "Answer":
        for _ in range(1000):
            try:
                return answer.result(0.1)
            except FutureTimeoutError:
                self.simulator.advance(0.25)
        raise AssertionError("no answer, however much time passes")

    def _ask(self, record: dict[str, Any]) -> "Future[Answer]":
        session = record.get("session", self._session)
        method, template = record["request"].split(" ", 1)
        path = record.get("sent_path", template)
        path = path.replace("{session}", quote(session, safe=""))
        path = path.replace("{secretkey}", quote(self.simulator.secret_key, safe=""))
        times = record.get("repeated", 1)
        headers = dict(record.get("request_headers", {}))
        headers |= {"X-Big": headers["X-Big"] * times} if "X-Big" in headers else {}
        if "Authorization" in headers:
            headers["Authorization"] = f"Bearer {self.simulator.token(session)}"
        body = record.get("request_body")
        if isinstance(body, dict):
            # The recorder's client names the type of such a body just so, which adds `session` (section 4).
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        content = None if body is None else (body * (times if isinstance(body, str) else 1)).encode()
        return self._pool.submit(self._request, method, path, headers, content)

    def _request(self, method: str, path: str, headers: dict[str, str], content: bytes | None) -> "Answer":
        # http.client, because the other clients tidy up paths such as `/api//x`.
        address = urlsplit(self.simulator.url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return response.status, response.headers.get("Content-Type"), response.read()
        finally:
            connection.close()


Answer = tuple[int, str | None, bytes]


@contextmanager
def replaying(story: dict[str, Any]) -> Iterator[Replay]:
    """A simulator in which the first QR code lives 20 s, so that it rotates before the auto-close."""
    simulator = Simulator(
        secret_key="s3cret", clock=ManualClock(), times=Times(qr_first=20), **story.get("setup", {})
    )
    with ThreadPoolExecutor(max_workers=16) as pool, simulator:
        yield Replay(simulator, story, pool)


def assert_hangs(answer: "Future[Answer]", line: int) -> None:
    """No answer while we listen."""
    with pytest.raises(FutureTimeoutError):
        pytest.fail(f"line {line} was answered: {answer.result(_HANG_SECONDS)}")


def assert_like_recorded(record: dict[str, Any], answer: Answer, secret_key: str) -> None:
    """Status, content type and body are the recorded ones, but for what is new each time."""
    status, content_type, content = answer
    recorded = record["body"].replace("{secretkey}", secret_key)
    line = record["line"]

    assert (line, status) == (line, record["status"])
    assert (line, content_type) == (line, record.get("content_type"))
    if recorded.startswith("PNG "):
        assert content.startswith(b"\x89PNG\r\n\x1a\n"), line
    elif record.get("body_truncated") and "json" in content_type:
        assert_picture_answer(recorded, json.loads(content), line)
    elif record.get("body_truncated"):
        assert content.decode().split("\n")[:3] == recorded.split("\n")[:3], line
    elif "at JSON.parse" in recorded or "at readStream" in recorded:
        # A stack trace of the recorded machine: the name of the error is what counts.
        assert re.search(r"<pre>(\w+):", content.decode())[1] == re.search(r"<pre>(\w+):", recorded)[1], line
    else:
        assert (line, without_chance(content.decode())) == (line, without_chance(recorded))


def assert_picture_answer(recorded: str, body: dict[str, Any], line: int) -> None:
    """The recording ends inside the picture: its beginning, and the keys that section 5 names."""
    known = re.match(r'\{"status":"(\w+)","qrcode":"(data:image/png;base64,)?(iVBORw0KGgo)', recorded)
    assert known is not None, line
    is_start = known[1] == "qrcode"
    assert body["status"] == known[1], line
    assert body["qrcode"].startswith((known[2] or "") + known[3]), line
    assert body["urlcode"].startswith("2@"), line
    keys = ["status", "qrcode", "urlcode"] + ([] if is_start else ["version"])
    assert [key for key in body if key != "session"] == keys, line


def without_chance(text: str) -> Any:
    """The body with its order of keys, and with types instead of the values that are new each time."""
    packet = text.removeprefix("0") if text.startswith('0{"sid"') else text
    try:
        body = json.loads(packet)
    except ValueError:
        return text
    if not isinstance(body, dict):
        return body
    chance = (*_BY_CHANCE, "sid")
    return [(key, type(value).__name__ if key in chance else value) for key, value in body.items()]


def assert_events_occur(recorded: list[dict[str, Any]], events: list[Any]) -> None:
    """The recorded events came in their order; others, which the recorder left out, may lie between."""
    for channel, kind in (("webhook", dict), ("socket.io", list)):
        wanted = [event_shape(one["body"]) for one in recorded if one["event_channel"] == channel]
        missing = list(wanted)
        for event in events:
            if isinstance(event, kind) and missing and event_shape(event) == missing[0]:
                missing.pop(0)
        assert missing == [], [event_shape(event) for event in events if isinstance(event, kind)]


def event_shape(body: Any) -> Any:
    """What an event is and which fields it has, in a form that shows well when it is missing."""
    if isinstance(body, list):
        name, data = body
        return name, sorted(data) if isinstance(data, dict) else data
    literal = {
        key: body[key] for key in ("event", "session", "status", "connected", "message") if key in body
    }
    return literal, sorted(body)
