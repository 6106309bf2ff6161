"""The error tree.

::

    WppconnectError                  base; str() is safe to show to an operator
      ConfigurationError             settings or a config file are wrong; names the setting and the remedy
      TransportError                 no response
        ConnectError                 nothing listens, no route, no such name, no TLS, no response to a proxy
        RequestTimeoutError          connected, but the response did not come within the time budget
        RetryLaterError              429, or 503 with Retry-After: not before `retry_after_seconds`
      ResponseError                  an unreadable response: not JSON, a field missing, too large
        NotAGatewayError             another program than a WPPConnect Server responds at the address
      ApiError                       a refusal: status_code, server_message
        AuthenticationError          401: the token is not accepted
        SecretKeyRejectedError       the 400 that the gateway sends for a wrong secret key
        SessionDisconnectedError     404 on an action that needs a live session
        NotOfferedError              501: the engine that runs the session cannot do that
        RequestRejectedError         any other 4xx
        ServerFailureError           any other 5xx
      StoreError                     the disk or a stored file
        VersionConflictError         the record has been changed since it was read
      SyncError                      the edited files: nothing was changed, or everything was restored
      ContainerError                 the container engine does not respond, or a container does not start
      AlertmanagerError              a request to Alertmanager failed; `code` is a stable key

Exceptions of libraries are converted in the module that uses the library, and re-raised from None: the
messages of `requests` contain the URL, and the gateway's secret key is part of URL paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.messages import Message


class WppconnectError(Exception):
    """Base of all errors. The text names the failed operation and the cause, and is safe to show.

    `explanation` is the message that the page shows in the user's language; `message` is the English text for
    the log and the command line, which also includes the operation and the `detail`. `operation` is a verb
    phrase ("read the session status"), `session` the session's name or None. A plain string as message is
    used unchanged.
    """

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
    """A mistake in one setting: its dotted path and the problem."""

    path: str
    text: Message | str

    def __str__(self) -> str:
        """Return the English text, for the command line and the log."""
        return f"{self.path}: {self.text}"


class ConfigurationError(WppconnectError):
    """Settings are wrong. `problems` holds one sentence per mistake, with the setting and the remedy.

    `explanations` holds the same problems for the page, not yet translated.
    """

    def __init__(self, problems: Sequence[SettingProblem | Message | str]) -> None:
        self.problems = tuple(map(str, problems))
        super().__init__("\n".join(self.problems), operation="read the settings")
        self.explanations = tuple(problems)
        self.explanation = Message.joined(map(_as_message, problems))


def _as_message(problem: SettingProblem | Message | str) -> Message:
    if isinstance(problem, SettingProblem):
        return Message.of("setting.at", path=problem.path, problem=_as_message(problem.text))
    return problem if isinstance(problem, Message) else Message.plain(problem)


class TransportError(WppconnectError):
    """The gateway did not respond."""


class ConnectError(TransportError):
    """The connection to the gateway failed."""


class RequestTimeoutError(TransportError):
    """The gateway accepted the connection, but its response did not come within the time budget."""


class RetryLaterError(TransportError):
    """The gateway, or a proxy in front of it, requests a later retry; this says nothing about any session."""

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
    """The gateway's response cannot be read."""


class NotAGatewayError(ResponseError):
    """No WPPConnect Server responds at the gateway's address; the explanation names what does."""


class ApiError(WppconnectError):
    """The gateway refused: `status_code` is the HTTP status, `server_message` its shortened message."""

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
    """501: the engine that runs the session does not support this."""


class ServerFailureError(ApiError):
    """Any other 5xx: the gateway failed to handle the request."""


class StoreError(WppconnectError):
    """The store's disk or one of its files failed; the message names the file."""


class VersionConflictError(StoreError):
    """The record has been changed since it was read; read it again and repeat the change."""


class SyncError(WppconnectError):
    """A key could not be synchronized; the message names the file and the resulting state."""


class ContainerError(WppconnectError):
    """The container engine refused, or a container did not start; the old one runs again."""


class AlertmanagerError(WppconnectError):
    """A request to Alertmanager failed; `code` is a stable key for the cause, which the page translates."""

    def __init__(self, message: Message | str, *, code: str) -> None:
        super().__init__(message, operation="ask Alertmanager")
        self.code = code
