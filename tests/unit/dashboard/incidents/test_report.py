"""The monthly report of incidents, as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from asgi_browser import Browser
from page_world import FakeCore, FakeSignIns, ago, session
from starlette.applications import Starlette

from core.models import HistoryEntry
from core.uptime.verdict_log import write_transition
from dashboard.incidents.report import month_of, period_of, report_routes

LISBON = ZoneInfo("Europe/Lisbon")


def lose(core: FakeCore, name: str, *, minutes: float, lasted: float, reason: str) -> None:
    """Let a session be lost so many minutes ago, for so many minutes."""
    since, until = ago(minutes=minutes), ago(minutes=minutes - lasted)
    was = session(name, "connected", since=ago(days=1))
    lost = session(name, "disconnected", since=since, reason=reason)
    core.history.append(
        write_transition(was, lost),
        write_transition(lost, session(name, "connected", since=until)),
    )


@pytest.fixture
def outages(core: FakeCore) -> None:
    """Two sessions that were lost with their gateway, and one of them once more."""
    core.shows(session("sales", "connected"), session("support", "connected"))
    for name in ("sales", "support"):
        lose(core, name, minutes=300, lasted=10, reason="gateway_unreachable")
    lose(core, "sales", minutes=100, lasted=4, reason="closed_on_gateway")
    data = {"event": "acknowledged", "reason": "<b>on|it</b>", "until": ago(minutes=0).isoformat()}
    core.history.append(
        HistoryEntry(
            at=ago(minutes=99), kind="alert", server="main", session="sales", actor="ana", data={**data}
        )
    )


def download(form: str, query: str = "month=2026-11", **headers: str) -> str:
    answer = Browser(Starlette(routes=report_routes())).get(f"/incidents.{form}?{query}", **headers)
    assert answer.status == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="incidents-2026-11.{form}"'
    return str(answer.text)


def test_the_spreadsheet_has_figures_by_session_and_cause(core: FakeCore, outages: None) -> None:
    text = download("csv")

    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    figures = ("Incidents", "Minutes", "Mean time to acknowledge (min)", "Mean time to recover (min)")
    assert {(row["Session"], row["Cause"]): tuple(row[name] for name in figures) for row in rows} == {
        ("sales", "gateway down or restarted"): ("1", "10.0", "", "10.0"),
        ("sales", "removed on the phone, or closed elsewhere"): ("1", "4.0", "1.0", "4.0"),
        ("support", "gateway down or restarted"): ("1", "10.0", "", "10.0"),
    }


def test_the_text_has_totals_and_each_incident_with_what_was_done(core: FakeCore, outages: None) -> None:
    text = download("md")

    assert text.startswith("# Incidents: November 2026\n")
    assert "| 2 | 14.0 | 1.0 | 7.0 |" in text
    assert "| main | sales | 2 | 14.0 | 1.0 | 7.0 |" in text
    assert "| gateway down or restarted | 1 | 10.0 |  | 10.0 |" in text
    assert "main: 2 sessions" in text
    # What a person typed is no HTML and ends no cell.
    assert "&lt;b&gt;on\\|it&lt;/b&gt; (ana)" in text


def test_it_is_in_the_language_of_the_user(core: FakeCore, outages: None) -> None:
    text = download("md", **{"accept-language": "pt-BR"})

    assert text.startswith("# Incidentes: novembro de 2026\n")
    assert "## Por causa" in text


def test_a_month_without_an_outage_says_so(core: FakeCore) -> None:
    assert download("md") == "# Incidents: November 2026\n\nNo outages in this month.\n"


@pytest.mark.parametrize("month", ["", "2026-13", "november", "0000-01", "9999-12", "2026-11-01"])
def test_what_is_no_month_is_refused(core: FakeCore, month: str) -> None:
    assert Browser(Starlette(routes=report_routes())).get(f"/incidents.csv?month={month}").status == 400


@pytest.mark.parametrize("form", ["csv", "md"])
def test_without_a_sign_in_there_is_nothing(core: FakeCore, sign_ins: FakeSignIns, form: str) -> None:
    sign_ins.user = None

    assert Browser(Starlette(routes=report_routes())).get(f"/incidents.{form}").status == 401


@pytest.mark.parametrize(
    ("back", "month"), [(0, "2026-11"), (1, "2026-10"), (10, "2026-01"), (11, "2025-12"), (23, "2024-12")]
)
def test_months_are_counted_back(back: int, month: str) -> None:
    assert month_of(datetime(2026, 11, 23, tzinfo=UTC), back) == month


@pytest.mark.parametrize(
    ("month", "since", "until"),
    [
        ("2026-12", datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-03", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, 23, tzinfo=UTC)),
    ],
    ids=["the year's last", "summer time begins"],
)
def test_a_month_is_one_of_the_users_zone(month: str, since: datetime, until: datetime) -> None:
    assert period_of(month, LISBON) == (since, until)
