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
        "A CDN in front of the gateway cannot reach it (HTTP {status}). Check that the gateway is running, "
        "and its address in the CDN."
    ),
    "failed": "The gateway failed (HTTP {status}). Check its log.",
    "not_access": (
        "A proxy or another service refuses access at the gateway's address (HTTP {status}). Allow this "
        "program there, or set the gateway's own address."
    ),
    "not_empty": (
        "Something other than WPPConnect Server answers at the gateway's address, with an empty response. "
        "Check the address and the port."
    ),
    "not_express": (
        "An Express server answers, but without the routes of WPPConnect Server (HTTP {status}). Check the "
        "path in the gateway's address: usually there is none."
    ),
    "not_json": (
        "Another service answers at the gateway's address, with JSON that is not from WPPConnect Server "
        "(HTTP {status}). Check the address and the port."
    ),
    "not_offered": "The engine that runs this session on the gateway does not support this.",
    "not_other": (
        "Something other than WPPConnect Server answers at the gateway's address (HTTP {status}). Check "
        "the address and the port."
    ),
    "not_page": (
        "A web page answers at the gateway's address instead of WPPConnect Server (HTTP {status}). Check "
        "the address and the port."
    ),
    "not_routed": (
        "A reverse proxy or web server answers, but has no such host or path (HTTP {status}). Check the "
        "gateway's address, and whether the proxy still has a route to the gateway."
    ),
    "not_sign_in": (
        "A sign-in page answers at the gateway's address. Allow this program to pass without signing in, "
        "or set the gateway's own address."
    ),
    "not_supported": (
        "wppconnect-server-go or a similar server answers at the gateway's address. It is not supported "
        "because it cannot report whether a session is connected. Run WPPConnect Server there, or set its "
        "address."
    ),
    "proxy_no_gateway": (
        "A proxy in front of the gateway cannot reach it (HTTP {status}). Check that the gateway is running."
    ),
    "proxy_timeout": (
        "A proxy in front of the gateway got no answer from it in time (HTTP {status}). Check that the "
        "gateway is running and not overloaded."
    ),
    "refused": "The gateway refused the request (HTTP {status}).",
    "secret_refused": (
        "The gateway does not accept the secret key. Set WPPCONNECT_SECRET_KEY to the one that it was "
        "started with."
    ),
    "session_not_connected": "The session is not connected.",
    "token_refused": "The gateway does not accept this session's token. Check the secret key.",
    "unreadable": (
        "The gateway's answer (HTTP {status}) does not match its API. Check its version and address."
    ),
    "web_version_expired": (
        "The WhatsApp Web version bundled with this gateway expired on {date}: since then the gateway uses "
        "whatever WhatsApp serves that day. This is a note, not a fault."
    ),
    "web_version_expired_update": (
        "The WhatsApp Web version bundled with this gateway expired on {date}: since then the gateway uses "
        "whatever WhatsApp serves that day. Update the gateway to {release} or later."
    ),
    "web_version_expires": (
        "The WhatsApp Web version bundled with this gateway expires on {date} (days left: {days}). No "
        "gateway version with a newer one is known yet."
    ),
    "web_version_expires_update": (
        "The WhatsApp Web version bundled with this gateway expires on {date} (days left: {days}). Update "
        "the gateway to {release} or later."
    ),
}
