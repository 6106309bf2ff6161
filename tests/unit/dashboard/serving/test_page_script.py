"""Our script on Streamlit's page."""

from __future__ import annotations

from pathlib import Path

import pytest
from asgi_browser import Browser
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from streamlit import file_util

import dashboard
from dashboard.serving.page_script import PATH, PageScript, script_route

STREAMLITS = (Path(file_util.get_static_dir()) / "index.html").read_text()
FIRST_PAINT = (Path(dashboard.__file__).parent / "assets" / "first_paint.css").read_text()
TAG = f'<style>{FIRST_PAINT}</style><script src="/page-script.js" defer></script>'


async def streamlits_page(_request: Request) -> Response:
    return HTMLResponse(STREAMLITS, headers={"etag": "x", "last-modified": "y"})


async def page_of_ours(_request: Request) -> Response:
    return HTMLResponse("<head></head>")


async def not_html(_request: Request) -> Response:
    return PlainTextResponse(STREAMLITS)


class InPieces:
    """A page that is sent piece by piece."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
def browser() -> Browser:
    routes = [
        script_route(),
        Route("/session", streamlits_page),
        Route("/activity", InPieces(STREAMLITS[:100], STREAMLITS[100:])),
        Route("/sign-in", page_of_ours),
        Route("/no-such-page", streamlits_page),
        Route("/text", not_html),
        Route("/endless", InPieces("<p>" * 100_000, "the end")),
    ]
    compressing = Middleware(GZipMiddleware, minimum_size=1)
    return Browser(Starlette(routes=routes, middleware=[Middleware(PageScript), compressing]))


@pytest.mark.parametrize("path", ["/session", "/activity"])
def test_streamlits_page_gets_the_script_once(browser: Browser, path: str) -> None:
    answer = browser.get(path, accept_encoding="gzip, br")

    assert answer.text == STREAMLITS.replace("</head>", f"{TAG}</head>", 1)
    assert answer.headers["content-length"] == str(len(answer.text.encode()))
    assert "etag" not in answer.headers
    assert "last-modified" not in answer.headers


@pytest.mark.parametrize("path", ["/sign-in", "/text"])
def test_every_other_answer_passes_untouched(browser: Browser, path: str) -> None:
    assert TAG not in browser.get(path).text


def test_an_address_that_is_no_page_leads_to_the_start_page(browser: Browser) -> None:
    answer = browser.get("/no-such-page")

    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_a_long_page_is_not_held_back(browser: Browser) -> None:
    assert browser.get("/endless").text == "<p>" * 100_000 + "the end"


def test_the_script_is_a_file_of_ours(browser: Browser) -> None:
    answer = browser.get(PATH, accept="*/*")

    assert (answer.status, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "visibilityState" in answer.text
