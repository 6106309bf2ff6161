"""The manager protocol of one gateway: whether it is offered, and the calls that it takes (section 12)."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from core.contract import manager
from core.contract.answers import FROM_A_PROXY, parse_generated, refusal
from core.contract.manager import SessionStates
from core.exceptions import ResponseError, RetryLaterError
from core.settings.values import Timeouts
from core.transport import Answer, Transport

PAGE = "/manager/"
"""The gateway's own administration page, where `MANAGER_ENABLED` is not false."""
BUDGET = "manager protocol"
REQUESTS_A_MINUTE = 20
"""Of the 60 that one address has: people's browsers behind the same proxy share them."""
OCCASIONAL_BUDGET = "manager protocol, occasionally"
OCCASIONAL_A_MINUTE = 5
"""Of those for all but what is asked on a schedule, so that the states are listed every 4 s."""


class ManagerClient:
    """Asks one gateway by the manager protocol; usable from any thread.

    Every call raises what the transport raises, RetryLaterError also when our own share of the limit is used
    up, and those that send the secret key SecretKeyRejectedError.
    """

    def __init__(self, transport: Transport, timeouts: Timeouts) -> None:
        self._transport = transport
        self._timeouts = timeouts
        self.is_offered: bool | None = None
        """None while that is not known: nobody asked yet, or the gateway may be another release now."""

    def takes(self, secret: str, session: str | None = None) -> bool:
        """Return whether calls with this secret key, of this session, can be made; asks where unknown."""
        if not manager.fits_header(secret) or (session is not None and not manager.is_name(session)):
            return False
        if self.is_offered is None:
            with suppress(RetryLaterError):
                self.read_release()
        return bool(self.is_offered)

    def forget(self) -> None:
        """Find out anew whether the protocol is offered: the gateway may be another release now."""
        self.is_offered = None

    def read_release(self) -> str | None:
        """Ask for the gateway's release without a secret; None where the protocol is not offered."""
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
        """List the states of all sessions; None when the answer is not understood."""
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
        """Have the gateway make a token; None where it turns out that the protocol is not offered."""
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
        """Remove a closed session's token and profile; of an unknown one nothing is left to remove.

        False: the gateway refused it, since it is not closed or its profile is a symbolic link. None: the
        protocol turns out not to be offered.
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
        """Return whether the gateway's own administration page is switched on; no limit counts that."""
        answer = self._transport.request(
            "GET",
            PAGE,
            path={},
            operation="look for the gateway's own page",
            timeout_seconds=self._timeouts.healthz_seconds,
        )
        return answer.status_code == HTTPStatus.OK and "html" in answer.content_type.lower()

    def _is_gone(self, answer: Answer) -> bool:
        """Notice that the gateway was exchanged for an older release."""
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
            budgets=budgets if is_scheduled else budgets | {OCCASIONAL_BUDGET: OCCASIONAL_A_MINUTE},
        )
        if secret is not None and manager.is_unauthorized(answer):
            raise refusal(answer, of_secret=True)
        return answer
