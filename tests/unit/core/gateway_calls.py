"""Calls to a gateway as tests make them, one at a time and all at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.gateways.wppconnect.client import GatewayClient
from core.transport import Answer, Transport

MakeTransport = Callable[..., Transport]
MakeClient = Callable[..., GatewayClient]
URL = "http://gateway:21465"
SECRET = "s3cret/with?odd#signs"
STRONG = "9f86d081884c7d659a2feaa0c55ad015"
OTHER = "2c26b46b68ffc68ff99b453c1d304134"


def get(transport: Transport, timeout_seconds: float = 60) -> Answer:
    return transport.request(
        "GET",
        "/api/{secretkey}/show-all-sessions",
        path={"secretkey": SECRET},
        operation="list the sessions",
        timeout_seconds=timeout_seconds,
        headers={"Authorization": "Bearer t0ken"},
        session="sales",
    )


def post(transport: Transport, timeout_seconds: float = 60) -> Answer:
    return transport.request(
        "POST",
        "/api/{session}/start-session",
        path={"session": "sales"},
        operation="start the session",
        timeout_seconds=timeout_seconds,
        json_body={"waitQrCode": False},
        session="sales",
    )


def failures(client: GatewayClient, session: str = "sales") -> tuple[int, int]:
    """Count of refused tokens and of refused secrets."""
    counted = client.tokens.failures(session)
    return counted["token_rejected"], counted["secret_rejected"]


def run_in_threads(times: int, *calls: Callable[[], object]) -> None:
    gate = threading.Barrier(times * len(calls))

    def run(call: Callable[[], object]) -> None:
        gate.wait(60)
        call()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
