"""The kinds of gateway, one row each."""

from __future__ import annotations

from importlib import import_module

from core.gateways.protocol import Capability, EventFormat, GatewayKind
from core.models import ServerSnapshot

KINDS: dict[str, str] = {
    "wppconnect": "core.gateways.wppconnect.kind",
}
"""The module of each kind, whose `KIND` describes it. Loaded when it is needed: a kind imports the settings,
which ask it for its rules."""

DEFAULT = "wppconnect"


def kind_of(name: str = DEFAULT) -> GatewayKind:
    """Return a kind by its name."""
    kind: GatewayKind = import_module(KINDS[name]).KIND
    return kind


def event_formats() -> tuple[EventFormat, ...]:
    """Return how the gateways of all kinds write webhook events."""
    return tuple(found for name in KINDS if (found := kind_of(name).events) is not None)


def offers(server: ServerSnapshot, capability: Capability) -> bool:
    """Return whether a gateway offers something, as far as known of it, else of its kind."""
    known = server.capabilities
    return capability in (kind_of(server.kind).capabilities if known is None else known)
