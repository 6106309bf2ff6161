"""The runbooks as a page, the target of an alert's `runbook_url`, in the user's language.

Plain HTML, rendered once from the Markdown that ships with the alerts: it has to load at once, on a phone at
night, and its headings are the targets of the links' `#fragment`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dashboard.auth.pages import render
from dashboard.auth.sub_path import published
from dashboard.i18n import LOCALES, negotiate

PATH = "/runbooks"
STYLE = f"{PATH}/runbooks.css"
TEXTS = Path(__file__).parents[2] / "monitoring" / "runbooks"
LANGUAGES = {"en": "English", "pt_PT": "Português", "pt_BR": "Português (Brasil)"}


def runbook_routes() -> list[Route]:
    """Return the routes of the page and its style sheet; both need a sign-in."""
    style = (files("dashboard") / "assets" / "runbooks.css").read_bytes()

    async def send_style(_request: Request) -> Response:
        return Response(style, media_type="text/css; charset=utf-8")

    return [Route(PATH, _show, methods=["GET"]), Route(STYLE, send_style, methods=["GET"])]


def fragment(heading: str) -> str:
    """Return the URL fragment of a heading."""
    return re.sub(r"\W+", "-", heading.lower()).strip("-")


@cache
def runbooks_page(locale: str, root: str = "") -> str:
    """Return the runbooks in one of the page's languages; `root` is the path of the published address."""
    text = (TEXTS / f"{locale}.md").read_text(encoding="utf-8")
    return document(text.replace("](/", f"]({root}/"), locale)


def document(markdown: str, locale: str) -> str:
    """Return an HTML document with a table of contents and a link target for each section."""
    reader = MarkdownIt("commonmark", {"html": False})
    introduction, *sections = _sections(reader.parse(markdown))
    return render(
        "runbooks.html",
        locale,
        title=introduction[1].content,
        languages=[(_tag(one), LANGUAGES[one]) for one in LOCALES],
        introduction=reader.renderer.render(introduction, reader.options, {}),
        sections=[
            {
                "id": fragment(section[1].content),
                "heading": section[1].content,
                "html": reader.renderer.render(section, reader.options, {}),
            }
            for section in sections
        ],
    )


def _sections(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Split a document before each second-level heading; the part before the first one comes first."""
    section: list[Token] = []
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h2":
            yield section
            section = []
        section.append(token)
    yield section


def _tag(locale: str) -> str:
    return locale.replace("_", "-")


async def _show(request: Request) -> Response:
    wanted = request.query_params.get("lang") or request.headers.get("accept-language")
    return HTMLResponse(runbooks_page(negotiate(wanted), published("")))
