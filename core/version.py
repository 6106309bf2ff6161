"""The product's installed version."""

from __future__ import annotations


def version() -> str:
    """Return the installed version; "unknown" if the code runs without being installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("wppconnect-ops")
    except PackageNotFoundError:
        return "unknown"
