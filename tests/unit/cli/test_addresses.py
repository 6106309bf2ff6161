from __future__ import annotations

import socket

import pytest

from cli.plan import address_problems
from core.addresses import Address, local_url


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (("127.0.0.1", 8501), "http://127.0.0.1:8501"),
        (("0.0.0.0", 8501), "http://127.0.0.1:8501"),
        (("", 8501), "http://127.0.0.1:8501"),
        (("::", 8501), "http://[::1]:8501"),
        (("::1", 8501), "http://[::1]:8501"),
    ],
)
def test_address_becomes_a_link_that_works_here(address: Address, url: str) -> None:
    assert local_url(address) == url


def test_taken_port_is_named_with_the_setting_that_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        problems = address_problems([("DASHBOARD_LISTEN_ADDRESS", ("127.0.0.1", port))])

    assert problems == [
        f"DASHBOARD_LISTEN_ADDRESS: 127.0.0.1:{port} is taken by another program; free it or choose another"
    ]


def test_address_that_just_became_free_is_no_problem() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address), server.accept()[0]:
            pass

    assert address_problems([("EXPORTER_WEB_LISTEN_ADDRESS", address)]) == []


def test_address_given_twice_is_named_with_both_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()

    problems = address_problems([("DASHBOARD_LISTEN_ADDRESS", address), ("SIMULATOR_PHONE_PORT", address)])

    assert problems == [
        f"SIMULATOR_PHONE_PORT: 127.0.0.1:{address[1]} is the address of DASHBOARD_LISTEN_ADDRESS, too; "
        "choose another"
    ]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (("127.0.0.1", 0), "X: port 0 is none that can be asked for; choose one from 1 to 65535"),
        (("192.0.2.1", 8501), "X: 192.0.2.1:8501 is no address of this machine; free it or choose another"),
    ],
    ids=["a port that nobody can know", "an address of another machine"],
)
def test_unusable_address_is_explained(address: Address, reason: str) -> None:
    assert address_problems([("X", address)]) == [reason]
