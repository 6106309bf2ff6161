from contextlib import suppress

import pytest
from asgi_browser import Answer, Browser
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dashboard.auth.responses import FailurePage, SecurityHeaders


async def _works(_request: Request) -> Response:
    return PlainTextResponse("ok", headers={"x-frame-options": "ALLOWALL"})


async def _fails(_request: Request) -> Response:
    raise ZeroDivisionError("the secret of the program")


async def _breaks_off(_request: Request) -> Response:
    async def half() -> object:
        yield "half"
        raise ZeroDivisionError

    return StreamingResponse(half())  # type: ignore[arg-type]


def browser(*, published: str | None = None, days: int = 180, scheme: str = "http") -> Browser:
    headers = {"x-frame-options": "DENY"}
    app = Starlette(
        routes=[Route("/", _works), Route("/fails", _fails), Route("/breaks-off", _breaks_off)],
        middleware=[
            Middleware(SecurityHeaders, headers=headers, external_url=published, hsts_days=days),
            Middleware(FailurePage),
        ],
    )
    return Browser(app, scheme=scheme)


@pytest.mark.parametrize(
    ("published", "scheme", "days", "told"),
    [
        pytest.param(None, "http", 180, None, id="not by https"),
        pytest.param(None, "https", 180, "max-age=15552000", id="by https, as a trusted proxy says"),
        pytest.param("https://ops.test", "http", 180, "max-age=15552000", id="published by https"),
        pytest.param("http://ops.test", "http", 180, None, id="published by http"),
        pytest.param("https://ops.test", "https", 0, "max-age=0", id="to be forgotten"),
    ],
)
def test_browsers_are_told_to_insist_on_https_where_they_came_by_it(
    published: str | None, scheme: str, days: int, told: str | None
) -> None:
    answer = browser(published=published, days=days, scheme=scheme).get("/")

    assert answer.headers.get("strict-transport-security") == told


@pytest.mark.parametrize("path", ["/", "/nowhere", "/fails"])
def test_every_answer_bears_the_headers_and_nobody_elses(path: str) -> None:
    assert asked(browser(), path).headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Something went wrong"), ("pt-PT", "Ocorreu um erro"), ("pt-BR", "Ocorreu um erro")],
)
def test_failure_is_told_in_the_readers_language_and_logged_elsewhere(language: str, words: str) -> None:
    answer = asked(browser(), "/fails", language)

    assert (answer.status, answer.headers["cache-control"]) == (500, "no-store")
    assert answer.headers["connection"] == "close"
    assert words in answer.text
    assert "secret" not in answer.text


def test_answer_that_has_begun_is_not_begun_again() -> None:
    answer = asked(browser(), "/breaks-off")

    assert (answer.status, answer.text) == (200, "half")


def asked(visitor: Browser, path: str, language: str = "en") -> Answer:
    """Get an answer whether or not the program fails over it; servers log what is raised."""
    sent = visitor.app

    async def served(scope: dict[str, object], receive: object, send: object) -> None:
        with suppress(ZeroDivisionError):
            await sent(scope, receive, send)

    return Browser(served).get(path, **{"accept-language": language})
