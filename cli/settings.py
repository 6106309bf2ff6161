"""Where the simulated gateway of the demo listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from core.addresses import Address
from core.settings.loader import Environment, Loaded, load_settings

Port = Annotated[int, Field(ge=1, le=65535)]


class SimulatorEnvironment(Environment):
    """The simulator's addresses. It reads them itself, too: it imports nothing of ours."""

    prefix: ClassVar[str] = "SIMULATOR_"

    listen_address: str = "127.0.0.1"
    gateway_port: Port = 21465
    phone_port: Port = 21467

    @property
    def gateway(self) -> Address:
        """Where the gateway listens."""
        return self.listen_address, self.gateway_port

    @property
    def phone(self) -> Address:
        """Where the page with the phones listens."""
        return self.listen_address, self.phone_port


def load_simulator_settings(environ: Mapping[str, str]) -> Loaded[SimulatorEnvironment]:
    """Read its addresses and nothing else: what it knows besides must not be called unknown."""
    ours = {SimulatorEnvironment.variable(name) for name in SimulatorEnvironment.model_fields}
    return load_settings(
        SimulatorEnvironment, {name: value for name, value in environ.items() if name in ours}
    )
