"""Client of one gateway: one method per endpoint, which returns a typed value or raises WppconnectError."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from core.exceptions import (
    ConfigurationError,
    ResponseError,
    RetryLaterError,
    SecretKeyRejectedError,
    ServerFailureError,
    WppconnectError,
)
from core.gateways.protocol import Health, SessionStatus
from core.gateways.wppconnect.contract.answers import (
    FROM_A_PROXY,
    Device,
    is_secret_acceptance,
    is_secret_refusal,
    is_token_refusal,
    parse_closed,
    parse_connected,
    parse_device,
    parse_names,
    parse_number_check,
    parse_own_number,
    parse_pairing_code,
    parse_status,
    refusal,
)
from core.gateways.wppconnect.contract.identity import (
    API_ROUTE,
    PROOFS,
    RELATIVES_ROUTE,
    is_no_own_answer,
    not_a_gateway,
    proven_health,
)
from core.gateways.wppconnect.contract.manager import SessionStates
from core.gateways.wppconnect.contract.session_names import session_name_problem
from core.gateways.wppconnect.contract.waits import WppconnectWaits
from core.gateways.wppconnect.tokens.cache import TokenCache
from core.settings.values import ServerSettings, Timeouts
from core.transport import Answer, Transport

USUAL_WAITS = WppconnectWaits()
NO_SESSION = "wppconnect-ops"
"""Placeholder in the path of requests that concern no session."""


@dataclass(frozen=True)
class StartOptions:
    """The complete set of a session's start options: the gateway deletes any that is not sent."""

    webhook: str | None = field(default=None, repr=False)
    """URL of the customer's application; None or "" leaves the session without its own webhook."""
    phone: str | None = field(default=None, repr=False)
    """Number to link by pairing code, with or without punctuation; None requests a QR code."""
    wait: bool = False
    """Wait for the code. Only that response has the pairing code; it may never come (section 8, H1-H3)."""

    def body(self) -> dict[str, Any]:
        """Return the request body. It is never empty, so the gateway replaces all saved options."""
        body: dict[str, Any] = {"waitQrCode": self.wait}
        if self.webhook:
            body["webhook"] = self.webhook
        if self.phone:
            # A string: a JSON number would silently give a QR code (section 4).
            body["phone"] = re.sub(r"\D", "", self.phone)
        return body


class GatewayClient:
    """Client of one gateway. Thread-safe.

    Every method raises ConnectError, RequestTimeoutError or ResponseError without a usable response, and
    ServerFailureError or RequestRejectedError for a refusal; those with a session also AuthenticationError
    and SecretKeyRejectedError.
    """

    def __init__(
        self,
        server: ServerSettings,
        *,
        transport: Transport,
        tokens: TokenCache,
        timeouts: Timeouts,
        waits: WppconnectWaits = USUAL_WAITS,
    ) -> None:
        self.server = server
        self.waits = waits
        self.tokens = tokens
        self.manager = tokens.manager
        self._transport = transport
        self._timeouts = timeouts
        self._has_own_health = False
        """Whether /healthz responded last time, and the API did not prove it to be another program's."""

    def read_health(self) -> Health:
        """Check the gateway's health. Never requests /metrics or /unhealthy (section 8, C1 and T2).

        A release or a proxy may hide /healthz; then other routes may prove that it is a WPPConnect Server.
        Raises NotAGatewayError if none does.
        """
        was_own, self._has_own_health = self._has_own_health, False
        hidden = self._ask_openly("/healthz")
        answers = [hidden]
        health = proven_health(hidden) if isinstance(hidden, Answer) else None
        if health is not None:
            self._has_own_health = was_own or self._may_be_own_health()
            if self._has_own_health:
                return health
            answers.clear()  # The API's response is the better evidence for the error.
        for route, is_proof in PROOFS:
            answer = self._ask_openly(route)
            if isinstance(answer, Answer) and is_proof(answer):
                return health or Health(uptime_seconds=None)
            answers.append(answer)
        if isinstance(hidden, Answer) and not hidden.body:
            answers.append(self._ask_openly(RELATIVES_ROUTE))
        raise not_a_gateway(answers)

    def list_sessions(self) -> tuple[str, ...] | None:
        """Return the names that have a token file on the gateway; None if it does not report them.

        Raises SecretKeyRejectedError; during a pause after a refusal, without a request.
        """
        operation = "list the gateway's sessions"
        answer = self._show_all(self.tokens.secret_for(operation), operation)
        if is_secret_refusal(answer):
            self.tokens.secret_refused()
            raise refusal(answer)
        names = parse_names(answer)
        if is_secret_acceptance(answer):
            self.tokens.secret_accepted()
        return names

    def list_states(self) -> SessionStates | None:
        """Return the states of all sessions from one request; None if the gateway does not offer that.

        Raises SecretKeyRejectedError; during a pause after a refusal, without a request.
        """
        operation = "list the gateway's sessions"
        secret = self.tokens.secret_for(operation)
        if not self.manager.takes(secret):
            return None
        try:
            states = self.manager.list_states(secret, operation=operation)
        except SecretKeyRejectedError:
            self.tokens.secret_refused()
            raise
        if states is not None:
            self.tokens.secret_accepted()
        return states

    def remove_session(self, session: str) -> bool | None:
        """Remove a closed session's token and profile from the gateway; no other call can (section 12).

        Return False if the session is not closed or its profile is a symbolic link; None if the gateway does
        not offer this, or not for this name.
        """
        operation = "remove the session from the gateway"
        secret = self.tokens.secret_for(operation)
        if not self.manager.takes(secret, session):
            return None
        try:
            return self.manager.remove_session(session, secret, operation=operation)
        except SecretKeyRejectedError:
            self.tokens.secret_refused(session)
            raise

    def accepts_secret(self, secret: str) -> bool:
        """Return whether the gateway accepts a secret key, by the only call safe with a wrong one (T1).

        Any response other than the two in the contract proves neither and raises an error.
        """
        if not secret:
            return False  # An empty path segment is another route.
        operation = "test the secret key"
        if self.manager.takes(secret):
            # The older route has no rate limit, and may work where this one fails.
            with suppress(RetryLaterError, ServerFailureError):
                try:
                    if self.manager.list_states(secret, operation=operation, is_scheduled=False) is not None:
                        return True
                except SecretKeyRejectedError:
                    return False
        answer = self._show_all(secret, operation)
        if is_secret_refusal(answer):
            return False
        if is_secret_acceptance(answer):
            return True
        raise answer.unreadable("no list of names") if answer.status_code < 400 else refusal(answer)

    def read_status(self, session: str) -> SessionStatus:
        """Return a session's state and QR payload."""
        answer = self._call("/api/{session}/status-session", session, "read the session's status")
        return parse_status(answer)

    def check_connection(self, session: str, *, timeout_seconds: float | None = None) -> bool:
        """Return whether the session's page is connected. RequestTimeoutError means a frozen page (H6)."""
        seconds = timeout_seconds or self._timeouts.check_connection_seconds
        answer = self._call(
            "/api/{session}/check-connection-session", session, "check the session's connection", seconds
        )
        return parse_connected(answer)

    def start_session(self, session: str, options: StartOptions | None) -> str | None:
        """Start a session, in the background; return its pairing code if `options` waits for one.

        None keeps the options that the gateway saved; any other replaces them all.
        """
        waits = options is not None and options.wait
        answer = self._call(
            "/api/{session}/start-session",
            session,
            "start the session",
            self._timeouts.start_waiting_seconds if waits else self._timeouts.start_seconds,
            method="POST",
            json_body=options.body() if options is not None else {},
            # It may wait a minute or for ever (H1 to H3), and must not hold a slot for so long.
            takes_place=not waits,
        )
        return parse_pairing_code(answer)

    def close_session(self, session: str) -> bool:
        """Close a session and keep its pairing.

        Return False if the gateway answered 500, as it does unless the session is connected. It has probably
        dropped the session anyway, and the browser may run on: read the status, and wait before a start.
        """
        answer = self._call(
            "/api/{session}/close-session",
            session,
            "close the session",
            self._timeouts.close_seconds,
            method="POST",
        )
        return parse_closed(answer)

    def logout_session(self, session: str) -> None:
        """Unlink the phone and delete the pairing. Raises SessionDisconnectedError if no phone is linked."""
        answer = self._call(
            "/api/{session}/logout-session",
            session,
            "log the session out",
            self._timeouts.logout_seconds,
            method="POST",
        )
        if not parse_connected(answer):
            raise answer.unreadable("it does not say that the session was logged out")

    def read_device(self, session: str) -> Device:
        """Return the linked phone. Raises SessionDisconnectedError if the page does not respond."""
        answer = self._call("/api/{session}/host-device", session, "read the linked phone")
        return parse_device(answer)

    def read_own_number(self, session: str) -> str | None:
        """Return the linked phone's number as digits; None if the gateway does not report one."""
        answer = self._call("/api/{session}/get-phone-number", session, "read the session's own number")
        return parse_own_number(answer)

    def check_number(self, session: str, number: str) -> bool:
        """Return whether WhatsApp knows a number.

        RequestTimeoutError can also mean that the page does not reach WhatsApp (section 8, H7). The page
        answers for a number among its contacts without asking WhatsApp (section 4).
        """
        answer = self._call(
            "/api/{session}/check-number-status/{phone}",
            session,
            "have WhatsApp look up a number",
            self._timeouts.end_to_end_seconds,
            more_path={"phone": number},
        )
        return parse_number_check(answer)

    def close(self) -> None:
        """Close the connections; calls in flight end with a TransportError."""
        self._transport.close()
        self.tokens.close()

    def _call(
        self,
        route: str,
        session: str,
        operation: str,
        timeout_seconds: float | None = None,
        *,
        method: str = "GET",
        json_body: Mapping[str, Any] | None = None,
        more_path: Mapping[str, str] | None = None,
        takes_place: bool = True,
    ) -> Answer:
        """Send a request with the session's token; renew the token once if it is refused."""
        problem = session_name_problem(session)
        if problem is not None:
            error = ConfigurationError([problem])
            error.operation, error.session = operation, session
            raise error
        deadline = time.monotonic() + (timeout_seconds or self._timeouts.status_seconds)

        def send(token: str) -> Answer:
            return self._transport.request(
                method,
                route,
                path={"session": session, **(more_path or {})},
                operation=operation,
                timeout_seconds=deadline - time.monotonic(),
                headers={"Authorization": f"Bearer {token}"},
                json_body=json_body,
                session=session,
                takes_place=takes_place,
            )

        token = self.tokens.token(session)
        answer = send(token)
        if not is_token_refusal(answer):
            return answer
        # A POST is repeated here too: the gateway checks the token before the handler runs, so a 401 means
        # that nothing was done.
        token = self.tokens.renew(session, token)
        answer = send(token)
        if is_token_refusal(answer):
            self.tokens.reject(session, token)
            raise refusal(answer)
        self.tokens.confirm(session, token)
        return answer

    def _may_be_own_health(self) -> bool:
        """Return whether /healthz may be the gateway's: the API does not prove it to be another program's."""
        with suppress(WppconnectError):
            answer = self._ask_openly(API_ROUTE)
            path = API_ROUTE.format(session=NO_SESSION)
            return isinstance(answer, ResponseError) or not is_no_own_answer(answer, path)
        return True

    def _ask_openly(self, route: str) -> Answer | ResponseError:
        """Send a request without a token, to identify a gateway. Raises TransportError."""
        try:
            answer = self._transport.request(
                "GET",
                route,
                path={"session": NO_SESSION},
                operation="read the gateway's health",
                timeout_seconds=self._timeouts.healthz_seconds,
            )
        except ResponseError as error:
            return error
        if answer.status_code in FROM_A_PROXY:
            raise refusal(answer)
        return answer

    def _show_all(self, secret: str, operation: str) -> Answer:
        return self._transport.request(
            "GET",
            "/api/{secretkey}/show-all-sessions",
            path={"secretkey": secret},
            operation=operation,
            timeout_seconds=self._timeouts.show_all_seconds,
        )
