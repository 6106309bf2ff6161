"""Answers of a gateway, as its transport hands them on."""

from __future__ import annotations

import json
from typing import Any

from core.transport import Answer

HTML = "text/html; charset=utf-8"
TOKEN = "$2b$10$Wj8kMivvMMRBi16sMVpoleShZUvvVc0dXmvlX2NmqNY.seHF02aEq"


def answer(
    body: Any, status_code: int = 200, content_type: str = "application/json; charset=utf-8"
) -> Answer:
    """Make one; what is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status_code, content_type, data, "ask the gateway", "sales")
