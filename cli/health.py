"""Tell whether a service of ours answers, with or without TLS."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 3.0


def answers(url: str) -> bool:
    """Ask once; only for services on this machine, whose certificate is not looked at."""
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.client.OK
    except ssl.SSLError as error:
        # It is there, and wants a client's certificate that only Prometheus has. How that is said differs by
        # version; what speaks no TLS at all is none of ours.
        return error.reason != "WRONG_VERSION_NUMBER"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    # Our own, under a certificate that is made out to another name.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
