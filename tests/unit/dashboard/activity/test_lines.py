"""The activity: what is looked for, pages of it, and the file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asgi_browser import Browser
from page_world import FakeCore, FakeSignIns, ago
from starlette.applications import Starlette

from core.models import HistoryEntry
from core.store import History
from dashboard.activity.lines import PAGE_LINES, Wanted, read_page
from dashboard.activity.spreadsheet import MOST_LINES, activity_routes, harmless, lines
from dashboard.auth.users import Role, User
from dashboard.formatting import LocaleFormatter
from dashboard.words import visible_kinds

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
KINDS = visible_kinds(is_administrator=True)
CONNECTED = {"from": "starting", "to": "connected", "reason": "none"}


def line(kind: str = "transition", *, at: datetime = NOW, **fields: Any) -> HistoryEntry:
    data = fields.pop("data", CONNECTED)
    standard = {"server": "main", "session": "sales"}
    return HistoryEntry(at=at, kind=kind, data=data, **(standard | fields))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history", clock=lambda: NOW)


class TestLookingFor:
    @pytest.mark.parametrize(
        ("wanted", "sessions"),
        [
            pytest.param(Wanted(), ["d", "c", "b"], id="a week"),
            pytest.param(Wanted(period="all"), ["d", "c", "b", "a"], id="all"),
            pytest.param(Wanted(period="24h"), ["d"], id="a day"),
            pytest.param(Wanted(period="nonsense"), ["d", "c", "b"], id="no such period: a week"),
            pytest.param(Wanted(session="c"), ["c"], id="a session"),
            pytest.param(Wanted(server="other"), ["b"], id="a gateway"),
            pytest.param(Wanted(kind="operation"), ["c"], id="a kind"),
            pytest.param(Wanted(person="rui"), ["c"], id="a person"),
            pytest.param(Wanted(kind="no such kind"), [], id="no such kind"),
            pytest.param(Wanted(person="r"), [], id="half a person"),
        ],
    )
    def test_the_newest_lines_that_are_like_it_come_first(
        self, history: History, wanted: Wanted, sessions: list[str]
    ) -> None:
        history.append(
            line(at=ago(days=40), session="a"),
            line(at=ago(days=3), session="b", server="other"),
            line("operation", at=ago(days=2), session="c", actor="rui"),
            line(at=ago(hours=1), session="d"),
        )

        found = read_page(history.read, wanted, 1, kinds=KINDS, now=NOW)

        assert [one.session for one in found.entries] == sessions

    def test_only_administrators_see_who_signed_in_from_where(self, history: History) -> None:
        history.append(line("sign_in", data={"outcome": "signed_in"}), line())
        others = visible_kinds(is_administrator=False)

        assert len(read_page(history.read, Wanted(), 1, kinds=KINDS, now=NOW).entries) == 2
        assert len(read_page(history.read, Wanted(), 1, kinds=others, now=NOW).entries) == 1
        assert not read_page(history.read, Wanted(kind="sign_in"), 1, kinds=others, now=NOW).entries

    def test_there_are_as_many_pages_as_it_takes(self, history: History) -> None:
        count = 2 * PAGE_LINES + 3
        history.append(
            *(line(at=NOW - timedelta(minutes=number), session=f"s{number}") for number in range(count))
        )

        pages = [read_page(history.read, Wanted(), page, kinds=KINDS, now=NOW) for page in (1, 2, 3)]

        assert [len(page.entries) for page in pages] == [PAGE_LINES, PAGE_LINES, 3]
        assert [page.has_older for page in pages] == [True, True, False]
        assert pages[1].entries[0].session == f"s{PAGE_LINES}"


def download(query: str = "", **headers: str) -> list[list[str]]:
    answer = Browser(Starlette(routes=activity_routes())).get(f"/activity.csv?{query}", **headers)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="activity-')
    assert answer.text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


class TestFile:
    def test_it_holds_what_is_looked_for_in_the_readers_language_and_zone(self, core: FakeCore) -> None:
        core.history.append(
            line(), line("operation", actor="rui", data={"operation": "pair", "outcome": "connected"})
        )

        rows = download(
            "period=all&kind=operation&zone=America/Fortaleza", **{"accept-language": "pt-BR,pt;q=0.9"}
        )

        assert rows == [
            ["Tempo", "Tipo", "Gateway", "Sessão", "Usuário", "Evento", "Resultado"],
            [
                "2026-11-23 11:00:00-03:00",
                "Ação",
                "main",
                "sales",
                "rui",
                "Pareamento",
                "A sessão está conectada.",
            ],
        ]

    @pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../etc/passwd", "a" * 300])
    def test_a_zone_that_is_none_is_utc(self, core: FakeCore, zone: str) -> None:
        core.history.append(line())

        assert download(f"period=all&zone={zone}")[1][0] == "2026-11-23 14:00:00+00:00"

    def test_who_may_not_see_a_kind_does_not_download_it(self, core: FakeCore, sign_ins: FakeSignIns) -> None:
        core.history.append(
            line("sign_in", actor="ana", data={"outcome": "signed_in", "address": "203.0.113.7"})
        )
        sign_ins.user = User(name="rui", role=Role.VIEWER)

        assert len(download("period=all")) == 1
        assert len(download("period=all&kind=sign_in")) == 1

    def test_a_file_that_would_be_too_long_says_so(self) -> None:
        rows = list(lines(LocaleFormatter(NOW), [line()] * (MOST_LINES + 1)))

        assert len(rows) == MOST_LINES + 2
        assert "Only the latest 20000 entries are included." in rows[-1]

    def test_without_a_sign_in_there_is_nothing(self, core: FakeCore, sign_ins: FakeSignIns) -> None:
        sign_ins.user = None

        assert Browser(Starlette(routes=activity_routes())).get("/activity.csv").status == 401

    def test_what_a_person_typed_is_no_formula(self, core: FakeCore) -> None:
        reason = '=HYPERLINK("http://evil.example","click")'
        core.history.append(line("pause", actor="ana", data={"event": "paused", "reason": reason}))

        assert download("period=all")[1][-1] == f"'{reason}"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_a_cell_that_a_spreadsheet_would_take_for_a_formula_is_made_text(start: str) -> None:
    assert harmless(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("x;=1+1;", "x;'=1+1;"),
        (" =1+1", "' =1+1"),
        ("x; @SUM(1)", "x;' @SUM(1)"),
        ("x\n-1", "x\n'-1"),
        ('x";=1', "x\";'=1"),
    ],
)
def test_a_formula_behind_a_semicolon_is_made_text_for_who_opens_the_file_by_semicolons(
    cell: str, text: str
) -> None:
    assert harmless(cell) == text


@pytest.mark.parametrize("cell", ["", "sales", "a; b", "1-2", "a=b", "203.0.113.7"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell
