"""What is concluded from observations, in which order they may come, and what of it is written down."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from watched_gateway import SERVER, FailingHistory, FakeClient, ledger_of, server_settings, settings_of

from core.exceptions import StoreError
from core.models import HistoryEntry, Observation, Problem, Reason, SessionSnapshot, SessionState, Verdict
from core.monitor.history_writer import UNWRITTEN_LIMIT
from core.monitor.probe import GatewayObservation, Listing
from core.monitor.recovery import first_server_snapshot
from core.monitor.state import GatewayState
from core.uptime.timeline import NO_GAP
from core.uptime.verdict_log import write_transition
from tests.fakes import FakeClock


class Book:
    """A ledger of one session, and what it was made from."""

    def __init__(self, directory: Path, **fields: Any) -> None:
        self.clock, self.client = FakeClock(), FakeClient("sales")
        self.server = server_settings("sales")
        self.history = FailingHistory(directory / "history")
        known = {"history": self.history, **fields}
        self.state: GatewayState = ledger_of(directory, self.server, self.client, self.clock, **known)

    def see(self, state: SessionState | None = None, *, began: datetime | None = None, **fields: Any) -> None:
        """Take in a probe that ends now."""
        now = self.clock()
        self.state.take_session(
            "sales", Observation(started_at=began or now, observed_at=now, state=state, **fields)
        )

    def see_connected(self) -> None:
        self.see(SessionState.CONNECTED, page_answers=True)

    def session(self) -> SessionSnapshot:
        return self.state.snapshot().sessions[0]

    def transitions(self) -> list[tuple[object, object]]:
        self.state.history.write()
        entries = self.history.read(server=SERVER, session="sales", kinds=["transition"])
        return [(entry.data["from"], entry.data["to"]) for entry in entries]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


class TestOrder:
    def test_an_overtaken_probe_is_not_believed(self, book: Book) -> None:
        began = book.clock()
        book.clock.advance(5)
        book.see(SessionState.CLOSED, has_session_object=False)

        book.see(SessionState.CONNECTED, began=began, page_answers=True)

        assert book.session().verdict == Verdict.DISCONNECTED

    @pytest.mark.parametrize(
        ("page", "verdict"),
        [
            ({"page_answers": True}, Verdict.CONNECTED),
            ({"page_answers": False}, Verdict.UNRESPONSIVE),
            ({"page_timed_out": True}, Verdict.UNRESPONSIVE),
            ({}, Verdict.STARTING),
        ],
        ids=["answers", "says no", "is frozen", "was not asked"],
    )
    def test_an_overtaken_patient_probe_tells_of_the_page(
        self, book: Book, page: dict[str, bool], verdict: Verdict
    ) -> None:
        book.see(SessionState.CONNECTED)
        began = book.clock()
        book.clock.advance(2)
        book.see(SessionState.CONNECTED)
        book.clock.advance(2)

        book.see(SessionState.CONNECTED, began=began, **page)

        assert book.session().verdict == verdict

    def test_a_page_that_was_started_anew_is_not_judged_by_the_old_one(self, book: Book) -> None:
        book.see_connected()
        began = book.clock()
        book.clock.advance(2)
        book.see(SessionState.CLOSED, has_session_object=False)
        book.clock.advance(2)
        book.see_connected()
        book.clock.advance(2)

        book.see(SessionState.CONNECTED, began=began, page_timed_out=True)

        assert book.session().verdict == Verdict.CONNECTED

    def test_a_clock_that_is_set_back_does_not_stop_the_news(self, book: Book) -> None:
        book.see_connected()

        book.clock.advance(-3600)
        book.see(SessionState.CLOSED, has_session_object=False)

        assert book.session().verdict == Verdict.DISCONNECTED
        assert book.transitions() == [("connected", "disconnected"), ("unknown", "connected")]

    def test_no_time_is_negative_after_the_clock_was_set_back(self, book: Book) -> None:
        book.see_connected()
        before = book.session()

        book.clock.advance(-3600)
        book.see(SessionState.CLOSED, has_session_object=False)

        assert write_transition(before, book.session()).data["held_seconds"] == 0


class TestGateway:
    def test_a_smaller_uptime_is_a_restart(self, book: Book) -> None:
        book.state.take_gateway(GatewayObservation(up=True, uptime_seconds=1000.0))
        book.clock.advance(60)

        book.state.take_gateway(GatewayObservation(up=True, uptime_seconds=20.0))

        gateway = book.state.snapshot()
        assert gateway.restarted_at == gateway.started_at == book.clock() - timedelta(seconds=20)

    def test_a_growing_uptime_is_none(self, book: Book) -> None:
        book.state.take_gateway(GatewayObservation(up=True, uptime_seconds=1000.0))
        book.clock.advance(5)

        book.state.take_gateway(GatewayObservation(up=True, uptime_seconds=1005.0))

        assert book.state.snapshot().restarted_at is None

    def test_a_gateway_that_tells_no_uptime_is_never_restarted(self, book: Book) -> None:
        book.state.take_gateway(GatewayObservation(up=True))

        gateway = book.state.snapshot()
        assert (gateway.up, gateway.started_at, gateway.restarted_at) == (True, None, None)

    def test_a_session_lost_with_the_gateway_says_so(self, book: Book) -> None:
        book.see_connected()
        problem = Problem(kind="ConnectError", message="refused", at=book.clock())

        book.state.take_gateway(GatewayObservation(up=False, problem=problem))

        assert (book.session().verdict, book.session().lost_reason) == (
            Verdict.UNREACHABLE,
            Reason.GATEWAY_UNREACHABLE,
        )

    def test_a_browser_that_a_restart_started_again_has_its_own_four_minutes(self, book: Book) -> None:
        book.state.take_gateway(GatewayObservation(up=True, uptime_seconds=1000.0))
        book.see(SessionState.INITIALIZING, has_session_object=True)
        book.clock.advance(230)
        book.state.take_gateway(GatewayObservation(up=True, uptime_seconds=5.0))
        book.clock.advance(20)

        book.see(SessionState.INITIALIZING, has_session_object=True)

        assert book.session().verdict == Verdict.STARTING

    def test_a_listing_that_failed_changes_nothing(self, book: Book) -> None:
        book.state.take_listing(Listing(secret_key_valid=True))

        book.state.take_listing(Listing())

        assert book.state.snapshot().secret_key_valid is True


class TestAge:
    def test_silence_makes_a_session_unknown_once(self, book: Book) -> None:
        book.see_connected()
        book.clock.advance(36)

        book.state.judge_age()
        book.state.judge_age()

        assert (book.session().verdict, book.session().reason) == (Verdict.UNKNOWN, Reason.STALE)
        assert book.transitions() == [("unknown", "connected"), ("connected", "unknown")]

    def test_a_browser_that_starts_for_too_long_is_stuck(self, book: Book) -> None:
        book.see(SessionState.INITIALIZING, has_session_object=True)
        book.clock.advance(220)
        book.see(SessionState.INITIALIZING, has_session_object=True)
        book.clock.advance(21)

        book.state.judge_age()

        assert book.session().verdict == Verdict.STUCK

    def test_a_session_that_was_never_seen_stays_as_it_is(self, book: Book) -> None:
        book.clock.advance(3600)

        book.state.judge_age()

        assert book.transitions() == []


class TestNews:
    def test_a_second_look_at_the_same_is_none(self, book: Book) -> None:
        book.see_connected()
        book.state.snapshot()

        book.see_connected()

        assert not book.state.has_news

    def test_a_new_qr_code_is(self, book: Book) -> None:
        book.see(SessionState.QRCODE, qr_payload="2@a")
        book.state.snapshot()

        book.see(SessionState.QRCODE, qr_payload="2@b")

        assert book.state.has_news

    def test_everything_of_a_watched_session_is(self, book: Book) -> None:
        book.state.watched = {"sales": book.clock() + timedelta(seconds=30)}
        book.see_connected()
        book.state.snapshot()

        book.see_connected()

        assert book.state.has_news


class TestDisk:
    def test_counters_that_cannot_be_read_keep_their_last_value(self, book: Book) -> None:
        book.client.tokens.counted = {"token_rejected": 3}
        book.see_connected()
        book.client.tokens.error = StoreError("cannot read the tokens")

        book.see_connected()

        assert book.session().auth_failures == {"token_rejected": 3}

    def test_what_cannot_be_written_is_kept_up_to_a_limit(self, book: Book) -> None:
        book.history.is_full = True
        book.see_connected()
        book.state.history.write()
        assert UNWRITTEN_LIMIT == 10_000

        book.history.is_full = False

        assert book.transitions() == [("unknown", "connected")]
        assert book.transitions() == [("unknown", "connected")]

    def test_a_history_that_cannot_be_read_does_not_stop_a_prober(self, tmp_path: Path) -> None:
        class Unreadable(FailingHistory):
            def latest(self, *_: object, **__: object) -> None:
                raise StoreError("cannot read the history")

        book = Book(tmp_path, history=Unreadable(tmp_path / "history"))

        assert book.session().verdict == Verdict.UNKNOWN


class FollowedHistory(FailingHistory):
    """A history that remembers how far back it was looked into."""

    looked_since: tuple[datetime | None, ...] = ()

    def latest(
        self, server: str | None, session: str | None, kind: str, *, since: datetime | None = None
    ) -> HistoryEntry | None:
        self.looked_since += (since,)
        return super().latest(server, session, kind, since=since)


def test_a_list_that_says_the_same_again_is_no_news(tmp_path: Path) -> None:
    book = Book(tmp_path)
    listing = Listing(secret_key_valid=True, default_secret=False, names=frozenset({"sales"}))
    book.state.take_listing(listing)
    before = book.state.snapshot()

    book.state.take_listing(listing)

    assert not book.state.has_news
    assert book.state.session("sales") is before.sessions[0]
    book.state.take_listing(Listing(names=frozenset()))
    assert book.state.has_news
    assert book.state.session("sales").is_listed is False


def test_a_prober_that_was_killed_before_it_published_is_caught_up_with(tmp_path: Path) -> None:
    history = FollowedHistory(tmp_path / "history")
    first = Book(tmp_path, history=history)
    first.see_connected()
    published = first.state.snapshot()
    first.clock.advance(2)
    first.see(SessionState.CLOSED)
    first.state.history.write()

    second = Book(tmp_path, history=history, before=published)

    assert (published.sessions[0].verdict, second.session().verdict) == (
        Verdict.CONNECTED,
        Verdict.DISCONNECTED,
    )
    assert history.looked_since == (None, published.published_at - NO_GAP)


def test_probe_counters_go_on_in_the_same_process_only(tmp_path: Path) -> None:
    first = Book(tmp_path)
    first.state.durations.observe(0.1)
    before = first.state.snapshot()

    same = Book(tmp_path, before=before).state.snapshot()
    other = Book(tmp_path, before=before, holder="tests[2]").state.snapshot()

    assert (same.probe_seconds.buckets[-1], other.probe_seconds.buckets[-1]) == (1, 0)


def test_what_is_true_of_a_gateway_outlives_its_prober(tmp_path: Path) -> None:
    server = server_settings("sales")
    first = first_server_snapshot(server, settings_of(server), holder="tests[1]", now=FakeClock()())
    before = first.model_copy(update={"version": "2.10.4", "uptime_seconds": 9.0, "up": True})

    after = Book(tmp_path, before=before, holder="tests[2]").state.snapshot()

    assert (after.version, after.uptime_seconds, after.up) == ("2.10.4", 9.0, None)
    assert after.holder == "tests[2]"


def test_a_session_that_is_removed_is_measured_no_more(tmp_path: Path) -> None:
    first = Book(tmp_path)
    first.see_connected()
    left = first.state.snapshot()
    first.state.history.write()

    empty = ledger_of(
        tmp_path, server_settings(), first.client, first.clock, before=left, history=first.history
    )
    empty.history.write()
    again = Book(tmp_path, before=empty.snapshot())

    assert again.transitions()[-2:] == [("connected", "paused"), ("paused", "unknown")]


def test_a_restart_of_the_prober_after_a_while_is_no_outage(tmp_path: Path) -> None:
    first = Book(tmp_path)
    first.see_connected()

    clock = first.clock
    clock.advance(600)
    second = Book(tmp_path, before=first.state.snapshot(), now=clock)
    second.clock = clock
    second.state.judge_age()
    doubted = second.session()
    second.see_connected()

    assert (doubted.verdict, second.session().verdict) == (Verdict.UNKNOWN, Verdict.CONNECTED)
    assert second.session().disconnects == {}
