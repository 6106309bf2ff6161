"""Security headers for every response, and the pages for failed and refused requests."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.auth.pages import Note, render
from dashboard.i18n import Translate, negotiate, translator

_LAST = {"cache-control": "no-store", "connection": "close"}
"""Headers of a failure response: uvicorn closes the connection after it, so the browser must not reuse it."""


class SecurityHeaders:
    """Add the security headers to every response, and Strict-Transport-Security where https is used."""

    def __init__(
        self, app: ASGIApp, *, headers: dict[str, str], external_url: str | None, hsts_days: int
    ) -> None:
        self._app = app
        self._headers = headers
        self._is_published_by_https = (external_url or "").startswith("https:")
        # 0 days are sent as well: they clear an earlier value in browsers.
        self._insist = f"max-age={hsts_days * 86400}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if self._is_published_by_https or scope["scheme"] == "https":
                    headers["strict-transport-security"] = self._insist
            await send(message)

        await self._app(scope, receive, send_with_headers)


class FailurePage:
    """Show a page in the user's language when the app raises; the exception is raised again for the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal response_started
            response_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            if not response_started:
                # Otherwise Starlette would send a response of its own, without the security headers.
                await _failure(scope)(scope, receive, send)
            raise


def cross_site_response(scope: Scope) -> Response:
    """Return the refusal of a request from another site, or from a proxy with another address."""
    locale, _ = _language(scope)
    text = _("Refused: this request does not come from this page. Open the page again and retry.")
    remedy = _(
        "If this happens again, the administrator has to set DASHBOARD_EXTERNAL_URL to the address of this "
        "page."
    )
    return HTMLResponse(_page(locale, _("It failed"), f"{text} {remedy}"), 403)


def too_many_tabs(scope: Scope, limit: int) -> Response:
    """Return the refusal of a further tab, before it loads; a reload works once another tab is closed."""
    locale, _ = _language(scope)
    text = _(
        "You have {count} tabs of this page open, as many as one user may. Close some, then reload this one."
    )
    return HTMLResponse(_page(locale, _("Too many tabs"), text.format(count=limit)), 429)


def _failure(scope: Scope) -> Response:
    locale, _ = _language(scope)
    text = _("Something went wrong. Try again; see the log for details.")
    return HTMLResponse(_page(locale, _("It failed"), text), 500, _LAST)


def _language(scope: Scope) -> tuple[str, Translate]:
    locale = negotiate(Headers(scope=scope).get("accept-language", ""))
    return locale, translator(locale)


def _page(locale: str, title: str, text: str) -> str:
    _ = translator(locale)
    return render("message.html", locale, title=title, note=Note(text), back=("/", _("Back to all sessions")))
