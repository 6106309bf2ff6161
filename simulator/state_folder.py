"""The gateway's data on disk, in a folder: token files and paired profiles.

The names are WPPConnect's own: `tokens/<session>.data.json` and `userDataDir/<session>/`. A simulator with a
folder starts as a gateway does after a restart: every session with a token file is launched, and paired ones
are connected.
"""

import json
import logging
from pathlib import Path
from typing import Any

from simulator.gateway import Gateway

TOKENS = "tokens"
PROFILES = "userDataDir"
PAIRED = "paired"
_SUFFIX = ".data.json"
_log = logging.getLogger(__name__)


class StateFolder:
    """Read once at start, written after each change."""

    def __init__(self, directory: Path) -> None:
        self._tokens = directory / TOKENS
        self._profiles = directory / PROFILES
        self._saved: tuple[dict[str, dict[str, Any]], frozenset[str]] | None = None

    def load(self, gateway: Gateway) -> bool:
        """Load token files and pairings into the gateway. Return whether there are any token files."""
        for folder in (self._tokens, self._profiles):
            folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._tokens.glob(f"*{_SUFFIX}")):
            try:
                options = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                # As on the gateway: a token file that cannot be read still names its session.
                options = {}
            gateway.token_files.write(
                path.name.removesuffix(_SUFFIX), options if isinstance(options, dict) else {}
            )
        for path in self._profiles.glob(f"*/{PAIRED}"):
            gateway.profile(path.parent.name).is_paired = True
        return bool(gateway.token_files.names())

    def save(self, gateway: Gateway) -> None:
        """Write the state, if it has changed since the last call."""
        tokens = {name: gateway.token_files.read(name) for name in gateway.token_files.names()}
        paired = frozenset(name for name, profile in gateway.profiles.items() if profile.is_paired)
        if (tokens, paired) == self._saved:
            return
        try:
            self._write(tokens, paired)
        except OSError as error:
            _log.warning("state_not_saved folder=%s reason=%s", self._tokens.parent, error.strerror)
            return
        self._saved = tokens, paired

    def _write(self, tokens: dict[str, dict[str, Any]], paired: frozenset[str]) -> None:
        for name, options in tokens.items():
            path = self._tokens / f"{name}{_SUFFIX}"
            fresh = path.with_name(f".{path.name}")
            fresh.write_text(json.dumps(options), encoding="utf-8")
            fresh.replace(path)
        for path in self._profiles.glob(f"*/{PAIRED}"):
            if path.parent.name not in paired:
                path.unlink(missing_ok=True)
        for name in paired:
            folder = self._profiles / name
            # A name may point outside the folder (".."). The real gateway's effect there is not reproduced.
            if folder.parent == self._profiles and name not in (".", ".."):
                folder.mkdir(exist_ok=True)
                (folder / PAIRED).touch()
