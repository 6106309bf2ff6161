"""What is no gateway is never called one, by no metric and not by the doctor, who says what it is."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.main import main as wppconnect_ops
from core.gateways.wppconnect.contract.answers import FROM_A_PROXY
from core.messages import Message
from exporter.cli import main as exporter
from simulator import Simulator
from tests.loopback import (
    Loopback,
    Peer,
    Script,
    answering,
    closing,
    cut_short,
    http_answer,
    resetting,
    silent,
    wppconnect_server_go,
)
from tests.support.exposition import samples

SECRET = "a-secret-of-the-operator-0123456789abcdef"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Stranger:
    """Something that is no gateway, and what is said of it."""

    name: str
    script: Script
    message: Message
    scheme: str = "http"


def always(
    body: bytes, status: str = "200 OK", content_type: str = "application/json", **headers: str
) -> Script:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return answering(http_answer(body, status=status, content_type=content_type, headers=lines))


def says(message_id: str, status: int | None = None) -> Message:
    return Message(message_id, {} if status is None else {"status": status})


def page(text: str) -> bytes:
    return f"<!DOCTYPE html><html><body>{text}</body></html>".encode()


def ssh(peer: Peer) -> None:
    peer.send(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    peer.wait_until_closed()


def plain_port(peer: Peer) -> None:
    peer.sock.recv(65536)
    peer.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def tls_alert(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"\x15\x03\x01\x00\x02\x02\x46")


ANSWERS = [
    Stranger(
        "Traefik without a route",
        always(b"404 page not found\n", "404 Not Found", TEXT),
        says("gateway.not_routed", 404),
    ),
    Stranger(
        "nginx without the page",
        always(page("nginx: no such page"), "404 Not Found", HTML),
        says("gateway.not_routed", 404),
    ),
    Stranger("Caddy's empty 404", always(b"", "404 Not Found", ""), says("gateway.not_routed", 404)),
    Stranger(
        "Kubernetes' default backend",
        always(b"default backend - 404", "404 Not Found", TEXT),
        says("gateway.not_routed", 404),
    ),
    Stranger(
        "misdirected request", always(b"", "421 Misdirected Request", TEXT), says("gateway.not_routed", 421)
    ),
    Stranger(
        "JSON 404",
        always(b'{"statusCode":404,"message":"no route"}', "404 Not Found"),
        says("gateway.not_json", 404),
    ),
    Stranger("Spring's health", always(b'{"status":"UP"}'), says("gateway.not_json", 200)),
    Stranger(
        "a health with an uptime", always(b'{"uptime":12.5,"status":"ok"}'), says("gateway.not_json", 200)
    ),
    Stranger(
        "healthz's fields at every path",
        always(b'{"uptime":12.5,"message":"OK","timestamp":1}'),
        says("gateway.not_json", 200),
    ),
    Stranger(
        "names that everybody may list",
        always(b'{"response":["sales"],"status":"CONNECTED"}'),
        says("gateway.not_json", 200),
    ),
    Stranger(
        "a refusal of every key",
        always(b'{"response":false,"message":"no"}', "400 Bad Request"),
        says("gateway.not_json", 400),
    ),
    Stranger("a JSON list", always(b"[]"), says("gateway.not_json", 200)),
    Stranger(
        "Evolution API",
        always(
            b'{"status":401,"error":"Unauthorized","response":{"message":"Unauthorized"}}', "401 Unauthorized"
        ),
        says("gateway.not_json", 401),
    ),
    Stranger(
        "an API gateway",
        always(b'{"message":"No API key found in request"}', "401 Unauthorized"),
        says("gateway.not_json", 401),
    ),
    Stranger(
        "Express without the routes",
        always(page("<pre>Cannot GET /healthz</pre>"), "404 Not Found", HTML),
        says("gateway.not_express", 404),
    ),
    Stranger("empty response", always(b"", "200 OK", ""), says("gateway.not_empty")),
    Stranger("wppconnect-server-go", wppconnect_server_go, says("gateway.not_supported")),
    Stranger(
        "a sign-in page",
        always(page('<form><input type="password"></form>'), "200 OK", HTML),
        says("gateway.not_sign_in"),
    ),
    Stranger(
        "a sign-in page elsewhere",
        always(b"", "302 Found", HTML, Location="https://sso.example.org/"),
        says("transport.redirected", 302),
    ),
    Stranger(
        "basic authentication",
        always(page("401"), "401 Unauthorized", HTML, WWW_Authenticate="Basic"),
        says("gateway.not_access", 401),
    ),
    Stranger(
        "a challenge of a CDN",
        always(page("Just a moment"), "403 Forbidden", HTML),
        says("gateway.not_access", 403),
    ),
    Stranger("a web page", always(page("Grafana"), "200 OK", HTML), says("gateway.not_page", 200)),
    Stranger(
        "a picture", always(b"\x89PNG\r\n\x1a\n", "200 OK", "image/png"), says("gateway.not_other", 200)
    ),
    Stranger("a metrics page", always(b"# HELP up\nup 1\n", "200 OK", TEXT), says("gateway.not_other", 200)),
    Stranger(
        "a server that fails",
        always(page("Internal Server Error"), "500 Internal Server Error", HTML),
        says("gateway.not_other", 500),
    ),
    Stranger(
        "nginx on its TLS port",
        always(page("The plain HTTP request was sent to HTTPS port"), "400 Bad Request", HTML),
        says("transport.https_on_http"),
    ),
    Stranger(
        "Go on its TLS port",
        always(b"Client sent an HTTP request to an HTTPS server.\n", "400 Bad Request", TEXT),
        says("transport.https_on_http"),
    ),
    Stranger("a TLS port", tls_alert, says("transport.https_on_http")),
    Stranger("https to a plain port", plain_port, says("transport.http_on_https"), "https"),
    Stranger("SSH", ssh, says("transport.not_http")),
    Stranger("closed immediately", closing, says("transport.closed_at_once")),
    Stranger("reset at once", resetting, says("transport.closed_at_once")),
    Stranger("cut short", cut_short, says("transport.closed_midway")),
    *(
        Stranger(
            f"a proxy with {status}", always(page("x"), f"{status} Gone", HTML), says(message_id, status)
        )
        for status, (_, message_id) in FROM_A_PROXY.items()
    ),
]

IN_TIME = [
    Stranger("silence", silent, says("transport.timeout")),
    Stranger(
        "too many requests",
        always(b"", "429 Too Many Requests", TEXT, Retry_After="7"),
        says("transport.left_alone"),
    ),
    Stranger(
        "maintenance",
        always(b"", "503 Service Unavailable", TEXT, Retry_After="7"),
        says("transport.left_alone"),
    ),
]
"""What may be a gateway, but proves nothing."""

NEVER_SAID = ("The gateway answers", "The secret key is accepted", "The public default secret is accepted")


def environment(url: str, directory: Path, **more: str) -> dict[str, str]:
    return {
        "WPPCONNECT_URL": url,
        "WPPCONNECT_SECRET_KEY": SECRET,
        "WPPCONNECT_SESSIONS": "sales",
        "WPPCONNECT_DATA_DIR": str(directory / "data"),
        "WPPCONNECT_TIMEOUT_HEALTHZ_SECONDS": "1",
        **more,
    }


def assert_no_gateway(metrics: Mapping[str, float]) -> None:
    assert metrics['wppconnect_up{server="main"}'] == 0
    assert metrics.get('wppconnect_secret_key_valid{server="main"}') != 1
    assert metrics.get('wppconnect_server_default_secret{server="main"}') != 1
    assert metrics['wppconnect_session_connected{server="main",session="sales"}'] == 0


@pytest.mark.parametrize("stranger", ANSWERS + IN_TIME, ids=lambda one: one.name)
def test_the_exporter_calls_it_down(
    stranger: Stranger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Loopback(stranger.script) as server:
        url = server.url.replace("http", stranger.scheme)
        code = exporter(["--once"], environment(url, tmp_path))

    assert code == 1
    assert_no_gateway(samples(capsys.readouterr().out))


@pytest.mark.parametrize("stranger", ANSWERS, ids=lambda one: one.name)
def test_the_doctor_says_what_it_is(
    stranger: Stranger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Loopback(stranger.script) as server:
        url = server.url.replace("http", stranger.scheme)
        code = wppconnect_ops(["doctor"], environment(url, tmp_path))

    said = capsys.readouterr().out
    assert code == 1
    assert str(stranger.message) in said
    assert not [claim for claim in NEVER_SAID if claim in said]


def test_the_doctor_calls_what_gives_no_answer_late(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Loopback(silent) as server:
        wppconnect_ops(["doctor"], environment(server.url, tmp_path))

    assert "does not answer in time" in capsys.readouterr().out


@dataclass(frozen=True)
class BadCertificate:
    """A certificate that no client may accept, and why."""

    message_id: str
    names: tuple[str, ...] = ("127.0.0.1",)
    days: int = 1
    is_trusted: bool = True


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(BadCertificate("transport.certificate_unknown", is_trusted=False), id="unknown"),
        pytest.param(BadCertificate("transport.certificate_expired", days=-1), id="expired"),
        pytest.param(
            BadCertificate("transport.certificate_other_name", names=("127.0.0.2",)), id="other name"
        ),
    ],
)
def test_a_certificate_that_is_refused_is_told_by_its_fault(
    bad: BadCertificate, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = certificate(tmp_path, bad.names, bad.days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)

    def script(peer: Peer) -> None:
        peer.sock = context.wrap_socket(peer.sock, server_side=True)
        answering(http_answer())(peer)

    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]) if bad.is_trusted else str(tmp_path / "none"))
    with Loopback(script) as server:
        environ = environment(server.url.replace("http", "https"), tmp_path)
        codes = exporter(["--once"], environ), wppconnect_ops(["doctor"], environ)

    said = capsys.readouterr().out
    assert codes == (1, 1)
    assert_no_gateway(samples(said))
    assert str(Message(bad.message_id)) in said


@pytest.mark.parametrize(
    ("url", "message_id"),
    [
        pytest.param("http://127.0.0.1:{free}", "transport.refused", id="nothing listens"),
        pytest.param("http://no-such-gateway.invalid", "transport.unresolved", id="name not resolved"),
    ],
)
def test_an_address_without_anybody_is_told_by_its_fault(
    url: str, message_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    environ = environment(url.format(free=free), tmp_path)

    codes = exporter(["--once"], environ), wppconnect_ops(["doctor"], environ)

    said = capsys.readouterr().out
    assert codes == (1, 1)
    assert_no_gateway(samples(said))
    assert str(Message(message_id)) in said


@pytest.mark.parametrize("path", ["/wpp", "/api"])
def test_a_wrong_path_before_the_right_gateway_is_told(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Simulator(secret_key=SECRET, sessions=["sales"]) as gateway:
        environ = environment(gateway.url + path, tmp_path)
        codes = exporter(["--once"], environ), wppconnect_ops(["doctor"], environ)

    said = capsys.readouterr().out
    assert codes == (1, 1)
    assert_no_gateway(samples(said))
    assert str(says("gateway.not_express", 404)) in said


@pytest.mark.parametrize("stranger", ANSWERS[:2], ids=lambda one: one.name)
def test_the_commands_say_the_same(stranger: Stranger, tmp_path: Path) -> None:
    commands = Path(sys.executable).parent
    with Loopback(stranger.script) as server:
        environ = environment(server.url, tmp_path) | {"PATH": os.environ["PATH"]}
        ran = [
            subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
            for command in (
                [commands / "wppconnect-exporter", "--once"],
                [commands / "wppconnect-ops", "doctor"],
            )
        ]

    assert [one.returncode for one in ran] == [1, 1]
    assert_no_gateway(samples(ran[0].stdout))
    assert str(stranger.message) in ran[1].stdout


def certificate(directory: Path, names: tuple[str, ...], days: int) -> tuple[Path, Path]:
    """Make a self-signed certificate that is valid from two days ago until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(one)) for one in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = directory / "gateway.crt", directory / "gateway.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file
