"""The key with which the pages of an installation sign, so that each accepts what another one issued."""

from __future__ import annotations

import logging
import secrets

from core.exceptions import StoreError
from core.store import Store, modify

log = logging.getLogger(__name__)

SUBJECT = "page_key"
BYTES = 32


def page_key(store: Store) -> bytes:
    """Return the stored key, creating it if there is none; one of this process if the store fails."""
    fresh = secrets.token_bytes(BYTES)
    try:
        record = modify(store, SUBJECT, "current", lambda value: value or {"key": fresh.hex()})
    except StoreError as error:
        # Like forms that were open during a restart, those of other pages are then shown again.
        log.warning("page_key_not_stored problem=%r", error.message)
        return fresh
    return bytes.fromhex(str(record.value["key"])) if record else fresh
