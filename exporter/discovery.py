"""`/sd`: the monitored sessions, as targets of `/probe` for Prometheus's HTTP service discovery."""

from __future__ import annotations

import json
from collections.abc import Iterator

from core.settings.values import Settings


def monitored_sessions(settings: Settings) -> Iterator[tuple[str, str]]:
    """List server and session of everything that is not paused."""
    for server in settings.servers:
        if server.enabled:
            yield from ((server.name, session.name) for session in server.sessions if session.enabled)


def discovery_json(settings: Settings, address: str, *, is_tls: bool) -> bytes:
    """Write the targets; `address` is where Prometheus reaches this exporter.

    `server` and `session` are labels of the target, so that `up` and whatever else Prometheus writes about a
    scrape bears them, too; the samples of `/probe` bear neither, or they would collide.
    """
    # Not when it is plain HTTP here: TLS may end in front of us, and the job knows.
    scheme = {"__scheme__": "https"} if is_tls else {}
    targets = [
        {
            "targets": [address],
            "labels": {
                "__metrics_path__": "/probe",
                "__param_server": server,
                "__param_session": session,
                "server": server,
                "session": session,
                **scheme,
            },
        }
        for server, session in monitored_sessions(settings)
    ]
    return json.dumps(targets).encode() + b"\n"
