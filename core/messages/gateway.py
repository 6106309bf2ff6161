"""Messages about unexpected responses of a gateway, or of what responds in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "cdn_certificate": (
        "A CDN in front of the gateway does not accept the gateway's TLS certificate (HTTP {status}). Check "
        "the certificate, and the CDN's TLS settings."
    ),
    "cdn_no_gateway": (
        "A CDN in front of the gateway does not reach it (HTTP {status}). Check that the gateway runs, and "
        "the address that the CDN has of it."
    ),
    "failed": "The gateway failed (HTTP {status}). Look at its log.",
    "not_access": (
        "A proxy, or another service, refuses access at the gateway's address (HTTP {status}). Have it let "
        "this program through, or set the gateway's own address."
    ),
    "not_empty": (
        "Something answers at the gateway's address, but with nothing in it, and is no WPPConnect Server. "
        "Check the address and the port."
    ),
    "not_express": (
        "An Express server answers, but without the routes of WPPConnect Server (HTTP {status}). Check the "
        "path in the gateway's address: as a rule it has none."
    ),
    "not_json": (
        "Another service answers at the gateway's address: JSON, but not that of WPPConnect Server (HTTP "
        "{status}). Check the address and the port."
    ),
    "not_offered": "The engine that runs this session on the gateway does not offer this.",
    "not_other": (
        "Something else than WPPConnect Server answers at the gateway's address (HTTP {status}). Check the "
        "address and the port."
    ),
    "not_page": (
        "A web page answers at the gateway's address, and no WPPConnect Server (HTTP {status}). Check the "
        "address and the port."
    ),
    "not_routed": (
        "A reverse proxy or web server answers that knows no such host or path (HTTP {status}). Check the "
        "gateway's address, and whether the proxy still has a route to the gateway."
    ),
    "not_sign_in": (
        "A sign-in page answers at the gateway's address. Have whatever asks for the sign-in let this "
        "program through, or set the gateway's own address."
    ),
    "not_supported": (
        "wppconnect-server-go, or a relative of it, answers at the gateway's address. It is not supported: "
        "it cannot say whether a session is connected. Run WPPConnect Server there, or set its address."
    ),
    "proxy_no_gateway": (
        "A proxy in front of the gateway does not reach it (HTTP {status}). Check that the gateway runs."
    ),
    "proxy_timeout": (
        "A proxy in front of the gateway waited for it in vain (HTTP {status}). Check that the gateway runs "
        "and is not overloaded."
    ),
    "refused": "The gateway refused the request (HTTP {status}).",
    "secret_refused": (
        "The gateway does not accept the secret key. Set WPPCONNECT_SECRET_KEY to the one that it was "
        "started with."
    ),
    "session_not_connected": "The session is not connected.",
    "token_refused": "The gateway does not accept this session's token. Check the secret key.",
    "unreadable": (
        "The gateway's answer (HTTP {status}) is not what its contract says. Check its release and address."
    ),
    "web_version_expired": (
        "The WhatsApp Web that this release of the gateway was built with expired on {date}: since then it "
        "takes whatever WhatsApp serves that day. That is a hint, not a fault."
    ),
    "web_version_expired_update": (
        "The WhatsApp Web that this release of the gateway was built with expired on {date}: since then it "
        "takes whatever WhatsApp serves that day. Update the gateway to {release} or later."
    ),
    "web_version_expires": (
        "The WhatsApp Web that this release of the gateway was built with expires on {date} (days "
        "left: {days}). No release with a newer one is known here yet."
    ),
    "web_version_expires_update": (
        "The WhatsApp Web that this release of the gateway was built with expires on {date} (days "
        "left: {days}). Update the gateway to {release} or later."
    ),
}
