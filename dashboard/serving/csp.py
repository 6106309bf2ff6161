"""Security headers of every response, with a content security policy that permits Streamlit's page."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def security_headers(streamlit_index: Path) -> dict[str, str]:
    """Return the headers, built once at start with the hash of the installed Streamlit's inline script."""
    return {
        "content-security-policy": content_security_policy(streamlit_index.read_text(encoding="utf-8")),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # Not no-referrer: browsers would then send "Origin: null" with the page's forms.
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "x-robots-tag": "noindex, nofollow",
    }


def content_security_policy(index_html: str) -> str:
    """Return a policy that permits own files, Streamlit's inline script by hash, and inline styles only."""
    hashes = " ".join(f"'{_sha256(script)}'" for script in INLINE_SCRIPT.findall(index_html))
    directives = {
        "default-src": "'none'",
        "script-src": f"'self' {hashes}".strip(),
        # Streamlit's components write style attributes and style elements at run time.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _sha256(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
