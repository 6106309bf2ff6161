"""Responses that never change."""

import json
import secrets
from typing import Any


def device_response(response: Any) -> dict[str, Any]:
    """Return the envelope of host-device and get-phone-number."""
    return {"status": "success", "response": response, "mapper": "device"}


def host_device(identity: str) -> dict[str, Any]:
    """Return the response of host-device."""
    return device_response(
        {
            "id": {"_serialized": identity},
            "pushname": "Simulated",
            "platform": "android",
            "phone": {},
            "phoneNumber": identity,
        }
    )


SCREENSHOT = "bm90IGEgcmVhbCBzY3JlZW5zaG90"
EMPTY_ARCHIVE = b"PK\x05\x06" + bytes(18)

_CPU_METRICS = {
    "process_cpu_user_seconds_total": "Total user CPU time spent in seconds.",
    "process_cpu_system_seconds_total": "Total system CPU time spent in seconds.",
    "process_cpu_seconds_total": "Total user and system CPU time spent in seconds.",
}
METRICS = "\n".join(
    f'# HELP {name} {text}\n# TYPE {name} counter\n{name}{{app="wppconnect-server"}} 0\n'
    for name, text in _CPU_METRICS.items()
)

API_DOCS = """
<!-- HTML for static distribution bundle build -->
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="UTF-8">
  <title>Swagger UI</title>
</head>
<body></body>
</html>
"""

TRANSPORT_UNKNOWN = b'{"code":0,"message":"Transport unknown"}'
PROTOCOL_UNSUPPORTED = b'{"code":5,"message":"Unsupported protocol version"}'
SOCKET_IO_SCRIPT = """/*!
 * Socket.IO v4.8.4
 * (c) 2014-2026 Guillermo Rauch
 * Released under the MIT License.
 */
"""


def open_packet() -> bytes:
    """Return the first packet of a socket.io connection by polling. Only this handshake is supported."""
    return (
        b"0"
        + json.dumps(
            {
                "sid": secrets.token_urlsafe(15),
                "upgrades": ["websocket"],
                "pingInterval": 25000,
                "pingTimeout": 20000,
                "maxPayload": 1000000,
            },
            separators=(",", ":"),
        ).encode()
    )
