"""The runbooks as a page, the target of an alert's `runbook_url`, in the user's language.

Plain HTML, rendered once from the Markdown that ships with the alerts: it has to load at once, on a phone at
night, and its headings are the targets of the links' `#fragment`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dashboard.auth.elements import ASSETS
from dashboard.auth.sub_path import published
from dashboard.i18n import LOCALES, negotiate, translator
from dashboard.theme.theme import MARK, NAME

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
    return document((TEXTS / f"{locale}.md").read_text(encoding="utf-8"), locale, root)


def document(markdown: str, locale: str, root: str = "") -> str:
    """Return an HTML document with a table of contents and a link target for each section."""
    _ = translator(locale)
    home, assets = escape(_("Sessions")), f"{root}{ASSETS}"
    reader = MarkdownIt("commonmark", {"html": False})
    title, *sections = _sections(reader.parse(markdown.replace("](/", f"]({root}/")))
    headings = [section[1].content for section in sections]
    contents = "\n".join(
        f'<li><a href="#{fragment(heading)}">{escape(heading)}</a></li>' for heading in headings
    )
    body = "\n".join(
        f'<section id="{fragment(heading)}">\n{reader.renderer.render(section, reader.options, {})}</section>'
        for heading, section in zip(headings, sections, strict=True)
    )
    return f"""<!doctype html>
<html lang="{_tag(locale)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title[1].content)} · {NAME}</title>
<link rel="icon" href="{assets}/{MARK}" type="image/svg+xml">
<link rel="stylesheet" href="{assets}/sign-in.css">
<link rel="stylesheet" href="{root}{STYLE}">
<script src="{assets}/keep-fragment.js" defer></script>
</head>
<body>
<header>
<a class="home" href="{root}/"><img src="{assets}/{MARK}" alt="">{home}</a>
<nav class="languages">{_language_links(locale)}</nav>
</header>
<main>
{reader.renderer.render(title, reader.options, {})}
<nav class="contents">
<ul>
{contents}
</ul>
</nav>
{body}
</main>
</body>
</html>
"""


def _sections(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Split a document before each second-level heading; the part before the first one comes first."""
    section: list[Token] = []
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h2":
            yield section
            section = []
        section.append(token)
    yield section


def _language_links(current: str) -> str:
    links = []
    for locale in LOCALES:
        tag, mark = _tag(locale), ' aria-current="true"' if locale == current else ""
        name = escape(LANGUAGES[locale])
        links.append(f'<a href="?lang={tag}" lang="{tag}" data-keep-fragment{mark}>{name}</a>')
    return "\n".join(links)


def _tag(locale: str) -> str:
    return locale.replace("_", "-")


async def _show(request: Request) -> Response:
    wanted = request.query_params.get("lang") or request.headers.get("accept-language")
    return HTMLResponse(runbooks_page(negotiate(wanted), published("")))
