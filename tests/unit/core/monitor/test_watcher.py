"""The schedule of probes, turn by turn on clocks that only jump."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from watched_gateway import SERVER, FakeClient, Probing, probing, server_settings

from core.exceptions import ConnectError, RequestTimeoutError
from core.models import Reason, SessionState, Verdict
from core.settings.values import ServerSettings


def names(count: int) -> list[str]:
    return [f"s{number}" for number in range(count)]


def test_a_session_is_probed_once_an_interval(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.advance(5)

    main.client.calls.clear()
    main.advance(50)

    assert main.client.calls["status sales"] == 10
    assert main.client.calls["health"] == 10
    assert main.client.calls["listing"] == 0
    assert main.session().verdict == Verdict.CONNECTED


def test_the_first_round_is_at_once(tmp_path: Path) -> None:
    main = probing(tmp_path, *names(20))

    main.advance(1)

    assert min(main.client.calls[f"status {name}"] for name in names(20)) == 1


@pytest.mark.parametrize("resumed", [False, True], ids=["from nothing", "from a predecessor's snapshot"])
def test_later_rounds_are_spread_over_the_interval(tmp_path: Path, resumed: bool) -> None:
    main = probing(tmp_path, *names(20))
    main.advance(1 + 30 * resumed)
    main.begin("tests[2]")
    main.advance(8)

    bursts = []
    for _ in range(5):
        main.client.calls.clear()
        main.advance(1)
        bursts.append(sum(main.client.calls[f"status {name}"] for name in names(20)))

    assert max(bursts) <= 6


def test_a_watched_session_is_probed_every_second(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales", "support")
    main.advance(5)

    main.exchange.ask_attention(SERVER, "sales", main.clock() + timedelta(seconds=60))
    main.client.calls.clear()
    main.advance(10)

    assert 9 <= main.client.calls["status sales"] <= 11
    assert main.client.calls["status support"] == 2


def test_a_session_that_nobody_watches_any_more_is_probed_at_its_interval(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.exchange.ask_attention(SERVER, "sales", main.clock() + timedelta(seconds=5))
    main.advance(11)

    main.client.calls.clear()
    main.advance(50)

    assert main.client.calls["status sales"] == 10


def test_a_slow_page_goes_to_the_slow_lane_and_only_there(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.client.pages["sales"].answers_after_seconds = 60.0

    main.advance(200)

    assert main.client.calls["quick sales"] == 1
    assert main.client.calls["patient sales"] in range(3, 7)
    assert main.client.calls["status sales"] > 35
    assert main.session().verdict == Verdict.UNRESPONSIVE


def test_a_page_that_thaws_is_noticed_and_asked_quickly_again(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.client.pages["sales"].answers_after_seconds = 60.0
    main.advance(60)

    main.client.pages["sales"].answers_after_seconds = 0.0
    main.client.calls.clear()
    main.advance(75)

    assert main.session().verdict == Verdict.CONNECTED
    assert main.client.calls["quick sales"] > 1


def test_a_page_that_answers_slowly_stays_connected_also_while_it_is_watched(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.client.pages["sales"].answers_after_seconds = 5.0
    main.exchange.ask_attention(SERVER, "sales", main.clock() + timedelta(seconds=600))

    main.advance(120)

    assert main.session().verdict == Verdict.CONNECTED
    assert main.transitions().count(("connected", "unknown")) == 0
    assert main.client.calls["quick sales"] == 1


@pytest.mark.parametrize(("count", "seconds"), [(12, 4.0), (30, 4.0), (8, 9.0)])
def test_many_pages_that_answer_slowly_stay_connected(tmp_path: Path, count: int, seconds: float) -> None:
    main = probing(tmp_path, *names(count))
    main.advance(20)
    for name in names(count):
        main.client.pages[name].answers_after_seconds = seconds

    main.advance(300)

    transitions = [main.transitions(name) for name in names(count)]
    assert transitions == [[("unknown", "connected")]] * count


def test_a_browser_that_dies_among_many_slow_pages_is_noticed_within_their_round(tmp_path: Path) -> None:
    main = probing(tmp_path, *names(12))
    for name in names(12):
        main.client.pages[name].answers_after_seconds = 4.0
    main.advance(120)

    main.client.pages[names(12)[0]].answers = False
    main.advance(12 * 4.0 + 10.0)

    assert main.session(names(12)[0]).verdict == Verdict.UNRESPONSIVE


def test_ten_frozen_pages_of_200_leave_the_interval_of_the_others_alone(tmp_path: Path) -> None:
    main = probing(tmp_path, *names(200), interval_seconds=20.0)
    main.advance(25)
    for name in names(10):
        main.client.pages[name].answers_after_seconds = 60.0
    main.advance(40)

    main.client.calls.clear()
    main.advance(100)

    healthy = [main.client.calls[f"status {name}"] for name in names(200)[10:]]
    assert min(healthy) >= 4
    assert sum(healthy) / len(healthy) == pytest.approx(5, rel=0.03)
    assert {main.session(name).verdict for name in names(10)} == {Verdict.UNRESPONSIVE}
    assert {main.session(name).verdict for name in names(200)[10:]} == {Verdict.CONNECTED}


def test_one_slow_health_check_loses_no_session(tmp_path: Path) -> None:
    main = probing(tmp_path, *names(30))
    main.advance(6)
    main.client.health_errors, main.client.health_seconds = [RequestTimeoutError("late")], 5.0

    main.advance(30)

    published = main.exchange.read(SERVER)
    assert published is not None
    assert published.up is True
    assert [main.transitions(name) for name in names(30)] == [[("unknown", "connected")]] * 30
    assert {one.lost_at for one in published.sessions} == {None}


def test_while_the_gateway_is_down_every_session_is_unreachable_without_a_call(tmp_path: Path) -> None:
    main = probing(tmp_path, *names(30))
    main.advance(6)
    main.client.health_error = ConnectError("refused")
    main.advance(6)

    main.client.calls.clear()
    main.advance(30)

    assert set(main.client.calls) == {"health"}
    assert {main.session(name).verdict for name in names(30)} == {Verdict.UNREACHABLE}


def test_a_gateway_that_is_back_is_probed_at_once(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.client.health_error = ConnectError("refused")
    main.advance(20)

    main.client.health_error = None
    main.advance(6)

    assert main.session().verdict == Verdict.CONNECTED


def test_a_paused_session_is_not_probed(tmp_path: Path) -> None:
    client = FakeClient("sales", "support")
    main = Probing(tmp_path, server_settings("sales", "support", paused=("sales",)), client)

    main.advance(30)

    assert client.calls["status sales"] == 0
    assert client.calls["status support"] == 6
    assert main.session("sales").verdict == Verdict.PAUSED


def test_a_paused_server_is_left_alone_and_still_published(tmp_path: Path) -> None:
    client = FakeClient("sales")
    main = Probing(tmp_path, server_settings("sales", enabled=False), client)

    main.advance(30)

    published = main.exchange.read(SERVER)
    assert client.calls.total() == 0
    assert published is not None
    assert main.clock() - published.published_at <= timedelta(seconds=2.2)


def test_without_a_secret_key_nobody_lists_the_sessions(tmp_path: Path) -> None:
    client = FakeClient("sales")
    main = Probing(tmp_path, server_settings("sales", secret_key=None, token="$2b$04$x"), client)

    main.advance(70)

    assert client.calls["listing"] == 0


def test_thousands_of_token_files_on_the_gateway_are_not_passed_on(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.client.known = tuple(f"session-{number}" for number in range(10_000))

    main.advance(6)

    assert main.client.calls["listing"] == 1
    assert len(main.published().model_dump_json()) < 5000


def test_expensive_tokens_stretch_the_interval(tmp_path: Path) -> None:
    main = probing(tmp_path, *names(20))
    main.client.tokens.token_cost = 10
    main.advance(60)

    main.client.calls.clear()
    main.advance(232)

    # then: 20 sessions, two calls of 58 ms each, at most a tenth of a core
    published = main.exchange.read(SERVER)
    assert published is not None
    assert published.interval_seconds == pytest.approx(23.2)
    assert published.interval_reason == "token_cost"
    assert sum(main.client.calls[f"status {name}"] for name in names(20)) in range(195, 206)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        pytest.param({SERVER, "a", "b"}, (32.0, "own_processor"), id="all are ours"),
        pytest.param({SERVER, "a"}, (16.0, "own_processor"), id="another machine probes one of them"),
        pytest.param({SERVER}, (5.0, ""), id="another machine probes all others"),
    ],
)
def test_sessions_that_this_process_probes_stretch_its_interval(
    ours: set[str], expected: tuple[float, str], tmp_path: Path
) -> None:
    main = probing(tmp_path, "sales")
    others = [server_settings(*names(5_000), name=name) for name in "ab"]
    main.settings = main.settings.model_copy(update={"servers": (main.server, *others)})
    main.begin("tests[1]", is_ours=ours.__contains__)

    main.advance(1)

    published = main.published()
    assert (published.interval_seconds, published.interval_reason) == (
        pytest.approx(expected[0], rel=0.01),
        expected[1],
    )


def test_a_probe_that_breaks_is_repeated_and_hides_nobody(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales", "support")
    main.client.pages["sales"].error = KeyError("a bug")
    main.advance(20)
    assert main.session("support").verdict == Verdict.CONNECTED

    main.client.pages["sales"].error = None
    main.advance(6)

    assert main.session("sales").verdict == Verdict.CONNECTED


def test_a_health_check_that_breaks_is_not_repeated_all_the_time(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    broken: object = KeyError("a bug")
    main.client.health_error = broken  # type: ignore[assignment]

    main.advance(20)

    assert main.client.calls["health"] <= 5


def test_an_answer_that_cannot_be_taken_in_hides_nobody(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.client.tokens.error = KeyError("a bug")
    main.advance(6)

    main.client.tokens.error = None
    main.advance(6)

    assert main.session().verdict == Verdict.CONNECTED


def test_probing_once_publishes_and_records_nothing(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")

    seen = main.watcher.probe_once()

    assert seen.sessions[0].verdict == Verdict.CONNECTED
    assert main.exchange.read(SERVER) is None
    assert main.history.read() == []


def test_probing_a_gateway_once_that_is_down_makes_no_call_for_its_sessions(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.client.health_error = ConnectError("refused")

    seen = main.watcher.probe_once()

    assert seen.sessions[0].verdict == Verdict.UNREACHABLE
    assert set(main.client.calls) == {"health"}


def test_configured_order_is_published_order(tmp_path: Path) -> None:
    server: ServerSettings = server_settings("b", "a")
    main = Probing(tmp_path, server, FakeClient("a", "b"))

    main.advance(1)

    published = main.exchange.read(SERVER)
    assert published is not None
    assert [one.session for one in published.sessions] == ["b", "a"]


def test_a_used_code_is_told_from_a_frozen_page_by_an_answer_in_time(tmp_path: Path) -> None:
    # Given two codes that are not renewed
    main = probing(tmp_path, "used", "frozen")
    for page in main.client.pages.values():
        page.state, page.urlcode, page.answers = SessionState.QRCODE, "2@code", False
    main.client.pages["frozen"].answers_after_seconds = 60

    # Then neither page is asked while a code lives
    main.advance(65)
    assert {main.session(name).verdict for name in ("used", "frozen")} == {Verdict.WAITING_FOR_QR}
    assert not [call for call in main.client.calls if call.startswith(("quick", "patient"))]

    # And each is called what it is once its code is overdue
    main.advance(30)
    used, frozen = main.session("used"), main.session("frozen")
    assert (used.verdict, used.reason) == (Verdict.LINKING, Reason.CODE_USED)
    assert (frozen.verdict, frozen.reason) == (Verdict.UNRESPONSIVE, Reason.PAGE_NOT_ANSWERING)

    # And a link that was not made is counted once, however long its code stays on
    main.advance(300)
    assert (main.session("used").verdict, main.session("used").reason) == (
        Verdict.DISCONNECTED,
        Reason.LINK_NOT_COMPLETED,
    )
    main.client.pages["used"].state = SessionState.CLOSED
    main.advance(10)
    assert main.published().links_not_completed == 1
    assert [after for _, after in main.transitions("used")][-3:] == [
        "waiting_for_qr",
        "linking",
        "disconnected",
    ]
