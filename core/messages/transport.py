"""Messages about requests without a readable response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "address_unusable": "The address of the gateway, or of the proxy to it, cannot be used. Check both.",
    "broken_http": (
        "What answers at the gateway's address breaks the rules of HTTP. Check the address and the port."
    ),
    "busy": (
        "The gateway, or a proxy in front of it, is not available for a moment (HTTP 503). It is asked "
        "again in {seconds} s."
    ),
    "certificate_expired": "The gateway's TLS certificate has expired. Renew it.",
    "certificate_not_yet_valid": (
        "The gateway's TLS certificate is not valid yet. Check the clocks of both machines."
    ),
    "certificate_other_name": (
        "The gateway's TLS certificate was issued for another name than the one in its address. Use the "
        "certificate's name in the address, or have a certificate issued for this one."
    ),
    "certificate_refused": "The gateway's TLS certificate is not accepted. Check it.",
    "certificate_unknown": (
        "The gateway's TLS certificate comes from an authority that is not trusted here. Install the "
        "authority's certificate on this machine, or use a certificate that everybody trusts."
    ),
    "closed_at_once": (
        "The connection is closed at once, without an answer. Check the port, and http or https in the "
        "gateway's address."
    ),
    "closed_here": "This program was closing its connections.",
    "closed_midway": "The connection was closed before the answer was complete. Look at the gateway's log.",
    "connect_timeout": (
        "Nothing accepts connections at the gateway's address in time. Check the address, and the firewalls "
        "on the way."
    ),
    "failed": "The request failed. The program's log says more.",
    "http_on_https": (
        "The gateway's address begins with https, but plain HTTP answers there. Write http in the address, "
        "or check the port."
    ),
    "https_on_http": (
        "The gateway's address begins with http, but TLS answers there. Write https in the address, or "
        "check the port."
    ),
    "left_alone": (
        "The gateway, or a proxy in front of it, asks for a pause. It is asked again in {seconds} s."
    ),
    "network_failed": "The network failed on the way to the gateway.",
    "no_route": (
        "There is no way through the network to the gateway. Check its address, and this machine's network."
    ),
    "not_http": "What answers at the gateway's address does not speak HTTP. Check the address and the port.",
    "not_sent": "The request could not be sent. The program's log says more.",
    "proxy_refuses": "The proxy does not connect to the gateway. Check WPPCONNECT_PROXY.",
    "queue_full": "Too many calls to the gateway were waiting, so this one was not made in time.",
    "redirected": (
        "The gateway's address leads to another one (HTTP {status}), as to a sign-in page. Set the "
        "gateway's own address."
    ),
    "refused": (
        "Nothing listens at the gateway's address. Check that the gateway runs and that address and port "
        "are right; between containers it is the container's name, not 127.0.0.1."
    ),
    "share_used_up": (
        "The gateway takes few such requests a minute, and our share of them is used up. It is asked again "
        "in {seconds} s."
    ),
    "timeout": "The gateway takes connections but does not answer in time.",
    "tls_failed": "No TLS connection comes about with the gateway. Check its address, and its TLS settings.",
    "too_large": "The answer is larger than {bytes} bytes, which no gateway sends. Check the address.",
    "too_many_requests": (
        "The gateway, or a proxy in front of it, gets too many requests (HTTP 429). It is asked again "
        "in {seconds} s."
    ),
    "unresolved": "The host name in the gateway's address cannot be resolved. Check the address.",
}
