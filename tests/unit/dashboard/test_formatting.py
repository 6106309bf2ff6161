"""Values to text."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from page_world import NOW, ago, session

from core.exceptions import SettingProblem
from core.gateways.wppconnect.contract.credentials import WRONG_TOKENS
from core.messages import Message, render
from core.messages.operation import OUTCOMES
from core.models import EndToEnd, Healing, Outcome, QrCode, Reason
from dashboard import formatting
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import translator
from dashboard.words import NO_END_TO_END

FORMATTER = LocaleFormatter(now=NOW, zone=ZoneInfo("Europe/Lisbon"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(-3, "0 s", id="clocks that differ give nothing negative"),
        pytest.param(8.9, "8 s", id="seconds"),
        pytest.param(60, "1 min", id="a minute"),
        pytest.param(3599, "59 min", id="almost an hour"),
        pytest.param(3 * 3600 + 5 * 60, "3 h 5 min", id="hours and minutes"),
        pytest.param(2 * 3600, "2 h", id="whole hours"),
        pytest.param(2 * 86400 + 4 * 3600 + 59, "2 d 4 h", id="days and hours"),
    ],
)
def test_a_span_is_told_by_its_two_largest_units(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


def test_a_moment_of_today_needs_no_date() -> None:
    assert FORMATTER.moment(ago(hours=2)) == "12:00"


def test_a_moment_of_another_day_has_its_date_in_the_readers_zone() -> None:
    formatter = LocaleFormatter(now=NOW, zone=ZoneInfo("Asia/Tokyo"))

    assert formatter.moment(ago(hours=2)) == "21:00"
    assert formatter.moment(ago(days=2, hours=-5)) == "22 Nov, 04:00"


def test_the_exact_moment_has_seconds_and_zone() -> None:
    assert FORMATTER.exactly(ago(hours=2)) == "23 Nov 2026 12:00:00 GMT+00:00"


def test_a_lost_session_tells_why_it_is_down_and_why_it_was_lost() -> None:
    lost = session(reason=Reason.CODE_EXPIRED, lost_reason=Reason.GATEWAY_RESTARTED)

    assert formatting.reason(FORMATTER, lost) == (
        "A code was shown, and no phone was linked in time. Cause of the outage: The gateway was restarted."
    )


def test_the_same_reason_is_not_told_twice() -> None:
    lost = session(reason=Reason.GATEWAY_RESTARTED, lost_reason=Reason.GATEWAY_RESTARTED)

    assert formatting.reason(FORMATTER, lost) == "The gateway was restarted."


def test_paused_sessions_do_not_count_as_problems() -> None:
    sessions = [session("a", "connected"), session("b", "paused")]

    assert formatting.summary(FORMATTER, sessions) == "All 1 connected"


@pytest.mark.parametrize(
    ("known", "told"),
    [
        pytest.param(None, "", id="the check is off"),
        pytest.param(EndToEnd(), "", id="not checked yet"),
        pytest.param(EndToEnd(passed_at=ago(hours=2)), "WhatsApp last answered 12:00", id="checked"),
        pytest.param(EndToEnd(is_possible=False), NO_END_TO_END, id="an account without a number"),
    ],
)
def test_the_latest_answer_of_whatsapp_is_told(known: EndToEnd | None, told: str) -> None:
    assert formatting.last_answer(FORMATTER, session(end_to_end=known)) == told


@pytest.mark.parametrize(
    ("healing", "told"),
    [
        pytest.param(None, "", id="switched off"),
        pytest.param(Healing(), "Self-healing will restart the session at 14:01: attempt 1 of 3.", id="soon"),
        pytest.param(
            Healing(tries=1, tried_at=ago(minutes=1)),
            "Self-healing is restarting the session: attempt 1 of 3.",
            id="at it",
        ),
        pytest.param(
            Healing(tries=1, tried_at=ago(minutes=5), ended_at=ago(minutes=1), outcome="failed"),
            "Self-healing will restart the session at 14:01: attempt 2 of 3.",
            id="between two tries",
        ),
        pytest.param(
            Healing(tries=3, tried_at=ago(minutes=5), ended_at=ago(minutes=1), outcome="failed"),
            "Self-healing restarted the session 3 times without success. It needs your attention.",
            id="given up",
        ),
        pytest.param(
            Healing(tries=1, tried_at=ago(minutes=5), ended_at=ago(minutes=1), outcome="needs_pairing"),
            "Self-healing cannot help: the session needs a phone.",
            id="needs a phone",
        ),
    ],
)
def test_what_self_healing_does_is_told(healing: Healing | None, told: str) -> None:
    lost = session(
        verdict="unresponsive",
        since=NOW,
        lost_at=ago(minutes=6),
        lost_reason=Reason.PAGE_NOT_ANSWERING,
        healing=healing,
    )

    assert formatting.healing(FORMATTER, lost) == told


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"verdict": "connected"}, id="connected"),
        pytest.param({"lost_at": ago(minutes=6), "lost_reason": Reason.CLOSED_ON_GATEWAY}, id="unlinked"),
    ],
)
def test_self_healing_is_not_mentioned_where_it_has_no_part(fields: dict[str, Any]) -> None:
    assert formatting.healing(FORMATTER, session(**fields, healing=Healing())) == ""


def test_a_session_without_a_connection_ever_says_so() -> None:
    assert formatting.last_connected(FORMATTER, session(last_connected=None)) == "Never connected"


@pytest.mark.parametrize(
    ("life", "age", "left"), [(60, 0, 60), (60, 59, 1), (60, 70, 0), (20, 0, 20), (20, 21, 0), (20, 5, 15)]
)
def test_a_code_lives_as_long_as_its_kind_says(life: float, age: int, left: int) -> None:
    code = QrCode(payload="2@a", first_seen=ago(seconds=age), life_seconds=life)

    assert formatting.code_seconds_left(FORMATTER, code) == left


def test_a_countdown_never_shows_zero_before_its_end() -> None:
    assert formatting.seconds_until(FORMATTER, NOW + timedelta(seconds=0.4)) == 1
    assert formatting.seconds_until(FORMATTER, NOW) is None
    assert formatting.seconds_until(FORMATTER, None) is None


@pytest.mark.parametrize("code", ["K7WM2QXA", "K7WM-2QXA"])
def test_a_pairing_code_is_split_four_and_four(code: str) -> None:
    assert formatting.pairing_code_groups(code) == ("K7WM", "2QXA")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("interval_seconds", "Interval"),
        ("servers.main.url", "main, Address"),
        ("servers.main.sessions.sales.enabled", "main, sales, Checked"),
        ("servers.main.sessions", "main, Sessions"),
    ],
)
def test_a_setting_is_called_by_its_name_on_the_page(path: str, name: str) -> None:
    assert formatting.settings_field(translator("en"), path) == name


def test_a_problem_of_the_settings_is_translated_with_its_field() -> None:
    told = formatting.settings_problem(
        translator("pt_PT"), SettingProblem("servers.main.url", Message("setting.address_of_other_scheme"))
    )

    assert told == "main, Endereço: tem de começar por http:// ou https://"


@pytest.mark.parametrize("locale", ["pt_PT", "pt_BR"])
@pytest.mark.parametrize(
    "text",
    [
        *(Message(one) for one in WRONG_TOKENS.values()),
        Message.of("setting.token_for_one_session", count=2),
        Message("setting.token_of_another_session"),
        Message.of("setting.name_odd", name="a b"),
        Message.of("setting.name_collides", name="length"),
        Message("setting.name_unusable"),
    ],
    ids=lambda text: str(text.id),
)
def test_a_refused_name_or_token_is_told_in_the_readers_language(locale: str, text: Message) -> None:
    _ = translator(locale)

    told = formatting.settings_problem(_, SettingProblem("servers.main.token", text))

    assert told == f"{formatting.settings_field(_, 'servers.main.token')}: {render(text, _)}"
    assert render(text, _) != str(text)


def test_a_problem_that_the_page_does_not_know_is_told_as_it_is() -> None:
    odd = SettingProblem("servers.main.url", "odd")
    assert formatting.settings_problem(translator("pt_PT"), odd) == "main, Endereço: odd"
    assert formatting.settings_problem(translator("pt_PT"), "no path at all") == "no path at all"


def test_codes_that_the_page_does_not_know_are_shown_rather_than_lost() -> None:
    assert formatting.step(FORMATTER, "new_step") == "new_step"
    new = Outcome(ok=False, code="new_code", message="English sentence.", at=NOW)
    assert formatting.outcome(FORMATTER, new) == "English sentence."


def test_the_end_of_an_operation_is_explained_by_what_the_gateway_asked_for() -> None:
    explanation = Message.of("transport.left_alone", seconds=30)
    reader = LocaleFormatter(now=NOW, locale="pt_PT")
    told = Outcome(ok=False, code="asked_to_wait", message="", explanation=explanation, at=NOW)

    assert formatting.outcome(reader, told) == render(explanation, translator("pt_PT"))
    plain = told.model_copy(update={"explanation": Message.plain("no id")})
    assert formatting.outcome(FORMATTER, plain) == OUTCOMES["asked_to_wait"]


def test_names_are_sorted_by_their_numbers() -> None:
    names = ["extra10", "extra2", "Extra1", "b", "2nd", "extra", "10th"]

    assert sorted(names, key=formatting.by_name) == [
        "2nd",
        "10th",
        "b",
        "extra",
        "Extra1",
        "extra2",
        "extra10",
    ]
