"""The monthly report of incidents as CSV and Markdown. Requires a sign-in, like every page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.models import Snapshot
from core.reasons import Loss
from core.store import HistoryLog
from core.uptime.incidents import RESPONSE_KINDS, Incident, Totals, incidents, totals
from core.uptime.records import LONGEST, outages_between
from core.uptime.verdict_log import KINDS
from dashboard import state
from dashboard.activity.spreadsheet import csv_line, zone_of
from dashboard.auth import identity
from dashboard.auth.cookies import SIGN_IN_COOKIE
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import N_, negotiate
from dashboard.text import incidents as incident_text
from dashboard.text.track import LOSSES

PATH = "/incidents.csv"
MARKDOWN_PATH = "/incidents.md"

FIGURES = (
    N_("Incidents"),
    N_("Minutes"),
    N_("Mean time to acknowledge (min)"),
    N_("Mean time to recover (min)"),
)


def report_routes() -> list[Route]:
    """Return the routes of both forms of the report."""
    return [
        Route(PATH, _send_csv, methods=["GET"]),
        Route(MARKDOWN_PATH, _send_markdown, methods=["GET"]),
    ]


def month_of(moment: datetime, back: int = 0) -> str:
    """Return the month of a moment, or a number of months before, as "2026-11"."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - back, 12)
    return f"{year}-{month + 1:02}"


def period_of(month: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the start and end of a month such as "2026-11". Raises ValueError."""
    since = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    until = since.replace(year=since.year + since.month // 12, month=since.month % 12 + 1)
    return since.astimezone(UTC), until.astimezone(UTC)


def read_month(history: HistoryLog, snapshot: Snapshot, since: datetime, until: datetime) -> list[Incident]:
    """Return the incidents that began in a period, newest first. Raises StoreError."""
    entries = history.read(since=since - LONGEST, kinds=KINDS | RESPONSE_KINDS)
    return incidents(outages_between(entries, snapshot, since, until), entries)


def csv_lines(formatter: LocaleFormatter, found: Sequence[Incident]) -> Iterator[str]:
    """Yield the lines of the spreadsheet: figures by gateway, session and cause."""
    _ = formatter.translate
    # Spreadsheets detect UTF-8 by the byte order mark.
    yield "\ufeff" + csv_line(_(head) for head in (N_("Gateway"), N_("Session"), N_("Cause"), *FIGURES))
    rows = {
        (server, session, loss)
        for server, session in _sessions(found)
        for loss in {one.loss for one in found if one.server == server and session in one.sessions}
    }
    for server, session, loss in sorted(rows):
        mine = [one for one in _of_session(found, server, session) if one.loss is loss]
        figures = _figures(totals(mine, formatter.now))
        yield csv_line((server, session, _(LOSSES[loss]), *figures))


def markdown(formatter: LocaleFormatter, found: Sequence[Incident], month: str) -> str:
    """Return the report as Markdown: totals, by session and by cause, and each incident."""
    _ = formatter.translate
    title = _("Incidents")
    title = f"# {title}: {formatter.month(month)}"
    if not found:
        nothing = _("No outages in this month.")
        return f"{title}\n\n{nothing}\n"
    heads = [_(head) for head in FIGURES]
    by_session = [
        (server, session, *_figures(totals(list(_of_session(found, server, session)), formatter.now)))
        for server, session in _sessions(found)
    ]
    by_cause = [
        (_(LOSSES[loss]), *_figures(totals([one for one in found if one.loss is loss], formatter.now)))
        for loss in Loss
        if any(one.loss is loss for one in found)
    ]
    sections = [
        title,
        _table(heads, [_figures(totals(found, formatter.now))]),
        _section(_("By session")),
        _table([_("Gateway"), _("Session"), *heads], by_session),
        _section(_("By cause")),
        _table([_("Cause"), *heads], by_cause),
        _section(_("All incidents")),
        _table(
            [_("Start"), _("Duration"), _("Session"), _("Cause"), _("Events")],
            [_whole(formatter, one) for one in reversed(found)],
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _send_csv(request: Request) -> Response:
    return _send(request, "csv")


def _send_markdown(request: Request) -> Response:
    return _send(request, "md")


def _send(request: Request, form: str) -> Response:
    # Not a coroutine: it reads files, and Starlette runs plain functions in a thread.
    if identity.user_of(request.cookies.get(SIGN_IN_COOKIE)) is None:
        return Response(status_code=401)
    zone = zone_of(request.query_params.get("zone", ""))
    locale = negotiate(request.headers.get("accept-language"))
    snapshot = state.core().monitor.snapshot()
    formatter = LocaleFormatter(snapshot.taken_at, zone, locale)
    month = request.query_params.get("month", month_of(formatter.now.astimezone(zone)))
    try:
        since, until = period_of(month, zone)
    except (ValueError, OverflowError):
        return Response(status_code=400)
    found = read_month(state.core().history, snapshot, since, until)
    text, kind = (
        ("".join(csv_lines(formatter, found)), "csv")
        if form == "csv"
        else (markdown(formatter, found, month), "markdown")
    )
    disposition = {
        "content-disposition": f'attachment; filename="incidents-{since.astimezone(zone):%Y-%m}.{form}"'
    }
    return Response(text, media_type=f"text/{kind}; charset=utf-8", headers=disposition)


def _sessions(found: Iterable[Incident]) -> list[tuple[str, str]]:
    return sorted({(one.server, session) for one in found for session in one.sessions})


def _of_session(found: Iterable[Incident], server: str, session: str) -> Iterator[Incident]:
    """Yield one session's share of the incidents."""
    for one in found:
        if one.server == server and session in one.sessions:
            responses = tuple(entry for entry in one.responses if entry.session == session)
            yield replace(one, outages={session: one.outages[session]}, responses=responses)


def _figures(of: Totals) -> tuple[str, ...]:
    return str(of.count), *map(_minutes, (of.seconds, of.mean_acknowledge_seconds, of.mean_recovery_seconds))


def _minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 60:.1f}"


def _whole(formatter: LocaleFormatter, incident: Incident) -> Sequence[str]:
    """Return all that is known of an incident, by column."""
    events = [
        f"{formatter.exactly(one.at)} {one.text}" + (f" ({one.actor})" if one.actor else "")
        for one in incident_text.events(formatter, incident, None)
    ]
    return (
        formatter.exactly(incident.since),
        incident_text.lasted(formatter, incident),
        incident_text.where(formatter, incident),
        incident_text.cause(formatter, incident),
        "; ".join(events),
    )


def _section(title: str) -> str:
    return f"## {title}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    """Return a text for a cell: names and comments are no Markdown and no HTML."""
    if text == "---":
        return text
    plain = " ".join(escape(text, quote=False).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]|" else sign for sign in plain)
