"""Hand everything secret that a simulated gateway and a data directory hold to the leak search."""

from __future__ import annotations

import json
import re
from pathlib import Path

from simulator import Simulator
from tests.plugins.leaks import inspect_files, keep_secret

_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9_-]{53}")


def keep_secrets_of(simulator: Simulator, data: Path) -> None:
    """Take the secret key, every QR payload, pairing code and number that was used, and our stored tokens."""
    events = [event for event in simulator.events("webhook") if isinstance(event, dict)]
    keep_secret("secret key", [simulator.secret_key])
    keep_secret("QR payload", [event.get("urlcode") for event in events])
    keep_secret("QR picture", [event.get("qrcode") for event in events])
    keep_secret("pairing code", [event.get("phoneCode") for event in events])
    keep_secret("phone number", [event.get("phone") for event in events])
    for stored in sorted((data / "store").glob("tokens.json")):
        keep_secret("token", _BCRYPT.findall(json.dumps(json.loads(stored.read_text()))))
    inspect_files(data / "history", "*.jsonl")
