"""The error tree.

::

    WppconnectError                  base; str() is safe to show to an operator
      ConfigurationError             settings or a config file are wrong; names the setting and the remedy
      TransportError                 no answer
        ConnectError                 nobody listens, no route, no such name, no TLS, a proxy gets no answer
        RequestTimeoutError          connected, but the answer did not come within the budget
        RetryLaterError              429, or 503 with Retry-After: not before `retry_after_seconds`
      ResponseError                  an answer that cannot be read: not JSON, a field missing, too large
        NotAGatewayError             no WPPConnect Server answers at the gateway's address, but something else
      ApiError                       a refusal: status_code, server_message
        AuthenticationError          401: the token is not accepted
        SecretKeyRejectedError       the 400 that the gateway sends for a wrong secret key
        SessionDisconnectedError     404 on an action that needs a live session
        NotOfferedError              501: the engine that runs the session cannot do that
        RequestRejectedError         any other 4xx
        ServerFailureError           any other 5xx
      StoreError                     the disk or a stored file
        VersionConflictError         somebody else changed the record first
      SyncError               the edited files: nothing was changed, or everything was put back
      ContainerError                 the container engine, or a container that does not come up
        EngineUnreachableError       the engine does not answer
      AlertmanagerError              Alertmanager did not do as asked; `code` is a stable word

Foreign exceptions stop at their home module and are re-raised from None: `requests` repeats the URL in
its messages, and the gateway's secret key travels in URL paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.messages import Message


class WppconnectError(Exception):
    """Say what went wrong while doing what, in words that are safe to show to an operator.

    `explanation` is what the page shows in the reader's language, and `message` the English of the log and
    the command line, which also names the operation and the `detail`. `operation` is a verb phrase ("read
    the session status"), `session` the session's name or None, `retryable` whether the same call may succeed
    shortly without anybody changing anything. A plain string as message stands for itself.
    """

    retryable = False

    def __init__(
        self,
        message: Message | str,
        *,
        operation: str = "",
        session: str | None = None,
        detail: str = "",
    ) -> None:
        if isinstance(message, str):
            self.explanation, self.message = Message.plain(message), message
        else:
            self.explanation = message
            cannot = f"cannot {operation}: " if operation else ""
            self.message = f"{cannot}{message}{f' ({detail})' if detail else ''}"
        super().__init__(self.message)
        self.operation = operation
        self.session = session


@dataclass(frozen=True)
class SettingProblem:
    """A mistake in one setting: where it stands, as a dotted path, and what is wrong with it."""

    path: str
    text: Message | str

    def __str__(self) -> str:
        """Return the English, for the command line and the log."""
        return f"{self.path}: {self.text}"


class ConfigurationError(WppconnectError):
    """Settings are wrong; `problems` holds one sentence a mistake, each naming the setting and the remedy.

    `explanations` holds the same for the page, as it was given.
    """

    def __init__(self, problems: Sequence[SettingProblem | Message | str]) -> None:
        self.problems = tuple(map(str, problems))
        super().__init__("\n".join(self.problems), operation="read the settings")
        self.explanations = tuple(problems)


class TransportError(WppconnectError):
    """The gateway gave no answer."""

    retryable = True


class ConnectError(TransportError):
    """No connection to the gateway could be made."""


class RequestTimeoutError(TransportError):
    """The gateway accepted the connection, but its answer did not come within the time budget."""


class RetryLaterError(TransportError):
    """The gateway, or a proxy before it, wants to be left alone; this says nothing about any session."""

    def __init__(
        self,
        message: Message | str,
        *,
        retry_after_seconds: float = 0.0,
        operation: str = "",
        session: str | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message, operation=operation, session=session, detail=detail)
        self.retry_after_seconds = retry_after_seconds


class ResponseError(WppconnectError):
    """The gateway's answer cannot be read."""


class NotAGatewayError(ResponseError):
    """No WPPConnect Server answers at the gateway's address; the explanation says what does."""


class ApiError(WppconnectError):
    """The gateway refused; `status_code` is its HTTP status, `server_message` its own words, shortened."""

    def __init__(
        self,
        message: Message | str,
        *,
        status_code: int,
        server_message: str = "",
        operation: str = "",
        session: str | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message, operation=operation, session=session, detail=detail)
        self.status_code = status_code
        self.server_message = server_message


class AuthenticationError(ApiError):
    """401: the token is not accepted for this session."""


class SecretKeyRejectedError(ApiError):
    """400: the secret key is not the gateway's."""


class SessionDisconnectedError(ApiError):
    """404 on an action that needs a live session."""


class RequestRejectedError(ApiError):
    """Any other 4xx."""


class NotOfferedError(ApiError):
    """501: the engine that runs the session on the gateway does not offer this."""


class ServerFailureError(ApiError):
    """Any other 5xx: the gateway failed while answering."""

    retryable = True


class StoreError(WppconnectError):
    """The store's disk or one of its files; the message names the file."""


class VersionConflictError(StoreError):
    """Somebody else changed the record since it was read; read it again and decide anew."""


class SyncError(WppconnectError):
    """A key could not be brought where it belongs; the message names the file and what holds now."""


class ContainerError(WppconnectError):
    """The container engine refused, or a container did not come up; the old one runs again."""


class EngineUnreachableError(ContainerError):
    """Nobody answers at the engine's socket, or not to this account."""

    retryable = True


class AlertmanagerError(WppconnectError):
    """Alertmanager did not do as asked; `code` is a stable word for why, which the page translates."""

    def __init__(self, message: Message | str, *, code: str) -> None:
        super().__init__(message, operation="ask Alertmanager")
        self.code = code
