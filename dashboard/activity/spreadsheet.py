"""The activity as CSV for spreadsheets, at /activity.csv. Requires a sign-in, like every page."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.models import HistoryEntry
from dashboard import state
from dashboard.activity.lines import Wanted, read_lines
from dashboard.auth import identity
from dashboard.auth.cookies import SIGN_IN_COOKIE
from dashboard.auth.users import Role
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import N_, negotiate
from dashboard.text.history import tell
from dashboard.words import HISTORY_KINDS, visible_kinds

PATH = "/activity.csv"
MOST_LINES = 20_000
"""Fits the memory of a small machine and every spreadsheet. If there are more, the last line says so."""
HEADS = (N_("Time"), N_("Type"), N_("Gateway"), N_("Session"), N_("User"), N_("Event"), N_("Result"))

_FORMULA = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@\t\r\n＝＋－＠])")
"""Matches within a cell, too: where the comma is the decimal separator, spreadsheets split at semicolons."""


def activity_routes() -> list[Route]:
    """Return the route of the CSV file."""
    return [Route(PATH, _send, methods=["GET"])]


def lines(formatter: LocaleFormatter, entries: Sequence[HistoryEntry]) -> Iterator[str]:
    """Yield the lines of the file in the user's language and time zone, at most `MOST_LINES` entries."""
    _ = formatter.translate
    # Spreadsheets detect UTF-8 by the byte order mark.
    yield "\ufeff" + csv_line(_(head) for head in HEADS)
    for entry in entries[:MOST_LINES]:
        told = tell(formatter, entry)
        yield csv_line(
            (
                entry.at.astimezone(formatter.zone).isoformat(sep=" ", timespec="seconds"),
                _(HISTORY_KINDS.get(entry.kind, entry.kind)),
                entry.server or "",
                entry.session or "",
                entry.actor or "",
                told.what,
                told.result,
            )
        )
    if len(entries) > MOST_LINES:
        told_last = _("Only the latest {count} entries are included. Choose a shorter period.")
        yield csv_line([told_last.format(count=MOST_LINES)])


def harmless(cell: str) -> str:
    """Return the cell with a quote before each part that a spreadsheet would run as a formula."""
    return _FORMULA.sub(r"\1'", cell)


def _send(request: Request) -> Response:
    # Not a coroutine: it reads files, and Starlette runs plain functions in a thread.
    user = identity.user_of(request.cookies.get(SIGN_IN_COOKIE))
    if user is None:
        return Response(status_code=401)
    query, now = request.query_params, datetime.now(UTC)
    wanted = Wanted(**{name: query[name] for name in Wanted.__dataclass_fields__ if name in query})
    formatter = LocaleFormatter(
        now, zone_of(query.get("zone", "")), negotiate(request.headers.get("accept-language"))
    )
    kinds = visible_kinds(is_administrator=user.role.covers(Role.ADMINISTRATOR))
    entries = read_lines(state.core().history.read, wanted, kinds=kinds, now=now, limit=MOST_LINES + 1)
    name = f"activity-{now.astimezone(formatter.zone):%Y-%m-%d-%H%M}.csv"
    disposition = {"content-disposition": f'attachment; filename="{name}"'}
    text = "".join(lines(formatter, entries))
    return Response(text, media_type="text/csv; charset=utf-8", headers=disposition)


def csv_line(cells: Iterable[str]) -> str:
    """Return a line of a CSV file, with its line break; no cell is a formula."""
    line = io.StringIO()
    csv.writer(line).writerow(harmless(cell) for cell in cells)
    return line.getvalue()


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of this name; UTC for an unknown one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
