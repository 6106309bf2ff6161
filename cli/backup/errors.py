"""Why a backup or a restoration did not happen."""

from __future__ import annotations


class BackupError(Exception):
    """In words for the operator; nothing was changed."""
