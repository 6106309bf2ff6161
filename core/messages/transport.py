"""Messages about requests without a readable response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "address_unusable": "The address of the gateway, or of the proxy to it, cannot be used. Check both.",
    "broken_http": (
        "The answer from the gateway's address is not valid HTTP. Check the address and the port."
    ),
    "busy": (
        "The gateway, or a proxy in front of it, is temporarily unavailable (HTTP 503). Next check in "
        "{seconds} s."
    ),
    "certificate_expired": "The gateway's TLS certificate has expired. Renew it.",
    "certificate_not_yet_valid": (
        "The gateway's TLS certificate is not valid yet. Check the clocks of both machines."
    ),
    "certificate_other_name": (
        "The gateway's TLS certificate was issued for a different name than the one in its address. Use "
        "the certificate's name in the address, or get a certificate for this name."
    ),
    "certificate_refused": "The gateway's TLS certificate is not accepted. Check it.",
    "certificate_unknown": (
        "The gateway's TLS certificate was issued by an authority that is not trusted here. Install the "
        "authority's certificate on this machine, or use a publicly trusted certificate."
    ),
    "closed_at_once": (
        "The connection is closed immediately, without an answer. Check the port, and http or https in the "
        "gateway's address."
    ),
    "closed_here": "The program was closing its connections.",
    "closed_midway": "The connection was closed before the answer was complete. Check the gateway's log.",
    "connect_timeout": (
        "Connecting to the gateway's address timed out. Check the address, and any firewall in between."
    ),
    "failed": "The request failed. See the log for details.",
    "http_on_https": (
        "The gateway's address begins with https, but plain HTTP answers there. Write http in the address, "
        "or check the port."
    ),
    "https_on_http": (
        "The gateway's address begins with http, but TLS answers there. Write https in the address, or "
        "check the port."
    ),
    "left_alone": ("The gateway, or a proxy in front of it, asks for a pause. Next check in {seconds} s."),
    "network_failed": "A network error occurred on the way to the gateway.",
    "no_route": ("There is no network route to the gateway. Check its address and this machine's network."),
    "not_http": "The service at the gateway's address does not use HTTP. Check the address and the port.",
    "not_sent": "The request could not be sent. See the log for details.",
    "proxy_refuses": "The proxy cannot connect to the gateway. Check WPPCONNECT_PROXY.",
    "queue_full": "Too many requests to the gateway were waiting, so this one was not sent in time.",
    "redirected": (
        "The gateway's address redirects to another one (HTTP {status}), such as a sign-in page. Set the "
        "gateway's own address."
    ),
    "refused": (
        "The connection to the gateway's address is refused. Check that the gateway is running and that "
        "address and port are correct; between containers, use the container's name, not 127.0.0.1."
    ),
    "share_used_up": (
        "The gateway accepts few such requests per minute, and our share is used up. Next check in "
        "{seconds} s."
    ),
    "timeout": "The gateway accepts connections but does not answer in time.",
    "tls_failed": (
        "A TLS connection to the gateway could not be established. Check its address and its TLS settings."
    ),
    "too_large": "The answer is larger than {bytes} bytes, which no gateway sends. Check the address.",
    "too_many_requests": (
        "The gateway, or a proxy in front of it, gets too many requests (HTTP 429). Next check in "
        "{seconds} s."
    ),
    "unresolved": "The host name in the gateway's address cannot be resolved. Check the address.",
}
