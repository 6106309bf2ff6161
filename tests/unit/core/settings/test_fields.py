"""How single settings are read, and what is said about each mistake."""

import pytest

from core.messages import Message
from core.settings.fields import (
    check_docker_host,
    check_webhook,
    name_problem,
    normalise_url,
    parse_listen_address,
    parse_server_name,
    parse_session_names,
)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:21465", "http://127.0.0.1:21465"),
        ("http://127.0.0.1:21465/", "http://127.0.0.1:21465"),
        ("HTTPS://Gateway.Example.ORG", "https://gateway.example.org"),
        ("http://host/Sub/Path/", "http://host/Sub/Path"),
        ("http://[::1]:21465/", "http://[::1]:21465"),
        ("http://wppconnect_server:21465", "http://wppconnect_server:21465"),
    ],
)
def test_gateway_address_is_normalised(text: str, url: str) -> None:
    assert normalise_url(text) == url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("localhost:21465", "without_scheme", id="no scheme"),
        pytest.param("ftp://host", "of_other_scheme", id="another scheme"),
        pytest.param("http://", "without_host", id="no host"),
        pytest.param("http://host:99999", "without_host", id="port too large"),
        pytest.param("http://host:0", "without_host", id="port 0"),
        pytest.param("http://host:x", "without_host", id="port not a number"),
        pytest.param("http://http://host:1", "without_host", id="scheme twice"),
        pytest.param("http://[::1", "without_host", id="bracket not closed"),
        pytest.param("http://a..b", "without_host", id="empty label"),
        pytest.param("http://user:s3cret@host", "with_password", id="credentials"),
        pytest.param("http://host/?a=b", "with_query", id="query"),
        pytest.param("http://host/?", "with_query", id="empty query"),
        pytest.param("http://host/#a", "with_query", id="fragment"),
        pytest.param("http://ho\tst", "with_blank", id="tab that urlsplit drops"),
        pytest.param('"http://host"', "in_quotes", id="quotes of an env file"),
    ],
)
def test_wrong_gateway_address_is_refused_with_the_remedy(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        normalise_url(text)

    assert caught.value.args == (Message(f"setting.address_{problem}"),)


@pytest.mark.parametrize("text", ["none", "None", ""])
def test_webhook_none_means_known_to_have_none(text: str) -> None:
    assert check_webhook(text) == ""


def test_webhook_keeps_query_and_credentials() -> None:
    address = "https://user:pw@app.example.org/hook/?key=1"

    assert check_webhook(address) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:21466", ("127.0.0.1", 21466)),
        (":21466", ("0.0.0.0", 21466)),
        ("[::1]:80", ("::1", 80)),
        ("[::]:80", ("::", 80)),
        ("localhost:0", ("localhost", 0)),
        (" exporter.internal:9100 ", ("exporter.internal", 9100)),
    ],
)
def test_listen_address_is_read(text: str, address: tuple[str, int]) -> None:
    assert parse_listen_address(text) == address


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("21466", "must be HOST:PORT, for example 127.0.0.1:8080, or :8080 for every address"),
        ("localhost", "must be HOST:PORT, for example 127.0.0.1:8080, or :8080 for every address"),
        ("localhost:", "must be HOST:PORT, for example 127.0.0.1:8080, or :8080 for every address"),
        ("localhost:-1", "must be HOST:PORT, for example 127.0.0.1:8080, or :8080 for every address"),
        ("localhost:٣", "must be HOST:PORT, for example 127.0.0.1:8080, or :8080 for every address"),
        ("localhost:65536", "has a port above 65535; choose one from 1 to 65535"),
        ("::1:80", "has an IPv6 address without brackets; write for example [::1]:8080"),
        ("[::g]:80", "has no valid IPv6 address in its brackets; write for example [::1]:8080"),
        ("http://host:80", "has an IPv6 address without brackets; write for example [::1]:8080"),
        ("a b:80", "has no valid host name or address before the port; write for example 127.0.0.1:8080"),
    ],
)
def test_wrong_listen_address_is_refused_with_the_remedy(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_listen_address(text)

    assert caught.value.args == (problem,)


def test_session_list_ignores_blanks_and_repetitions() -> None:
    assert parse_session_names(" sales, support ,,sales,\n") == ("sales", "support")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a b", Message.of("setting.name_odd", name="a b")),
        ("sales\u200b", Message.of("setting.name_odd", name="sales\\u200b")),
        ("length", Message.of("setting.name_collides", name="length")),
        ("x" * 71, None),
        ("-x", None),
    ],
)
def test_session_name_is_refused_for_what_breaks_on_the_gateway(name: str, problem: Message | None) -> None:
    assert name_problem(name) == problem


@pytest.mark.parametrize(
    "pasted",
    ["sales:$2b$10$abc", "$2b$10$abc", "x" * 72, "http//host"],
    ids=["full", "token", "long", "path"],
)
def test_what_may_be_a_pasted_token_is_not_repeated(pasted: str) -> None:
    assert name_problem(pasted, 2) == Message.of("setting.name_entry_unusable", place=2)
    assert name_problem(pasted) == Message("setting.name_unusable")


@pytest.mark.parametrize("name", ["../x", "a b", "", "x" * 41, "ção"])
def test_server_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be 1 to 40 letters"):
        parse_server_name(name)


@pytest.mark.parametrize("text", ["unix:///var/run/docker.sock", "tcp://socket-proxy:2375"])
def test_docker_host_is_a_socket_or_a_proxy(text: str) -> None:
    assert check_docker_host(text) == text


@pytest.mark.parametrize("text", ["/var/run/docker.sock", "unix://docker.sock", "ssh://root@host", "tcp://"])
def test_other_docker_hosts_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write (one of them|for example)"):
        check_docker_host(text)
