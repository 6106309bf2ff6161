"""What `wppconnect-ops run` starts, and where it listens."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cli.plan import Plan, address_problems, make_plan
from core.addresses import Address, local_url
from core.exceptions import ConfigurationError
from tests.plugins.system_tools import require
from tests.support.certificates import make_pair


@pytest.fixture
def ports() -> list[int]:
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(4)]
        return [server.getsockname()[1] for server in servers]


@pytest.fixture
def environ(ports: list[int], tmp_path: Path) -> dict[str, str]:
    """Free ports and a data folder of our own."""
    page, exporter, gateway, phone = ports
    return {
        "DASHBOARD_LISTEN_ADDRESS": f"127.0.0.1:{page}",
        "EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{exporter}",
        "SIMULATOR_GATEWAY_PORT": str(gateway),
        "SIMULATOR_PHONE_PORT": str(phone),
        "WPPCONNECT_DATA_DIR": str(tmp_path / "data"),
    }


def names(plan: Plan) -> list[str]:
    return [service.name for service in plan.services]


def test_without_a_gateway_a_simulated_one_is_started_first(
    environ: dict[str, str], ports: list[int], tmp_path: Path
) -> None:
    plan = make_plan(environ, tmp_path, at_terminal=True)

    simulator, exporter, page = plan.services
    secret_file = str(tmp_path / "data" / "demo-secret")
    assert names(plan) == ["simulator", "exporter", "page"]
    assert simulator.health_urls == (f"http://127.0.0.1:{ports[2]}/healthz", f"http://127.0.0.1:{ports[3]}/")
    assert simulator.environ["SIMULATOR_SECRET_KEY_FILE"] == secret_file
    assert exporter.environ["WPPCONNECT_SECRET_KEY_FILE"] == secret_file
    assert exporter.environ["WPPCONNECT_URL"] == f"http://127.0.0.1:{ports[2]}"
    assert page.environ["WPPCONNECT_SESSIONS"] == "leguas_wppconnect"


def test_with_a_gateway_no_simulator_is_started_and_no_secret_made(
    environ: dict[str, str], tmp_path: Path
) -> None:
    environ["WPPCONNECT_URL"] = "http://gateway.example:21465"

    plan = make_plan(environ, tmp_path, at_terminal=True)

    assert names(plan) == ["exporter", "page"]
    assert ("Gateway", "http://gateway.example:21465") in plan.addresses
    assert not (tmp_path / "data" / "demo-secret").exists()


def test_page_prints_its_link_only_at_a_terminal(environ: dict[str, str], tmp_path: Path) -> None:
    at_terminal = make_plan(environ, tmp_path, at_terminal=True).services[-1]
    in_a_log = make_plan(environ, tmp_path, at_terminal=False).services[-1]

    assert at_terminal.environ["DASHBOARD_PRINT_LINK"] == "true"
    assert "DASHBOARD_PRINT_LINK" not in in_a_log.environ


def test_each_program_gets_only_the_variables_that_are_its_own(
    environ: dict[str, str], tmp_path: Path
) -> None:
    environ |= {
        "PATH": "/usr/bin",
        "LC_TIME": "pt_PT.UTF-8",
        "AWS_SECRET_ACCESS_KEY": "theirs",
        "EXPORTER_WEBHOOK_TOKEN": "a-token-of-more-than-sixteen",
        "DASHBOARD_EXTERNAL_URL": "https://ops.example.org",
        "ALERTMANAGER_URL": "http://127.0.0.1:9093",
    }
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=theirs\n")

    simulator, exporter, page = (
        dict(one.environ) for one in make_plan(environ, tmp_path, at_terminal=False).services
    )

    for told in (simulator, exporter, page):
        assert {"POSTGRES_PASSWORD", "AWS_SECRET_ACCESS_KEY"}.isdisjoint(told)
        assert (told["PATH"], told["LC_TIME"]) == ("/usr/bin", "pt_PT.UTF-8")
    assert "EXPORTER_WEBHOOK_TOKEN" in exporter
    assert "EXPORTER_WEBHOOK_TOKEN" not in page
    assert "DASHBOARD_EXTERNAL_URL" in page
    assert "DASHBOARD_EXTERNAL_URL" not in exporter
    assert exporter["ALERTMANAGER_URL"] == page["ALERTMANAGER_URL"] == "http://127.0.0.1:9093"
    assert {name.split("_")[0] for name in simulator} == {"SIMULATOR", "PATH", "LC"}


def test_welcome_names_every_address_and_ends_with_the_link(
    environ: dict[str, str], ports: list[int], tmp_path: Path
) -> None:
    plan = make_plan(environ, tmp_path, at_terminal=True)

    text = plan.welcome(["First sign-in:", "  http://127.0.0.1/sign-in/link#token"])

    page, exporter, gateway, phone = ports
    assert text.splitlines() == [
        "",
        "Ready. Ctrl-C ends all of it.",
        "",
        f"  Page       http://127.0.0.1:{page}",
        f"  Exporter   http://127.0.0.1:{exporter}/metrics",
        f"  Gateway    http://127.0.0.1:{gateway} (simulated, session leguas_wppconnect)",
        f"  Its phone  http://127.0.0.1:{phone}",
        "",
        "  First sign-in:",
        "    http://127.0.0.1/sign-in/link#token",
    ]


def test_without_a_terminal_the_welcome_names_the_file_with_the_link(
    environ: dict[str, str], tmp_path: Path
) -> None:
    plan = make_plan(environ, tmp_path, at_terminal=False)
    link = tmp_path / "data" / "first-sign-in-link"
    link.write_text("http://127.0.0.1/sign-in/link#token")

    text = plan.welcome([])

    assert f"The first sign-in link is in {link}" in text
    assert "#token" not in text


def test_all_mistakes_of_all_programs_are_reported_together(environ: dict[str, str], tmp_path: Path) -> None:
    environ |= {
        "WPPCONNECT_URL": "gateway",
        "WPPCONNECT_INTERVAL_SECONDS": "0",
        "EXPORTER_WEB_LISTEN_ADDRESS": "nowhere",
        "DASHBOARD_LISTEN_ADDRESS": "nowhere",
    }

    with pytest.raises(ConfigurationError) as caught:
        make_plan(environ, tmp_path, at_terminal=True)

    assert {problem.partition(":")[0] for problem in caught.value.problems} == {
        "WPPCONNECT_URL",
        "WPPCONNECT_INTERVAL_SECONDS",
        "EXPORTER_WEB_LISTEN_ADDRESS",
        "DASHBOARD_LISTEN_ADDRESS",
    }


@pytest.fixture
def taken(ports: list[int]) -> Iterator[None]:
    """Somebody else listens on two of our ports."""
    with ExitStack() as stack:
        for port in (ports[0], ports[3]):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@pytest.mark.usefixtures("taken")
def test_all_taken_ports_are_named_and_nothing_is_made(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_plan(environ, tmp_path, at_terminal=True)

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "DASHBOARD_LISTEN_ADDRESS",
        "SIMULATOR_PHONE_PORT",
    ]
    assert not (tmp_path / "data").exists()


def test_an_exporter_with_tls_is_asked_and_shown_over_https(
    environ: dict[str, str], ports: list[int], tmp_path: Path
) -> None:
    require("openssl")
    pair = make_pair(tmp_path, "exporter")
    web = tmp_path / "web.yml"
    web.write_text(f"tls_server_config:\n  cert_file: {pair.certificate}\n  key_file: {pair.key}\n")
    environ["EXPORTER_WEB_CONFIG_FILE"] = str(web)

    plan = make_plan(environ, tmp_path, at_terminal=True)

    exporter = next(service for service in plan.services if service.name == "exporter")
    assert exporter.health_urls == (f"https://127.0.0.1:{ports[1]}/-/healthy",)
    assert ("Exporter", f"https://127.0.0.1:{ports[1]}/metrics") in plan.addresses


def test_a_wrong_web_configuration_is_told_before_anything_is_started(
    environ: dict[str, str], tmp_path: Path
) -> None:
    environ["EXPORTER_WEB_CONFIG_FILE"] = str(tmp_path / "missing.yml")

    with pytest.raises(ConfigurationError, match=r"missing\.yml: cannot be read"):
        make_plan(environ, tmp_path, at_terminal=True)


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
