from __future__ import annotations

import socket

import pytest

from core.addresses import address_text
from core.exceptions import ConfigurationError
from exporter.listening import listen

REMEDY = "; choose another with EXPORTER_WEB_LISTEN_ADDRESS or --web.listen-address"


def test_taken_port_is_named_with_the_setting_that_moves_it():
    with listen(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError) as caught:
            listen(("127.0.0.1", port))

    assert caught.value.problems == (f"127.0.0.1:{port} is taken by another program{REMEDY}",)


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("192.0.2.1", "is no address of this machine"),
        ("a-label-of-more-than-63-letters" * 3, "has a host name that cannot be one"),
    ],
)
def test_impossible_address_says_why_and_what_to_set(host, reason):
    with pytest.raises(ConfigurationError) as caught:
        listen((host, 21466))

    assert caught.value.problems == (f"{host}:21466 {reason}{REMEDY}",)


def test_address_without_a_host_listens_everywhere():
    with listen(("", 0)) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        client.close()


def test_default_listens_on_loopback_only():
    from exporter.settings import ExporterEnvironment

    assert ExporterEnvironment().web_listen_address == ("127.0.0.1", 21466)


@pytest.mark.parametrize(
    ("address", "text"),
    [(("127.0.0.1", 80), "127.0.0.1:80"), (("::1", 80, 0, 0), "[::1]:80"), (("", 80), ":80")],
)
def test_address_is_written_as_people_do(address, text):
    assert address_text(address) == text
