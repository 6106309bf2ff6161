"""Client for the manager protocol of one gateway, with detection of its support (section 12)."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from core.exceptions import ResponseError, RetryLaterError
from core.gateways.wppconnect.contract import manager
from core.gateways.wppconnect.contract.answers import FROM_A_PROXY, parse_generated, refusal
from core.gateways.wppconnect.contract.manager import SessionStates
from core.settings.values import Timeouts
from core.transport import Answer, Transport

PAGE = "/manager/"
"""The gateway's own administration page, unless `MANAGER_ENABLED` is false."""
BUDGET = "manager protocol"
REQUESTS_A_MINUTE = 20
"""Part of the 60 that one address may send: users' browsers behind the same proxy share the limit."""
OCCASIONAL_BUDGET = "manager protocol, occasionally"
OCCASIONAL_A_MINUTE = 5
"""Part of these for unscheduled requests, so that the states can be listed every 4 s."""


class ManagerClient:
    """Client of one gateway by the manager protocol. Thread-safe.

    Every call raises the transport's errors, RetryLaterError also when this client's budget is used up; calls
    that send the secret key also raise SecretKeyRejectedError.
    """

    def __init__(self, transport: Transport, timeouts: Timeouts) -> None:
        self._transport = transport
        self._timeouts = timeouts
        self.is_offered: bool | None = None
        """None if unknown: not detected yet, or the gateway may run another release now."""

    def takes(self, secret: str, session: str | None = None) -> bool:
        """Return whether calls with this secret key and session are possible. May send a request."""
        if not manager.fits_header(secret) or (session is not None and not manager.is_name(session)):
            return False
        if self.is_offered is None:
            with suppress(RetryLaterError):
                self.read_release()
        return bool(self.is_offered)

    def forget(self) -> None:
        """Reset the detection of the protocol: the gateway may run another release now."""
        self.is_offered = None

    def read_release(self) -> str | None:
        """Return the gateway's release, without a secret; None if the protocol is not offered."""
        version = None
        with suppress(ResponseError):
            answer = self._request(
                "GET",
                "info",
                operation="read the gateway's release",
                timeout_seconds=self._timeouts.healthz_seconds,
            )
            if answer.status_code in FROM_A_PROXY:
                raise refusal(answer)
            version = manager.parse_version(answer)
        self.is_offered = version is not None
        return version

    def list_states(self, secret: str, *, operation: str, is_scheduled: bool = True) -> SessionStates | None:
        """Return all session states; None if the protocol is not offered or the response is unreadable."""
        answer = self._request(
            "GET",
            "sessions",
            operation=operation,
            timeout_seconds=self._timeouts.show_all_seconds,
            secret=secret,
            is_scheduled=is_scheduled,
        )
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise refusal(answer)
        return None if self._is_gone(answer) else manager.parse_states(answer)

    def generate_token(self, session: str, secret: str, *, operation: str) -> str | None:
        """Generate a token; return None if the protocol turns out not to be offered."""
        answer = self._request(
            "POST",
            "sessions/{session}/token",
            operation=operation,
            timeout_seconds=self._timeouts.generate_token_seconds,
            secret=secret,
            session=session,
            is_scheduled=False,
        )
        return None if self._is_gone(answer) else parse_generated(answer)

    def remove_session(self, session: str, secret: str, *, operation: str) -> bool | None:
        """Remove a closed session's token and profile; succeeds for an unknown session.

        Return False if the gateway refuses, since the session is not closed or its profile is a symbolic
        link; None if the protocol turns out not to be offered.
        """
        answer = self._request(
            "DELETE",
            "sessions/{session}",
            operation=operation,
            timeout_seconds=self._timeouts.close_seconds,
            secret=secret,
            session=session,
            is_scheduled=False,
        )
        if self._is_gone(answer):
            return None
        return False if answer.status_code == HTTPStatus.CONFLICT else manager.parse_removed(answer)

    def serves_page(self) -> bool:
        """Return whether the gateway's own administration page is enabled. Not rate-limited."""
        answer = self._transport.request(
            "GET",
            PAGE,
            path={},
            operation="look for the gateway's own page",
            timeout_seconds=self._timeouts.healthz_seconds,
        )
        return answer.status_code == HTTPStatus.OK and "html" in answer.content_type.lower()

    def _is_gone(self, answer: Answer) -> bool:
        """Return whether the protocol is no longer offered, as after a downgrade, and reset the detection."""
        if answer.status_code != HTTPStatus.NOT_FOUND:
            return False
        self.forget()
        return True

    def _request(
        self,
        method: str,
        route: str,
        *,
        operation: str,
        timeout_seconds: float,
        secret: str | None = None,
        session: str | None = None,
        is_scheduled: bool = True,
    ) -> Answer:
        budgets = {BUDGET: REQUESTS_A_MINUTE}
        answer = self._transport.request(
            method,
            f"{manager.ROUTES}/{route}",
            path={"session": session} if session is not None else {},
            operation=operation,
            timeout_seconds=timeout_seconds,
            headers={"Authorization": f"Bearer {secret}"} if secret is not None else None,
            session=session,
            scope=manager.ROUTES,
            budgets=budgets if is_scheduled else budgets | {OCCASIONAL_BUDGET: OCCASIONAL_A_MINUTE},
        )
        if secret is not None and manager.is_unauthorized(answer):
            raise refusal(answer, of_secret=True)
        return answer
