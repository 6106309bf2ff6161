"""Snapshots and wishes for attention, passed between processes."""

from __future__ import annotations

import json
import logging
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from core.exceptions import StoreError
from core.models import QrCode, Reason, ServerSnapshot, SessionSnapshot, Verdict
from core.snapshot import SnapshotExchange
from tests.fakes import FakeClock
from tests.support.snapshots import server_snapshot

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PAYLOAD = "2@live-payload"


def snapshot(server: str = "main", interval_seconds: float = 5.0) -> ServerSnapshot:
    session = SessionSnapshot(
        server=server,
        session="sales",
        enabled=True,
        verdict=Verdict.WAITING_FOR_QR,
        since=NOON,
        qr=QrCode(payload=PAYLOAD, first_seen=NOON),
    )
    return server_snapshot(session, at=NOON, server=server, interval_seconds=interval_seconds)


class CountedSession(SessionSnapshot):
    """A session that counts how often it is encoded."""

    encoded: ClassVar[Counter[str]] = Counter()

    def model_dump_json(self, **options: Any) -> str:
        self.encoded[self.session] += 1
        return super().model_dump_json(**options)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def exchange(directory: Path, clock: FakeClock) -> SnapshotExchange:
    return SnapshotExchange(directory, clock=clock)


def test_only_sessions_that_changed_are_encoded_again(exchange: SnapshotExchange) -> None:
    CountedSession.encoded.clear()
    sessions = [
        CountedSession(server="main", session=f"s{number}", enabled=True, verdict=Verdict.UNKNOWN, since=NOON)
        for number in range(200)
    ]
    exchange.publish(server_snapshot(*sessions, at=NOON))

    sessions[7] = sessions[7].model_copy(update={"verdict": Verdict.CONNECTED})
    del sessions[100]
    changed = server_snapshot(*sessions, at=NOON)
    exchange.publish(changed)
    exchange.publish(changed)

    assert CountedSession.encoded.total() == 201
    published = exchange.read("main")
    assert published is not None
    assert published.model_dump() == changed.model_dump()


def test_a_gateway_without_sessions_is_published(exchange: SnapshotExchange) -> None:
    alone = server_snapshot(at=NOON)

    exchange.publish(alone)

    assert exchange.read("main") == alone


def test_an_earlier_release_reads_what_it_knows(exchange: SnapshotExchange, directory: Path) -> None:
    # Given a session in words that came later, as it is and as it was lost
    words = {"verdict": "linking", "reason": "code_used", "lost_reason": "link_not_completed"}
    session = (
        snapshot()
        .sessions[0]
        .model_copy(
            update={
                "verdict": Verdict.LINKING,
                "reason": Reason.CODE_USED,
                "lost_reason": Reason.LINK_NOT_COMPLETED,
            }
        )
    )

    exchange.publish(server_snapshot(session, at=NOON, server="main", interval_seconds=5.0))

    # Then the file has words of the first release, and we read our own
    (written,) = json.loads((directory / "snapshot-main.json").read_text())["sessions"]
    older = {"verdict": "unknown", "reason": "none", "lost_reason": "code_expired"}
    assert {field: written[field] for field in words} == older
    read = SnapshotExchange(directory).read("main")
    assert read is not None
    assert read.sessions == (session,)


def test_a_word_of_a_later_release_is_unknown() -> None:
    written = snapshot().sessions[0].model_dump(mode="json") | {"verdict": "of_a_later_release"}

    assert SessionSnapshot.model_validate(written).verdict == Verdict.UNKNOWN


def test_what_was_never_published_is_none(exchange: SnapshotExchange, directory: Path) -> None:
    assert exchange.read("main") is None
    assert exchange.attention("main") == {}
    assert not directory.exists()


def test_a_snapshot_is_read_whole_by_another_process(exchange: SnapshotExchange, directory: Path) -> None:
    exchange.publish(snapshot())

    assert SnapshotExchange(directory).read("main") == snapshot()
    assert exchange.read("other") is None


def test_the_last_published_snapshot_counts(exchange: SnapshotExchange, directory: Path) -> None:
    reader = SnapshotExchange(directory)

    def read_after(interval_seconds: float) -> float | None:
        exchange.publish(snapshot(interval_seconds=interval_seconds))
        seen = reader.read("main")
        return seen.interval_seconds if seen else None

    assert [read_after(number / 10) for number in range(10, 60)] == [number / 10 for number in range(10, 60)]


def test_an_unchanged_snapshot_is_parsed_once(exchange: SnapshotExchange) -> None:
    exchange.publish(snapshot())

    assert exchange.read("main") is exchange.read("main")


def test_files_are_private(exchange: SnapshotExchange, directory: Path) -> None:
    exchange.publish(snapshot())
    exchange.ask_attention("main", "sales", NOON + timedelta(seconds=30))

    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in directory.iterdir()} == {"0o600"}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("server", ["../other", "a/b", ".", "..", "Ação ☕", ""])
def test_a_servers_name_never_leaves_the_folder(
    exchange: SnapshotExchange, directory: Path, server: str
) -> None:
    exchange.publish(snapshot(server))

    assert exchange.read(server) == snapshot(server)
    assert len(list(directory.iterdir())) == 2
    assert list(directory.parent.iterdir()) == [directory]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00" * 100, id="zeros"),
        pytest.param(snapshot().model_dump_json().encode()[:-9], id="torn"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"server":"main"}', id="fields missing"),
        pytest.param(
            snapshot().model_dump_json().replace('"schema_number":1', '"schema_number":2').encode(),
            id="of a newer release",
        ),
    ],
)
def test_garbage_is_none_and_is_reported_once_without_its_content(
    exchange: SnapshotExchange, directory: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    exchange.publish(snapshot())
    (directory / "snapshot-main.json").write_bytes(garbage)
    with caplog.at_level(logging.DEBUG, logger="core"):
        assert exchange.read("main") is None
        assert exchange.read("main") is None

    exchange.publish(snapshot())

    assert exchange.read("main") == snapshot()
    assert caplog.text.count("shared_file_unreadable") == 1
    assert PAYLOAD not in caplog.text


def test_a_folder_that_cannot_be_read_is_none_and_cannot_be_published_to(
    exchange: SnapshotExchange, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory.write_text("a file")

    assert exchange.read("main") is None
    assert exchange.read("main") is None
    assert exchange.attention("main") == {}
    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        exchange.publish(snapshot())
    assert caplog.text.count("snapshot-main.json") == 1


def test_attention_is_seen_by_another_process_until_its_time_is_over(
    exchange: SnapshotExchange, directory: Path, clock: FakeClock
) -> None:
    holder = SnapshotExchange(directory, clock=clock)
    exchange.ask_attention("main", "sales", NOON + timedelta(seconds=30))
    holder.ask_attention("main", "support", NOON + timedelta(seconds=60))

    assert holder.attention("main") == {
        "sales": NOON + timedelta(seconds=30),
        "support": NOON + timedelta(seconds=60),
    }
    assert holder.attention("other") == {}
    clock.moment = NOON + timedelta(seconds=30)
    assert holder.attention("main") == {"support": NOON + timedelta(seconds=60)}


def test_attention_is_prolonged_but_never_shortened(exchange: SnapshotExchange) -> None:
    exchange.ask_attention("main", "sales", NOON + timedelta(seconds=30))
    exchange.ask_attention("main", "sales", NOON + timedelta(seconds=10))
    exchange.ask_attention("main", "sales", NOON + timedelta(seconds=40))

    assert exchange.attention("main") == {"sales": NOON + timedelta(seconds=40)}


def test_past_wishes_do_not_pile_up(exchange: SnapshotExchange, directory: Path, clock: FakeClock) -> None:
    exchange.ask_attention("main", "sales", NOON + timedelta(seconds=30))
    clock.moment = NOON + timedelta(seconds=31)

    exchange.ask_attention("main", "support", NOON + timedelta(seconds=60))

    assert "sales" not in (directory / "attention-main.json").read_text()


@pytest.mark.parametrize(
    "garbage", [b"", b"[]", b'{"sales": 3}', b'{"sales": "2099-01-01T00:00:00"}'], ids=repr
)
def test_garbage_wishes_are_none_and_are_replaced(
    exchange: SnapshotExchange, directory: Path, garbage: bytes
) -> None:
    directory.mkdir()
    (directory / "attention-main.json").write_bytes(garbage)
    assert exchange.attention("main") == {}

    exchange.ask_attention("main", "sales", NOON + timedelta(seconds=30))

    assert list(exchange.attention("main")) == ["sales"]
