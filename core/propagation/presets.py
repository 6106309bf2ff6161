"""Ready lists of targets and containers for installations that are often met."""

from __future__ import annotations

from collections.abc import Callable

from core.propagation.targets import ContainerSettings, FileTarget, ReceivedKind, Receives, Target

API_KEY = Receives(kind=ReceivedKind.API_KEY)

LEGUAS_KEYS = (
    (".env", "AUTHENTICATION_API_KEY"),
    (".env.docker", "AUTHENTICATION_API_KEY"),
    (".env.docker", "EVOLUTION_API_KEY"),
    ("docker-compose.yml", "TOKEN"),
    ("docker-compose.yml", "AUTHENTICATION_API_KEY"),
)
LEGUAS_CONTAINERS = ("leguas_wppconnect", "leguas_whatsapp_evolution")


def leguas(folder: str) -> tuple[list[Target], list[ContainerSettings]]:
    """List what the older panel "Léguas" wrote its API key to, and the containers that it restarted."""
    targets: list[Target] = [
        FileTarget(folder=folder, file=file, key=key, receives=API_KEY, is_preset=True)
        for file, key in LEGUAS_KEYS
    ]
    return targets, [ContainerSettings(name=name, folder=folder) for name in LEGUAS_CONTAINERS]


PRESETS: dict[str, Callable[[str], tuple[list[Target], list[ContainerSettings]]]] = {"leguas": leguas}
"""By the name that the sync file gives."""
