"""The end-to-end check: have WhatsApp look up a number over the same connection as messages.

A page that has lost that connection keeps the request, and no response comes (contract, sections 4 and 8,
H7).
"""

from __future__ import annotations

from core.exceptions import (
    NotOfferedError,
    RequestRejectedError,
    RequestTimeoutError,
    ServerFailureError,
    WppconnectError,
)
from core.gateways.protocol import EndToEndResult
from core.gateways.wppconnect.client import GatewayClient

NUMBER_DIGITS = 14
"""The gateway treats longer numbers as another kind of identity (contract, section 4)."""


def check(client: GatewayClient, session: str) -> EndToEndResult:
    """Check one session. The phone number is not kept after this call."""
    try:
        own = client.read_own_number(session)
        number = nobodys_number(own) if own is not None else None
    except WppconnectError as error:
        return _offered(error)
    if number is None:
        return EndToEndResult.NO_NUMBER
    try:
        # Either result will do: any response proves that the request reached WhatsApp.
        client.check_number(session, number)
    except RequestTimeoutError:
        return EndToEndResult.FAILED
    except ServerFailureError as error:
        # The gateway reports a failed page in JSON; any other 5xx comes from a proxy in front of it.
        return (
            EndToEndResult.FAILED
            if error.status_code == 500 and error.server_message
            else EndToEndResult.INCONCLUSIVE
        )
    except WppconnectError as error:
        return _offered(error)
    return EndToEndResult.PASSED


def _offered(error: WppconnectError) -> EndToEndResult:
    # A 404 in JSON is another error: the session is not connected.
    is_missing = isinstance(error, RequestRejectedError) and error.status_code == 404
    is_missing |= isinstance(error, NotOfferedError)
    return EndToEndResult.NOT_OFFERED if is_missing else EndToEndResult.INCONCLUSIVE


def nobodys_number(own: str) -> str | None:
    """Return an unassigned number derived from the account's own; None if the own number is too long.

    Newer pages answer a lookup of the own number from their contacts. A number that extends a complete one
    belongs to no subscriber in any country, so the lookup concerns no other person.
    """
    return own.ljust(NUMBER_DIGITS, "0") if 0 < len(own) < NUMBER_DIGITS else None
