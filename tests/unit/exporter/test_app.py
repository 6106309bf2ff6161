from __future__ import annotations

import base64
import gzip
from datetime import timedelta

import bcrypt
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from exporter.access import Access
from exporter.catalogue import CATALOGUE
from exporter.web_config import WebConfig


@pytest.fixture
def healthy(ask, scenario):
    snapshot = scenario("healthy")
    return ask(lambda: snapshot)


def test_metrics_are_the_golden_exposition(healthy, golden):
    status, headers, body = healthy("/metrics")

    assert status == 200
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert body.decode() == golden("healthy")


def test_openmetrics_is_served_to_whom_asks_for_it(healthy):
    _, headers, body = healthy("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})

    assert headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert len(list(parse_openmetrics(body.decode()))) == len(CATALOGUE)


def test_metrics_are_zipped_for_whom_takes_it(healthy, golden):
    _, headers, body = healthy("/metrics", headers={"Accept-Encoding": "gzip"})

    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body).decode() == golden("healthy")


def test_query_changes_nothing(healthy, golden):
    assert healthy("/metrics?session=sales")[2].decode() == golden("healthy")


def test_healthy_says_ok(healthy):
    assert healthy("/-/healthy")[::2] == (200, b"ok\n")


def test_index_links_the_other_pages_and_loads_nothing(healthy):
    status, headers, body = healthy("/")

    assert status == 200
    assert headers["content-security-policy"] == "default-src 'none'"
    assert all(f'href="{path}"'.encode() in body for path in ("/metrics", "/-/healthy", "/-/ready"))
    assert b"1.2.3" in body


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
def test_head_is_answered_like_get_without_a_body(healthy, path):
    status, headers, body = healthy(path, method="HEAD")
    got_status, got_headers, _ = healthy(path)

    assert (status, body) == (got_status, b"")
    assert headers["content-length"] == got_headers["content-length"]


@pytest.mark.parametrize(
    "path", ["/metrics/", "/METRICS", "/favicon.ico", "/-/quit", "/../metrics", "/%2e%2e/etc"]
)
def test_unknown_path_is_404(healthy, path):
    assert healthy(path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_method_is_405_and_names_those_that_are_allowed(healthy, method):
    status, headers, _ = healthy("/metrics", method=method)

    assert (status, headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("headers", [{"Content-Length": "5"}, {"Transfer-Encoding": "chunked"}])
def test_announced_body_is_refused_unread_and_the_connection_ends(healthy, headers):
    status, answer, _ = healthy("/metrics", headers=headers)

    assert (status, answer["connection"]) == (413, "close")


def test_body_of_no_bytes_is_no_body(healthy):
    assert healthy("/metrics", headers={"Content-Length": "0"})[0] == 200


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("healthy", 200, b"ready\n"),
        ("down", 200, b"ready\n"),
        ("many", 200, b"ready\n"),
        ("stale", 503, b"main: nobody has probed it for too long\n"),
    ],
)
def test_ready_means_that_one_gateway_was_asked_lately(ask, scenario, name, status, text):
    request = ask(lambda: scenario(name))

    assert request("/-/ready")[::2] == (status, text)


def test_not_ready_before_the_first_probe(ask, make_server, make_snapshot):
    request = ask(lambda: make_snapshot(make_server(up=None)))

    assert request("/-/ready")[::2] == (503, b"main: waiting for the first probe\n")


def test_ready_when_no_gateway_is_configured(ask, make_snapshot):
    assert ask(make_snapshot)("/-/ready")[::2] == (200, b"ready\n")


def test_ready_when_the_only_gateway_is_paused(ask, make_server, make_snapshot):
    request = ask(lambda: make_snapshot(make_server(up=None, enabled=False)))

    assert request("/-/ready")[0] == 200


def test_unreadable_snapshot_is_500_and_tells_nothing(ask, caplog):
    def fail():
        raise RuntimeError("the disk is full of secrets")

    status, _, body = ask(fail)("/metrics")

    assert status == 500
    assert b"secrets" not in body
    assert "request_failed route=/metrics" in caplog.text


def test_healthy_needs_no_snapshot(ask):
    def fail():
        raise RuntimeError("no snapshot")

    assert ask(fail)("/-/healthy")[0] == 200


def test_snapshot_is_read_anew_for_each_scrape(ask, scenario, make_snapshot, make_server, make_session, noon):
    snapshots = iter(
        [scenario("healthy"), make_snapshot(make_server(make_session(), published_at=noon - timedelta(1)))]
    )
    request = ask(lambda: next(snapshots))

    connected = [
        b'session_connected{server="main",session="sales"} 1' in request("/metrics")[2] for _ in range(2)
    ]

    assert connected == [True, False]


def test_reload_is_forbidden_unless_it_was_allowed(healthy):
    status, _, body = healthy("/-/reload", method="POST")

    assert status == 403
    assert b"--web.enable-lifecycle" in body


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_reload_reads_the_settings(ask, scenario, method):
    calls = []
    request = ask(lambda: scenario("healthy"), reload=lambda: calls.append(1) or ())

    assert request("/-/reload", method=method)[0] == 200
    assert len(calls) == 1


def test_refused_reload_is_500_with_what_is_wrong(ask, scenario):
    request = ask(lambda: scenario("healthy"), reload=lambda: ("web.yml: a: is not a setting",))

    status, _, body = request("/-/reload", method="POST")

    assert status == 500
    assert b"The old settings stay in force:\n  web.yml: a: is not a setting\n" in body


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin"}],
    ids=["a foreign page", "a sandboxed page", "a page of ours, and there is none that does"],
)
def test_reload_by_a_browser_is_forbidden(ask, scenario, headers):
    calls = []
    request = ask(lambda: scenario("healthy"), reload=lambda: calls.append(1) or ())

    status, _, body = request("/-/reload", method="POST", headers=headers)

    assert (status, calls) == (403, [])
    assert b"use curl -X POST, or send SIGHUP" in body


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_reload_by_another_method_is_405(healthy, method):
    status, headers, _ = healthy("/-/reload", method=method)

    assert (status, headers["allow"]) == (405, "POST, PUT")


@pytest.mark.parametrize("path", ["/probe", "/sd"])
def test_new_paths_are_only_read(healthy, path):
    assert healthy(path, method="POST")[0] == 405


HASH = bcrypt.hashpw(b"wonderland", bcrypt.gensalt(4)).decode()
PASSWORD = {"Authorization": "Basic " + base64.b64encode(b"alice:wonderland").decode()}


@pytest.fixture
def guarded(ask, scenario):
    return ask(
        lambda: scenario("healthy"), access=Access(WebConfig(users={"alice": HASH})), reload=lambda: ()
    )


PROTECTED = [("/", "GET"), ("/metrics", "GET"), ("/probe", "GET"), ("/sd", "GET"), ("/-/ready", "GET")]


@pytest.mark.parametrize(
    ("path", "method"), [*PROTECTED, ("/-/reload", "POST"), ("/unknown", "GET"), ("/metrics", "POST")]
)
def test_everything_asks_for_the_password(guarded, path, method):
    status, headers, body = guarded(path, method)

    assert status == 401
    assert headers["www-authenticate"] == 'Basic realm="wppconnect-exporter", charset="UTF-8"'
    assert body == b"401 Unauthorized. Send a name and password.\n"


def test_health_is_open_to_everybody(guarded):
    assert guarded("/-/healthy")[0] == 200


def test_webhook_is_404_without_a_password_too(guarded):
    assert guarded("/webhook/guess", "POST")[0] == 404


@pytest.mark.parametrize(("path", "method"), [("/metrics", "GET"), ("/sd", "GET"), ("/-/reload", "POST")])
def test_password_opens(guarded, path, method):
    assert guarded(path, method, PASSWORD)[0] == 200


def test_configured_headers_are_in_every_answer(ask, scenario):
    headers = (("strict-transport-security", "max-age=1"), ("content-security-policy", "default-src 'self'"))
    request = ask(lambda: scenario("healthy"), access=Access(WebConfig(headers=headers)))

    for path in ("/", "/metrics", "/unknown"):
        answer = request(path)[1]
        assert answer["strict-transport-security"] == "max-age=1"
        assert answer["content-security-policy"] == "default-src 'self'"
