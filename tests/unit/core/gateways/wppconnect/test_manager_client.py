"""Our own share of the manager protocol's limit, whoever in the process asks (contract, section 12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import responses

from core.exceptions import (
    RequestRejectedError,
    ResponseError,
    RetryLaterError,
    SecretKeyRejectedError,
    ServerFailureError,
    WppconnectError,
)
from core.gateways.wppconnect.manager_client import OCCASIONAL_A_MINUTE, REQUESTS_A_MINUTE, ManagerClient
from core.settings.values import Timeouts
from core.transport import CallLimiter, CallSlot, Transport
from tests.fakes import FakeClock

URL, SECRET = "http://gateway:21465", "a-secret"


class Elapsed:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Clients:
    """Clients of one process, which share the gateway's budgets."""

    def __init__(self) -> None:
        self.elapsed = Elapsed()
        self._places = CallLimiter(monotonic=self.elapsed)

    def make(self, *, is_for_people: bool = False) -> ManagerClient:
        transport = Transport(
            URL,
            connect_timeout_seconds=60,
            proxy=None,
            user_agent="tests",
            slot=CallSlot(self._places, is_for_people=is_for_people),
            now=FakeClock(),
        )
        return ManagerClient(transport, Timeouts())


def list_as_scheduled(client: ManagerClient) -> object:
    return client.list_states(SECRET, operation="list")


def try_a_secret(client: ManagerClient) -> object:
    return client.list_states(SECRET, operation="try", is_scheduled=False)


def generate_a_token(client: ManagerClient) -> object:
    return client.generate_token("sales", SECRET, operation="obtain")


def count(call: Callable[[ManagerClient], object], client: ManagerClient, at_most: int = 100) -> int:
    """Make a call until our share is used up."""
    for number in range(at_most):
        try:
            call(client)
        except RetryLaterError:
            return number
    return at_most


@pytest.fixture
def clients() -> Iterator[Clients]:
    token = "$2b$10$" + "a" * 53
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        wire.get(f"{URL}/api/manager/sessions", json={"sessions": []})
        wire.get(f"{URL}/api/manager/info", json={"protocol": 1, "serverVersion": "2.11.0", "features": []})
        wire.post(
            f"{URL}/api/manager/sessions/sales/token", json={"session": "sales", "token": token}, status=201
        )
        yield Clients()


@pytest.mark.parametrize(
    ("call", "most"),
    [
        pytest.param(list_as_scheduled, REQUESTS_A_MINUTE, id="states on a schedule"),
        pytest.param(ManagerClient.read_release, REQUESTS_A_MINUTE, id="the release"),
        pytest.param(try_a_secret, OCCASIONAL_A_MINUTE, id="a secret key that is tried"),
        pytest.param(generate_a_token, OCCASIONAL_A_MINUTE, id="tokens"),
    ],
)
def test_each_call_has_its_budget(
    clients: Clients, call: Callable[[ManagerClient], object], most: int
) -> None:
    assert count(call, clients.make()) == most
    assert count(call, clients.make(is_for_people=True)) == 0

    clients.elapsed.seconds += 59
    assert count(call, clients.make()) == 0
    clients.elapsed.seconds += 1
    assert count(call, clients.make()) == most


def test_occasional_calls_leave_the_schedule_its_share(clients: Clients) -> None:
    client = clients.make()

    assert count(generate_a_token, client) == OCCASIONAL_A_MINUTE
    assert count(list_as_scheduled, client) == REQUESTS_A_MINUTE - OCCASIONAL_A_MINUTE


def test_it_says_for_how_long_the_share_is_used_up(clients: Clients) -> None:
    client = clients.make()
    try_a_secret(client)
    clients.elapsed.seconds += 40
    count(try_a_secret, client)

    with pytest.raises(RetryLaterError) as caught:
        try_a_secret(client)

    assert (caught.value.retry_after_seconds, caught.value.explanation.id) == (20, "transport.share_used_up")


def test_whether_it_is_offered_is_found_out_once_until_that_is_forgotten(clients: Clients) -> None:
    client = clients.make()

    first = [client.takes(SECRET), client.takes(SECRET, "sales"), client.takes(SECRET, "_sales")]
    client.forget()

    assert first == [True, True, False]
    assert client.is_offered is None
    assert client.takes("schlüssel") is False
    assert client.is_offered is None


REMOVALS = {
    "removed": (200, {"success": True}, True),
    "in use": (409, {"message": "Close the session before clearing its data"}, False),
    "an older release": (404, {}, None),
}
NO_REMOVALS = {
    "it failed": (500, {"message": "failed"}, ServerFailureError),
    "no success": (200, {"success": False}, ResponseError),
    "a name that it does not take": (400, {"message": "Invalid session name"}, RequestRejectedError),
    "another key": (401, {"message": "Unauthorized"}, SecretKeyRejectedError),
}


@pytest.mark.parametrize(("status", "answer", "expected"), REMOVALS.values(), ids=REMOVALS)
def test_a_removal_is_told_from_a_refusal(
    status: int, answer: dict[str, object], expected: bool | None
) -> None:
    with responses.RequestsMock() as wire:
        wire.delete(f"{URL}/api/manager/sessions/sales", json=answer, status=status)

        assert Clients().make().remove_session("sales", SECRET, operation="remove") is expected


@pytest.mark.parametrize(("status", "answer", "error"), NO_REMOVALS.values(), ids=NO_REMOVALS)
def test_anything_else_is_not_read_as_done(
    status: int, answer: dict[str, object], error: type[WppconnectError]
) -> None:
    with responses.RequestsMock() as wire:
        wire.delete(f"{URL}/api/manager/sessions/sales", json=answer, status=status)

        with pytest.raises(error):
            Clients().make().remove_session("sales", SECRET, operation="remove")


@pytest.mark.parametrize(
    ("status", "content_type", "is_on"),
    [(200, "text/html; charset=UTF-8", True), (404, "text/html", False), (200, "application/json", False)],
)
def test_its_own_page_is_html(status: int, content_type: str, is_on: bool) -> None:
    with responses.RequestsMock() as wire:
        wire.get(f"{URL}/manager/", body="<html>", status=status, content_type=content_type)

        assert Clients().make().serves_page() is is_on
