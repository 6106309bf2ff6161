"""Where gateways and Alertmanager may be, and which addresses name the same server."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.exceptions import ConfigurationError
from core.settings.environment import load_environment
from core.settings.fields import is_allowed_host, is_same_origin, parse_allowed_hosts
from core.settings.source import SettingsSource
from core.store import FileStore

ALLOWED = "wpp.example.org, *.gw.test,10.0.0.0/8,192.0.2.7,fd00::/8"


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("http://wpp.example.org:21465", True),
        ("https://WPP.example.org./gw", True),
        ("http://a.gw.test", True),
        ("http://a.b.gw.test", True),
        ("http://10.1.2.3:21465", True),
        ("http://192.0.2.7", True),
        ("http://[fd00::1]:21465", True),
        ("http://gw.test", False),
        ("http://xgw.test", False),
        ("http://wpp.example.org.evil.test", False),
        ("http://evil.test/wpp.example.org", False),
        ("http://wpp.example.org@evil.test", False),
        ("http://192.0.2.8", False),
        ("http://127.0.0.1:9093", False),
        ("http://[::1]", False),
        ("http://[::ffff:10.1.2.3]", False),
        ("http://169.254.169.254/latest", False),
        ("http://2130706433", False),
        ("http://0x7f.1", False),
        ("http://localhost", False),
    ],
)
def test_only_what_is_listed_is_allowed(url: str, is_allowed: bool) -> None:
    assert is_allowed_host(url, parse_allowed_hosts(ALLOWED)) == is_allowed


@pytest.mark.parametrize("url", ["http://127.0.0.1", "http://169.254.169.254", "http://anything.test"])
def test_empty_list_allows_all(url: str) -> None:
    assert is_allowed_host(url, parse_allowed_hosts(""))


@pytest.mark.parametrize("text", ["http://wpp.example.org", "10.0.0.0/33", "a b", "*", "wpp:21465", "1.2.3"])
def test_what_is_neither_a_host_nor_a_network_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_environment({"WPPCONNECT_ALLOWED_HOSTS": text})

    assert "WPPCONNECT_ALLOWED_HOSTS: must be a comma list of hosts and networks" in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "url"),
    [("WPPCONNECT_URL", "http://127.0.0.1:21465"), ("ALERTMANAGER_URL", "http://me:secret@127.0.0.1:9093")],
)
def test_environment_has_to_keep_to_its_own_list(variable: str, url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_environment({"WPPCONNECT_ALLOWED_HOSTS": "wpp.example.org", variable: url})

    assert f"{variable}: is not among the hosts" in str(refused.value)


@pytest.mark.parametrize("kind", ["gateway", "Alertmanager"])
def test_address_that_is_not_allowed_cannot_be_saved(kind: str, tmp_path: Path) -> None:
    environment = load_environment({"WPPCONNECT_ALLOWED_HOSTS": "10.0.0.0/8"})
    source = SettingsSource(environment, FileStore(tmp_path / "store"))
    saved, url = source.saved(), "http://169.254.169.254"
    saved = (
        saved.with_server("main", url=url) if kind == "gateway" else saved.with_program(alertmanager_url=url)
    )

    with pytest.raises(ConfigurationError) as refused:
        source.save(saved, expected_revision=0, actor="ana")

    assert [problem.partition(": ")[2][:22] for problem in refused.value.problems] == [
        "is not among the hosts"
    ]


@pytest.mark.parametrize(
    ("url", "other", "is_same"),
    [
        ("http://a", "http://a:80/", True),
        ("https://A:443/gw", "https://a", True),
        ("http://a:1/x", "http://a:1/y", True),
        ("http://a", "https://a", False),
        ("http://a", "http://a:8080", False),
        ("http://a", "http://b", False),
        ("http://a@b", "http://a", False),
        ("http://a:x", "http://a:x", False),
    ],
)
def test_same_server_is_scheme_host_and_port(url: str, other: str, is_same: bool) -> None:
    assert is_same_origin(url, other) == is_same
