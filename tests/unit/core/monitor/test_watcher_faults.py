"""A prober on a disk that is full, and one that takes over from another."""

from __future__ import annotations

from pathlib import Path

import pytest
from watched_gateway import SERVER, probing, server_settings

from core.exceptions import StoreError
from core.models import SessionState, Verdict


class TestFullDisk:
    def test_probing_goes_on_and_this_process_still_sees_it(self, tmp_path: Path) -> None:
        main = probing(tmp_path, "sales")
        main.history.is_full = main.exchange.is_full = True
        main.client.tokens.error = StoreError("cannot read the tokens")

        main.advance(6)

        assert main.watcher.latest is not None
        assert main.watcher.latest.sessions[0].verdict == Verdict.CONNECTED

    def test_what_was_missed_is_written_once_there_is_space(self, tmp_path: Path) -> None:
        main = probing(tmp_path, "sales")
        main.advance(6)
        main.history.is_full = main.exchange.is_full = True
        main.client.pages["sales"].state = SessionState.CLOSED
        main.advance(6)

        main.history.is_full = main.exchange.is_full = False
        main.advance(6)

        assert main.transitions() == [("unknown", "connected"), ("connected", "disconnected")]
        assert main.session().verdict == Verdict.DISCONNECTED

    def test_it_is_told_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        main = probing(tmp_path, "sales")
        main.history.is_full = main.exchange.is_full = True

        main.advance(60)

        assert caplog.text.count("history_not_written") == 1
        assert caplog.text.count("snapshot_not_published") == 1


class TestTakingOver:
    def test_a_transition_stands_in_the_history_before_it_is_published(self, tmp_path: Path) -> None:
        main = probing(tmp_path, "sales")
        main.exchange.is_full = True

        main.advance(1)

        assert main.exchange.read(SERVER) is None
        assert main.transitions() == [("unknown", "connected")]

    def test_one_that_was_written_and_not_published_is_not_written_again(self, tmp_path: Path) -> None:
        # given: killed after the history and before the snapshot
        main = probing(tmp_path, "sales")
        main.client.pages["sales"].state = SessionState.CLOSED
        main.advance(6)
        main.exchange.is_full = True
        main.client.pages["sales"].state = SessionState.CONNECTED
        main.advance(6)
        main.exchange.is_full = False

        main.begin("tests[2]")
        main.advance(6)

        assert main.transitions() == [("unknown", "disconnected"), ("disconnected", "connected")]

    def test_a_successor_goes_on_where_the_last_one_ended(self, tmp_path: Path) -> None:
        main = probing(tmp_path, "sales")
        main.advance(6)
        since = main.session().since

        main.begin("tests[2]")
        main.advance(6)

        assert main.transitions() == [("unknown", "connected")]
        assert main.session().since == since

    def test_a_long_absence_is_a_time_of_which_nothing_is_known(self, tmp_path: Path) -> None:
        main = probing(tmp_path, "sales")
        main.advance(6)
        main.clock.advance(3600)

        main.begin("tests[2]")
        main.advance(6)

        assert main.transitions() == [
            ("unknown", "connected"),
            ("connected", "unknown"),
            ("unknown", "connected"),
        ]

    def test_pausing_and_resuming_stand_in_the_history(self, tmp_path: Path) -> None:
        main = probing(tmp_path, "sales")
        main.advance(6)

        main.server = server_settings("sales", paused=("sales",))
        main.begin("tests[1]")
        main.advance(6)
        main.begin("tests[1]")
        main.advance(6)
        main.server = server_settings("sales")
        main.begin("tests[1]")
        main.advance(6)

        assert main.transitions() == [
            ("unknown", "connected"),
            ("connected", "paused"),
            ("paused", "unknown"),
            ("unknown", "connected"),
        ]

    def test_a_new_holder_is_noted_and_a_change_of_settings_is_not(self, tmp_path: Path) -> None:
        main = probing(tmp_path, "sales")

        for holder in ("tests[1]", "tests[1]", "tests[2]"):
            main.begin(holder)
            main.watcher.begin()
            main.watcher.end()

        entries = main.history.read(kinds=["monitoring"])
        assert [entry.data["holder"] for entry in entries] == ["tests[1]", "tests[2]"]
        assert entries[1].data["last_heartbeat"] is not None
