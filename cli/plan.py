"""The services that `wppconnect-ops run` starts and their addresses, checked before the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from cli.environment import (
    demo_environment,
    demo_problems,
    environment_of,
    has_gateway,
    make_demo_secret,
    note_demo_gateway,
    read_environment,
)
from cli.supervisor import Service, program
from core.addresses import Address, check_listening, local_url
from core.exceptions import ConfigurationError
from core.settings.environment import CoreEnvironment, prepare_data_dir
from core.settings.loader import Environment, Loaded, load_settings, require_all
from dashboard.settings import DashboardEnvironment
from exporter.settings import ExporterEnvironment
from exporter.web_config import read_web_config

LINK_FILE = "first-sign-in-link"
"""The file in which the page writes the first sign-in link without a terminal (dashboard/auth/links.py)."""


@dataclass(frozen=True)
class Plan:
    """The services to start, and the text for the terminal once they respond."""

    services: tuple[Service, ...]
    addresses: tuple[tuple[str, str], ...]
    link_file: Path

    def welcome(self, handed_over: Sequence[str]) -> str:
        """Return the text with the addresses and the lines received from the page: the first sign-in link."""
        width = max(len(name) for name, _ in self.addresses)
        lines = [f"  {name:<{width}}  {text}" for name, text in self.addresses]
        sign_in = list(handed_over)
        if not sign_in and self.link_file.exists():
            sign_in = [f"The first sign-in link is in {self.link_file}"]
        if sign_in:
            lines += ["", *(f"  {line}" for line in sign_in)]
        return "\n".join(["", "Ready. Ctrl-C ends all of it.", "", *lines, ""])


def make_plan(environ: Mapping[str, str], directory: Path, *, at_terminal: bool) -> Plan:
    """Read all settings and check all ports. Raise ConfigurationError with every problem."""
    environ = read_environment(environ, directory)
    is_demo = not has_gateway(environ)
    core = load_settings(CoreEnvironment, environ)
    exporter = load_settings(ExporterEnvironment, environ)
    page = load_settings(DashboardEnvironment, environ)
    simulator = load_simulator_settings(environ if is_demo else {})
    problems = demo_problems(environ) if is_demo else []
    try:
        require_all(core, exporter, page, simulator)
    except ConfigurationError as error:
        # First, because warnings may follow under a heading at the end.
        raise ConfigurationError([*problems, *error.problems]) from None
    demo = simulator.values if is_demo else None
    problems += address_problems(_addresses(exporter.values, page.values, demo))
    try:
        is_tls = read_web_config(exporter.values.web_config_file).tls is not None
    except ConfigurationError as error:
        is_tls, problems = False, [*problems, *error.problems]
    if problems:
        raise ConfigurationError(problems)

    data = prepare_data_dir(core.values)
    environ["WPPCONNECT_DATA_DIR"] = str(data)
    front_doors = [("Page", page.values.own_url(page.values.listen_address[1]))]
    exporter_url = local_url(exporter.values.web_listen_address, "https" if is_tls else "http")
    front_doors += [("Exporter", f"{exporter_url}/metrics")]
    if demo is None:
        gateways = [("Gateway", core.values.url or "")]
        services = _front_doors(exporter_url, page.values, environ, at_terminal=at_terminal)
    else:
        gateway, phone = local_url(demo.gateway), local_url(demo.phone)
        environ = demo_environment(environ, gateway=gateway, secret_file=make_demo_secret(data))
        note_demo_gateway(data, gateway)
        sessions = environ["WPPCONNECT_SESSIONS"]
        gateways = [("Gateway", f"{gateway} (simulated, session {sessions})"), ("Its phone", phone)]
        services = [
            _simulator(gateway, phone, environ),
            *_front_doors(exporter_url, page.values, environ, at_terminal=at_terminal),
        ]
    return Plan(tuple(services), (*front_doors, *gateways), data / LINK_FILE)


def _addresses(
    exporter: ExporterEnvironment, page: DashboardEnvironment, simulator: SimulatorEnvironment | None
) -> Iterator[tuple[str, Address]]:
    """Yield every listen address with its setting."""
    yield exporter.variable("web_listen_address"), exporter.web_listen_address
    yield page.variable("listen_address"), page.listen_address
    if simulator is not None:
        yield simulator.variable("gateway_port"), simulator.gateway
        yield simulator.variable("phone_port"), simulator.phone


def _front_doors(
    exporter_url: str,
    page: DashboardEnvironment,
    environ: Mapping[str, str],
    *,
    at_terminal: bool,
) -> list[Service]:
    # The page prints its link only on a terminal. Its output is a pipe, so it has to be set explicitly.
    for_page = {"DASHBOARD_PRINT_LINK": "true"} if at_terminal else {}
    return [
        Service(
            name="exporter",
            command=program("exporter.cli:main"),
            environ=environment_of(environ, CoreEnvironment, ExporterEnvironment),
            health_urls=(f"{exporter_url}/-/healthy",),
        ),
        Service(
            name="page",
            command=program("dashboard.cli:main"),
            environ={**environment_of(environ, CoreEnvironment, DashboardEnvironment), **for_page},
            health_urls=(f"{local_url(page.listen_address)}/-/healthy",),
            hands_over_link=True,
        ),
    ]


def _simulator(gateway: str, phone: str, environ: Mapping[str, str]) -> Service:
    return Service(
        name="simulator",
        command=program("simulator.cli:main"),
        environ=environment_of(environ, SimulatorEnvironment),
        health_urls=(f"{gateway}/healthz", f"{phone}/"),
        stops_last=True,
    )


def address_problems(wanted: Iterable[tuple[str, Address]]) -> list[str]:
    """Return a problem for each address that cannot be listened on now, with the setting to change."""
    problems: list[str] = []
    claimed: dict[Address, str] = {}
    for setting, address in wanted:
        text = f"{address[0]}:{address[1]}"
        if address in claimed:
            problems.append(f"{setting}: {text} is the address of {claimed[address]}, too; choose another")
        elif address[1] == 0:
            problems.append(f"{setting}: port 0 is none that can be asked for; choose one from 1 to 65535")
        elif reason := check_listening(address):
            problems.append(f"{setting}: {text} {reason}; free it or choose another")
        claimed.setdefault(address, setting)
    return problems


Port = Annotated[int, Field(ge=1, le=65535)]


class SimulatorEnvironment(Environment):
    """The simulator's addresses. The simulator reads them itself, too, because it imports nothing of ours."""

    prefix: ClassVar[str] = "SIMULATOR_"

    listen_address: str = "127.0.0.1"
    gateway_port: Port = 21465
    phone_port: Port = 21467

    @property
    def gateway(self) -> Address:
        """The address of the gateway."""
        return self.listen_address, self.gateway_port

    @property
    def phone(self) -> Address:
        """The address of the phone page."""
        return self.listen_address, self.phone_port


def load_simulator_settings(environ: Mapping[str, str]) -> Loaded[SimulatorEnvironment]:
    """Load the simulator's addresses only, so that its other variables are not reported as unknown."""
    ours = {SimulatorEnvironment.variable(name) for name in SimulatorEnvironment.model_fields}
    return load_settings(
        SimulatorEnvironment, {name: value for name, value in environ.items() if name in ours}
    )
