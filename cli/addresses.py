"""Listen addresses: are they free, and how does a program on this machine reach them."""

from __future__ import annotations

from collections.abc import Iterable

from core.addresses import Address, check_listening

EVERY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def local_url(address: Address, scheme: str = "http") -> str:
    """Write the address as a link that works on this machine."""
    host, port = address
    host = EVERY_ADDRESS.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def address_problems(wanted: Iterable[tuple[str, Address]]) -> list[str]:
    """Find the addresses on which nobody can listen now; each sentence names the setting that moves it."""
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
