from __future__ import annotations

import pytest

from core.exceptions import ConfigurationError
from exporter.web_config import WebConfig, read_web_config

HASH = "$2y$04$" + "a" * 53
TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


@pytest.fixture
def write(tmp_path):
    """Write a web.yml and return its path."""

    def write(text):
        path = tmp_path / "web.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def problems(path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_web_config(path)
    return list(caught.value.problems)


def test_no_file_means_plain_http_for_everybody():
    assert read_web_config(None) == WebConfig()


@pytest.mark.parametrize("text", ["", "# nothing\n", "basic_auth_users:\n", "tls_server_config: {}\n"])
def test_empty_file_means_the_same(write, text):
    config = read_web_config(write(text))

    assert (dict(config.users), config.tls, config.headers) == ({}, None, ())


def test_users_and_headers_are_read(write):
    path = write(
        f"basic_auth_users:\n  alice: {HASH}\n  bob: {HASH}\n"
        "http_server_config:\n  http2: false\n  headers: {X-Frame-Options: deny, X-XSS-Protection: ''}\n"
    )

    config = read_web_config(path)

    assert config.users == {"alice": HASH, "bob": HASH}
    assert config.headers == (("x-frame-options", "deny"),)
    assert config.files == (path,)


def test_hashes_are_not_shown():
    assert HASH not in repr(WebConfig(users={"alice": HASH}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a list", "must be a mapping, one `name: value` a line"),
        ("a: [", "is not valid YAML at line 1; correct it"),
        ("basic_auth_users: {a: b, a: c}", "is not valid YAML at line 1; correct it"),
        ("\x00", "is not valid YAML; correct it"),
        (
            "a: &a [*a]",
            "a: is not a setting; known are tls_server_config, http_server_config, ",
        ),
        ("basic_auth_user: {}", "basic_auth_user: is not a setting; did you mean basic_auth_users"),
        (f"{HASH}: 1", "(a name that is not shown): is not a setting; known are tls_server_config, "),
        (
            "rate_limit: {burst: 1}",
            "rate_limit: limits requests before they are authenticated, ",
        ),
        (TLS + "  cert_flie: x", "tls_server_config.cert_flie: is not a setting; did you mean cert_file"),
        (
            TLS + "  cert: x",
            "tls_server_config.cert: is not offered here; write it to a file and name ",
        ),
        (TLS + "  client_allowed_sans: [a]", "tls_server_config.client_allowed_sans: is not offered here; "),
        (TLS + "  cipher_suites: [a]", "tls_server_config.cipher_suites: is not offered here; "),
        ("tls_server_config: {key_file: k}", "tls_server_config.cert_file: is missing; name the PEM file"),
        ("tls_server_config: {cert_file: c}", "tls_server_config.key_file: is missing; name the PEM file"),
        ("tls_server_config: yes", "tls_server_config: must be a mapping, one `name: value` a line"),
        (
            TLS + "  min_version: TLS10",
            "tls_server_config.min_version: is a version that is no longer ",
        ),
        (TLS + "  max_version: SSL3", "tls_server_config.max_version: must be TLS12 or TLS13"),
        (TLS + "  min_version: 1.2", "tls_server_config.min_version: must be text; put it in quotes"),
        (
            TLS + "  min_version: TLS13\n  max_version: TLS12",
            "tls_server_config.max_version: is older than min_version; exchange them",
        ),
        (TLS + "  client_auth_type: Always", "tls_server_config.client_auth_type: must be NoClientCert, "),
        (
            TLS + "  client_auth_type: RequireAnyClientCert",
            "tls_server_config.client_auth_type: lets in certificates that nobody verified; use ",
        ),
        (
            TLS + "  client_auth_type: RequireAndVerifyClientCert",
            "tls_server_config.client_ca_file: is missing, and RequireAndVerifyClientCert verifies ",
        ),
        (
            TLS + "  client_ca_file: ca.crt",
            "tls_server_config.client_auth_type: is missing, so client_ca_file would not be used; ",
        ),
        (TLS, "tls_server_config.cert_file: cannot be read (No such file or directory); name a PEM file"),
        (
            "basic_auth_users: {alice: secret}",
            "basic_auth_users.alice: is not a bcrypt hash; make one with",
        ),
        ("basic_auth_users: {alice: 7}", "basic_auth_users.alice: is not a bcrypt hash; "),
        (f"basic_auth_users: {{alice: {HASH}x}}", "basic_auth_users.alice: is not a bcrypt hash; "),
        (f"basic_auth_users: {{'a:b': '{HASH}'}}", "basic_auth_users: has a name with ':' or a control "),
        (f"basic_auth_users: {{7: '{HASH}'}}", "basic_auth_users: must be a mapping, "),
        (
            f"basic_auth_users: {{alice: '{HASH.replace('04', '20')}'}}",
            "basic_auth_users.alice: has cost 20, and a check would take longer than a scrape; use 10",
        ),
        (
            "http_server_config: {http3: true}",
            "http_server_config.http3: is not a setting; did you",
        ),
        ("http_server_config: {http2: maybe}", "http_server_config.http2: must be true or false"),
        ("http_server_config: {headers: {Server: x}}", "http_server_config.headers.Server: must be one of "),
        (
            "http_server_config: {headers: {X-Frame-Options: allow}}",
            "http_server_config.headers.X-Frame-Options: must be deny or sameorigin",
        ),
        (
            'http_server_config: {headers: {Content-Security-Policy: "a\\r\\nb"}}',
            "http_server_config.headers.Content-Security-Policy: must be one line of plain text",
        ),
    ],
)
def test_mistake_is_named_with_its_key(write, text, problem):
    assert problems(write(text))[0].startswith(f"web.yml: {problem}")


def test_all_mistakes_are_told_at_once(write):
    path = write("a: 1\ntls_server_config: {b: 2}\nbasic_auth_users: {alice: c}\n")

    assert [one.split(": ")[1] for one in problems(path)] == [
        "a",
        "tls_server_config.b",
        "basic_auth_users.alice",
    ]


@pytest.mark.parametrize("text", ["basic_auth_users: {alice: hunter2}", "basic_auth_users:\n  a:hunter2\n x"])
def test_no_value_is_repeated(write, text):
    assert "hunter2" not in "".join(problems(write(text)))


def test_file_that_is_not_there_is_named_with_the_flag(tmp_path):
    path = tmp_path / "web.yml"

    assert problems(path) == [
        f"{path}: cannot be read (No such file or directory); name a file that this user can read "
        "with --web.config.file"
    ]


def test_file_of_another_kind_is_refused_unparsed(write):
    assert problems(write(b"# " * 40_000)) == [
        "web.yml: is too large for a web configuration; name another file"
    ]
