"""The product's version, as it was installed."""

from __future__ import annotations


def version() -> str:
    """Return the installed version, or "unknown" when the code is run from a folder that nobody installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("wppconnect-ops")
    except PackageNotFoundError:
        return "unknown"
