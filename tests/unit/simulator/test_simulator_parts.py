"""The small parts: durations, time, file names, tokens, bodies."""

import io

import pytest
from PIL import Image

from simulator import pictures
from simulator.auth import create_token, is_valid, presented_token
from simulator.express import BadRequestError, etag, parse_body
from simulator.pending import Pending
from simulator.sessions import file_name
from simulator.timeline import ManualClock, RunningClock, Timeline
from simulator.times import Times


def test_scale_stretches_defaults_only() -> None:
    times = Times(scale=0.5, auto_close=30)

    assert (times.auto_close, times.qr_first, times.drip) == (30, 30, 0.5)
    assert Times(scale=0.1).auto_close == pytest.approx(6)


@pytest.mark.parametrize("durations", [{"scale": 0}, {"sync": -1}])
def test_impossible_durations_are_refused(durations: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Times(**durations)


def test_timers_run_in_order_at_their_own_moments() -> None:
    clock = ManualClock(0)
    timeline = Timeline(clock)
    ran: list[tuple[str, float]] = []
    timeline.later(2, lambda: ran.append(("second", timeline.now)))
    timeline.later(1, lambda: timeline.later(0.5, lambda: ran.append(("first", timeline.now))))
    timeline.later(1, lambda: ran.append(("cancelled", timeline.now))).cancel()

    clock.move_to(10)
    timeline.advance()

    assert ran == [("first", 1.5), ("second", 2.0)]
    assert timeline.seconds_to_next() is None


def test_running_clock_runs_with_the_machine_s_and_goes_on_from_where_it_was_moved() -> None:
    machine = ManualClock(5)
    clock = RunningClock(machine)

    clock.move_to(100)
    clock.move_to(50)
    machine.move_to(7)

    assert clock() == 102


def test_pending_value_is_set_once() -> None:
    pending: Pending[int] = Pending()
    heard: list[int] = []
    pending.add_listener(heard.append)

    pending.set(1)
    pending.set(2)

    assert (pending.value, heard) == (1, [1])


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ("a/b", "ab"),
        ("a*b?", "ab"),
        ("CON", ""),
        ("name.", "name"),
        ("..%2f", "..%2f"),
        ("with space", "with space"),
    ],
)
def test_token_file_drops_what_file_names_cannot_hold(session: str, expected: str) -> None:
    assert file_name(session) == expected


def test_token_is_bound_to_session_and_secret() -> None:
    token = create_token("sales", "s3cret", cost=4)

    assert is_valid("sales", "s3cret", token)
    assert not is_valid("sales", "other", token)
    assert not is_valid("support", "s3cret", token)
    assert not is_valid("sales", "s3cret", "garbage")
    assert "/" not in token


def test_only_the_first_72_bytes_count() -> None:
    name = "x" * 72

    assert is_valid(name, "any secret", create_token(name, "s3cret", cost=4))


@pytest.mark.parametrize(
    ("segment", "header", "expected"),
    [
        ("a", "Bearer t", ("a", "t")),
        ("a", "Whatever t", ("a", "t")),
        ("a", "Bearer  t", ("a", None)),
        ("a", "t", ("a", None)),
        ("a", None, ("a", None)),
        ("a:p", "Bearer t", ("a", "p")),
        ("a:b:c", None, ("a", "b")),
    ],
)
def test_token_is_found_where_the_server_looks(
    segment: str, header: str | None, expected: tuple[str, str | None]
) -> None:
    assert presented_token(segment, header) == expected


@pytest.mark.parametrize("content", [b"null", b'"text"', b"{bad", b"7"])
def test_bare_and_broken_json_is_refused(content: bytes) -> None:
    with pytest.raises(BadRequestError) as refusal:
        parse_body("application/json", content)

    assert refusal.value.response.status == 400


@pytest.mark.parametrize(
    ("content_type", "content", "expected"),
    [
        ("application/json", b"", {}),
        ("application/json", b"[]", {}),
        ("text/plain", b'{"a":1}', {}),
        ("application/json; charset=utf-8", b'{"a":1}', {"a": 1}),
        ("application/x-www-form-urlencoded", b"waitQrCode=false", {"waitQrCode": "false"}),
    ],
)
def test_bodies_are_read_as_express_does(content_type: str, content: bytes, expected: dict) -> None:
    assert parse_body(content_type, content) == expected


def test_etag_is_the_recorded_one() -> None:
    assert etag(b'{"status":"CLOSED","qrcode":null}') == 'W/"21-jYONimOW3Zixm9Lfg2Ff9Ydr3XA"'


def test_pictures_have_the_recorded_widths() -> None:
    urlcode = pictures.new_urlcode()

    small, large = (Image.open(io.BytesIO(png(urlcode))) for png in (pictures.small_png, pictures.large_png))

    assert (small.size, large.size) == ((292, 292), (500, 500))
